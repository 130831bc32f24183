"""The mistakes. Each changes one place of one file; a unit test holds that all of them still find their place."""

from dataclasses import dataclass

MERGE = "services/warehouse/adapters/payments_merge.py"
CHAIN = "services/warehouse/adapters/payments_timeline.py"
FRESH = "services/warehouse/adapters/payments_fresh.py"
STORE = "services/warehouse/adapters/load_store.py"
LEDGER = "services/warehouse/adapters/ledger.py"
LAKE = "services/warehouse/adapters/parquet_lake.py"
WORKFLOW = "services/warehouse/workflow.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands once in `file`; the mutant has `new` in its place."""

    name: str
    old: str
    new: str
    file: str = CHAIN


FINDING = (
    (
        "amounts are not compared with what is stored",
        "(p.payment_at, p.status, p.amount,",
        "(p.payment_at, p.status, i.amount,",
    ),
    (
        "clients are not compared with what is stored",
        "p.amount, p.external_client_id)",
        "p.amount, i.external_client_id)",
    ),
    ("a missing time differs from a missing time", "IS NOT DISTINCT FROM (i.", "= (i."),
    ("a row is known whenever it was updated", "AND p.updated_at = i.updated_at\n", "\n"),
    (
        "a row is known by its payment alone",
        "AND p.company_code = i.company_code AND p.updated_at",
        "AND p.updated_at",
    ),
    ("the oldest row of a load is not looked for", "p.start_date >= CAST(:oldest", "p.start_date > CAST(:oldest"),
    (
        "only the newest rows are looked for",
        "SELECT min(updated_at) AS",
        "SELECT max(updated_at) AS",
    ),
    (
        "a row twice in a load counts twice",
        "SELECT DISTINCT ON (payment_id, company_code, updated_at, payment_at, status, amount, external_client_id) i.*",
        "SELECT i.*",
    ),
    (
        "of a row twice in a load the last counts",
        "external_client_id, position\n",
        "external_client_id, position DESC\n",
    ),
    (
        "confirmations are forgotten when looked for",
        "AND c.updated_at = i.updated_at\n",
        "AND c.updated_at = i.updated_at AND false\n",
    ),
    (
        "a tied confirmation is looked for at its place",
        "AND c.updated_at = i.updated_at\n",
        "AND c.observed_at = i.updated_at\n",
    ),
    ("a confirmation is known by its time alone", "i.updated_at\n    AND {SAME_ATTRIBUTES}", "i.updated_at\n"),
    ("a sieve that would lose rows is used", "if not survey.is_sound:", "if survey.is_sound is None:"),
)
SEEN = tuple(Mutant(*texts, FRESH) for texts in FINDING)
TIMELINE = (
    Mutant(
        "any version covers a confirmation",
        "\n    AND p.start_date <= c.observed_at AND (p.end_date IS NULL OR p.end_date > c.observed_at)",
        "",
    ),
    Mutant("a version covers what was before it", "p.start_date <= c.observed_at AND ", ""),
    Mutant(
        "a current version covers nothing",
        "(p.end_date IS NULL OR p.end_date > c.observed_at)",
        "p.end_date > c.observed_at",
    ),
    Mutant(
        "companies share a history",
        "of_key AS (PARTITION BY payment_id, company_code)",
        "of_key AS (PARTITION BY payment_id)",
    ),
    Mutant(
        "of a tie the row read later comes first",
        "in_order AS (of_key ORDER BY updated_at, stored_at NULLS LAST",
        "in_order AS (of_key ORDER BY updated_at, stored_at NULLS FIRST",
    ),
    Mutant(
        "of a tie in one load the row read later comes first",
        "stored_at NULLS LAST, position)",
        "stored_at NULLS LAST, position DESC)",
    ),
    Mutant(
        "the order of what was stored is lost",
        "in_order AS (of_key ORDER BY updated_at, stored_at NULLS LAST, position)",
        "in_order AS (of_key ORDER BY updated_at, position)",
    ),
    Mutant(
        "places are given in another order", "stored_at NULLS LAST, position\n", "stored_at NULLS FIRST, position\n"
    ),
    Mutant(
        "a tie starts two microseconds later",
        "SELECT *, place * interval '1 microsecond'",
        "SELECT *, place * interval '2 microseconds'",
    ),
    Mutant("a chain of ties is as long as two", "ROWS UNBOUNDED PRECEDING", "ROWS 1 PRECEDING"),
    Mutant(
        "a payment's time makes no version",
        "            OR payment_at IS DISTINCT FROM lag(payment_at) OVER in_order\n",
        "",
    ),
    Mutant(
        "a time that is lost makes no version",
        "payment_at IS DISTINCT FROM lag(payment_at)",
        "payment_at <> lag(payment_at)",
    ),
    Mutant("a status makes no version", "            OR status <> lag(status) OVER in_order\n", ""),
    Mutant("an amount makes no version", "            OR amount <> lag(amount) OVER in_order\n", ""),
    Mutant(
        "a client makes no version",
        "            OR external_client_id <> lag(external_client_id) OVER in_order AS",
        "            AS",
    ),
    Mutant("every observation makes a version", "row_number() OVER in_order = 1\n", "true\n"),
    Mutant(
        "a confirmation ends a version",
        "PARTITION BY payment_id, company_code, is_version ORDER",
        "PARTITION BY payment_id, company_code ORDER",
    ),
)
COUNTING = (
    ("a row as old as the newest is late", "updated_at < newest_known)", "updated_at <= newest_known)"),
    ("a tie with the newest is no change", "updated_at >= newest_known", "updated_at > newest_known"),
    ("all rows of a new key are new", "newest_known IS NULL AND place = 1", "newest_known IS NULL"),
    ("unchanged rows are counted with the rest", "unchanged=staged.rows - known", "unchanged=staged.rows"),
)
ACCOUNT = (
    Mutant(
        "rows of the load count as known before it",
        "max(updated_at) FILTER (WHERE stored_at IS NOT NULL)",
        "max(updated_at)",
    ),
    *(Mutant(*texts, MERGE) for texts in COUNTING),
)
WRITING = (
    Mutant(
        "a version whose place moved stays",
        "t.was_version AND t.is_version AND t.stored_at = t.observed_at",
        "t.was_version AND t.is_version",
    ),
    Mutant(
        "a confirmation whose place moved stays",
        "NOT t.was_version AND NOT t.is_version AND t.stored_at = t.observed_at",
        "NOT t.was_version AND NOT t.is_version",
    ),
    Mutant(
        "a version that became a confirmation stays",
        "(REMOVE_CONFIRMATIONS, REMOVE_VERSIONS, CLOSE_VERSIONS)",
        "(REMOVE_CONFIRMATIONS, CLOSE_VERSIONS)",
    ),
    Mutant(
        "a confirmation that became a version stays",
        "(REMOVE_CONFIRMATIONS, REMOVE_VERSIONS, CLOSE_VERSIONS)",
        "(REMOVE_VERSIONS, CLOSE_VERSIONS)",
    ),
    Mutant(
        "no version is closed",
        "(REMOVE_CONFIRMATIONS, REMOVE_VERSIONS, CLOSE_VERSIONS)",
        "(REMOVE_CONFIRMATIONS, REMOVE_VERSIONS)",
    ),
    Mutant("only the current version is closed", "t.stored_end IS DISTINCT FROM t.next_at", "t.stored_end IS NULL"),
    Mutant("a late row is made current", "next_at, next_at IS NULL, coalesce", "NULL, true, coalesce"),
    Mutant(
        "a version that moves is told by its last load",
        "coalesce(load_id, CAST(:load_id AS text))\nFROM timeline AS t\nWHERE t.is_version",
        "CAST(:load_id AS text)\nFROM timeline AS t\nWHERE t.is_version",
    ),
    Mutant("no confirmation is kept", "ADD = (ADD_VERSIONS, ADD_CONFIRMATIONS)", "ADD = (ADD_VERSIONS,)"),
)
TRANSACTION = (
    Mutant("two loads run at once", "            await connection.execute(text(LOCK))\n", "", STORE),
    Mutant("a broken connection ends the load", "except (Conflict, DatabaseUnavailable):", "except Conflict:", STORE),
    Mutant("a conflict ends the load", "except (Conflict, DatabaseUnavailable):", "except DatabaseUnavailable:", STORE),
    Mutant(
        "a committed load is applied again",
        "await transaction.find(request.load_id)",
        'await transaction.find("")',
        WORKFLOW,
    ),
    Mutant("a watermark moves back", " WHERE excluded.value > w.value", "", LEDGER),
    Mutant(
        "a part is not compared with its SHA-256", "        require_sha256(path, part.sha256, part.key)\n", "", LAKE
    ),
    Mutant(
        "what page checksums say is not asked",
        "page_checksum_verification=True",
        "page_checksum_verification=False",
        LAKE,
    ),
)
MUTANTS = (*SEEN, *TIMELINE, *ACCOUNT, *WRITING, *TRANSACTION)
