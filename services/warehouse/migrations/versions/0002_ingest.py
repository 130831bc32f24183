"""Schema `ingest`: runs and their steps outlive the process; one active run of a pipeline at a time; schedules."""

from alembic import op

revision = "0002"
down_revision = "0001"

RUNS = """
CREATE TABLE ingest.runs (
    run_id uuid PRIMARY KEY,
    pipeline text NOT NULL CHECK (pipeline IN ('companies', 'recommendations', 'backfill')),
    state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    trigger text NOT NULL CHECK (trigger IN ('manual', 'schedule')),
    logical_time timestamptz NOT NULL,
    request_id text,
    parameters jsonb NOT NULL DEFAULT '{}',
    counts jsonb NOT NULL DEFAULT '{}',
    error text NOT NULL DEFAULT '',
    code_version text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    cancel_requested boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    UNIQUE (pipeline, logical_time),
    UNIQUE (pipeline, request_id)
)
"""
ONE_ACTIVE_RUN = "CREATE UNIQUE INDEX one_active_run ON ingest.runs (pipeline) WHERE state IN ('queued', 'running')"
NEWEST_RUNS = "CREATE INDEX runs_newest_first ON ingest.runs (created_at DESC, run_id)"
STEPS = """
CREATE TABLE ingest.steps (
    run_id uuid NOT NULL REFERENCES ingest.runs ON DELETE CASCADE,
    position smallint NOT NULL,
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    started_at timestamptz,
    ended_at timestamptz,
    counts jsonb NOT NULL DEFAULT '{}',
    output jsonb NOT NULL DEFAULT '{}',
    detail text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, position)
)
"""
SCHEDULES = """
CREATE TABLE ingest.schedules (
    pipeline text PRIMARY KEY,
    cron text NOT NULL,
    paused boolean NOT NULL DEFAULT false,
    last_time timestamptz,
    created_at timestamptz NOT NULL
)
"""
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.runs, ingest.steps, ingest.schedules TO afin_ingest"


def upgrade() -> None:
    """Makes the tables that the service ingest works with."""
    for statement in (RUNS, ONE_ACTIVE_RUN, NEWEST_RUNS, STEPS, SCHEDULES, GRANT):
        op.execute(statement)
