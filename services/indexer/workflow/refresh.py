"""Tells recommenders, between builds, what clients have paid since, and which companies went."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from services.contracts.fresh import Fresh, FreshColumns, FreshHeader
from services.indexer import metrics
from services.indexer.domain.freshening import (
    Barred,
    ClientHistories,
    Outcome,
    clients_of,
    gone,
    merged_keys,
    nobody,
    replaced,
    with_empty,
)
from services.indexer.workflow.ports import Publications
from services.indexer.workflow.refresh_ports import (
    CannotRefresh,
    Changes,
    ClientChanges,
    FreshObjects,
    Known,
    ServedModel,
    ServedModels,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """changed: clients whose histories this call made; clients, barred: in all. changed_at: see FreshHeader."""

    version: str
    outcome: Outcome
    changed: int = 0
    clients: int = 0
    barred: int = 0
    changed_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RefreshPlan:
    """`most_clients`: beyond so many between two builds, newer changes wait for the next build."""

    most_clients: int
    work_folder: Path


@dataclass(frozen=True, slots=True)
class _Made:
    """fresh: what is to be the newest object, which may be the one before; None where there is nothing to tell."""

    fresh: Fresh | None
    outcome: Outcome
    changed: int


class Refresher:
    """One refreshing at a time."""

    def __init__(
        self,
        plan: RefreshPlan,
        models: ServedModels,
        changes: ClientChanges,
        objects: FreshObjects,
        publications: Publications,
    ) -> None:
        self._plan = plan
        self._models = models
        self._changes = changes
        self._objects = objects
        self._publications = publications
        self._turn = asyncio.Lock()
        self._told: dict[str, str] = {}

    async def refresh(self) -> list[Refreshed]:
        """Of every version in service, what its newest object tells now. Nothing before the first publication."""
        async with self._turn:
            published = await self._publications.all()
            if not published:
                return []
            newest = published[-1]
            done = [await self._refresh(version, newest.published_at) for version in newest.versions]
            await self._objects.keep_only_newest({each.version for each in done})
        self._told = {each.version: self._told.get(each.version, "") for each in done}
        for each in done:
            self._tell(each)
        metrics.show_fresh(done[0].clients, done[0].changed_at)
        return done

    async def _refresh(self, version: str, published_at: datetime) -> Refreshed:
        try:
            return await self._renew(await self._models.load(version), published_at)
        except CannotRefresh as error:
            return Refreshed(version, Outcome.NOT_POSSIBLE, detail=error.message)

    async def _renew(self, model: ServedModel, published_at: datetime) -> Refreshed:
        """The number is taken before anything is read: who was overtaken by another replica finds it gone."""
        while True:
            number = await self._objects.number(model.version, published_at)
            before = await self._objects.newest(model.version)
            made = await self._made(model, before, number, self._plan.most_clients)
            if made.fresh and made.fresh.header.clients > self._plan.most_clients:
                made = await self._made(model, before, number, 0)
            if made.fresh is before or made.fresh is None or await self._objects.add(made.fresh):
                return _told(model.version, made)

    async def _made(self, model: ServedModel, before: Fresh | None, number: int, most: int) -> _Made:
        """With what at most so many clients changed; of more, nothing but what was erased."""
        known = _known(model, before)
        earlier = clients_of(before.columns) if before else nobody()
        with TemporaryDirectory(prefix="afin-refresh-", dir=self._plan.work_folder) as name:
            changes = await self._changes.read(model, known, most, Path(name))
            found = await self._changes.histories(model, changes, Path(name))
        newer = await asyncio.to_thread(_newer, model, changes, earlier, found)
        too_many = changes.are_too_many
        barred = Barred(before.columns.barred, before.columns.successors) if before else None
        if not len(newer.keys) and _same(barred, changes.barred) and set(changes.erasures) == known.erasures:
            return _Made(before, Outcome.TOO_MANY_CHANGED if too_many else Outcome.UNCHANGED, 0)
        clients = await asyncio.to_thread(replaced, earlier, newer, model.keys)
        fresh = _fresh(model.version, number, clients, changes, _changed_at(before, changes, newer))
        return _Made(fresh, Outcome.TOO_MANY_CHANGED if too_many else Outcome.REFRESHED, len(newer.keys))

    def _tell(self, done: Refreshed) -> None:
        metrics.REFRESHES.labels(done.outcome.name.lower()).inc()
        said = f"{done.outcome.name} {done.clients} {done.barred} {done.changed_at} {done.detail}"
        if self._told.get(done.version) == said:
            return
        self._told[done.version] = said
        tell = log.info if done.outcome in (Outcome.REFRESHED, Outcome.UNCHANGED) else log.warning
        tell(
            "histories refreshed",
            version=done.version,
            outcome=done.outcome.name.lower(),
            changed_clients=done.changed,
            clients=done.clients,
            barred_companies=done.barred,
            detail=done.detail,
        )


def _known(model: ServedModel, before: Fresh | None) -> Known:
    if before is None:
        return Known(model.behind, model.erasures)
    return Known(before.header.behind, frozenset(before.header.erasures))


def _newer(model: ServedModel, changes: Changes, earlier: ClientHistories, found: ClientHistories) -> ClientHistories:
    """All whose histories are to be replaced, those without payments among them."""
    left = [] if changes.paying is None else [gone(earlier, model.keys, changes.paying)]
    return with_empty(found, merged_keys(changes.keys, *left))


def _same(before: Barred | None, now: Barred) -> bool:
    if before is None:
        return not len(now.companies)
    pairs = ((before.companies, now.companies), (before.successors, now.successors))
    return all(first.tolist() == second.tolist() for first, second in pairs)


def _changed_at(before: Fresh | None, changes: Changes, newer: ClientHistories) -> datetime | None:
    if len(newer.keys) and not changes.are_too_many:
        return changes.behind.committed_at
    return before.header.changed_at if before else None


def _fresh(version: str, number: int, clients: ClientHistories, changes: Changes, changed_at: datetime | None) -> Fresh:
    histories, barred = clients.histories, changes.barred
    header = FreshHeader(
        version=version,
        number=number,
        behind=changes.behind,
        erasures=changes.erasures,
        changed_at=changed_at,
        clients=len(clients.keys),
        pairs=len(histories.companies),
        barred=len(barred.companies),
    )
    columns = FreshColumns(
        clients.keys,
        histories.offsets,
        histories.companies,
        histories.weights,
        histories.habits,
        barred.companies,
        barred.successors,
    )
    return Fresh(header, columns)


def _told(version: str, made: _Made) -> Refreshed:
    told = Refreshed(version, made.outcome, made.changed)
    if made.fresh is None:
        return told
    header = made.fresh.header
    return replace(told, clients=header.clients, barred=header.barred, changed_at=header.changed_at)
