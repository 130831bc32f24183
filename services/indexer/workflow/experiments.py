"""Puts a second version before a share of the clients, and takes it away again, or makes it everybody's."""

from dataclasses import dataclass

from services.contracts.bundle import Challenger, Publication, Search
from services.indexer.domain.succession import Next, with_challenger
from services.indexer.workflow.epochs import Epochs
from services.indexer.workflow.publish import Approve
from services.runtime.errors import FailedPrecondition


@dataclass(frozen=True, slots=True)
class Trial:
    """What is wished for: an experiment's name, the share of the clients, and why."""

    name: str
    share: float
    reason: str


class Experiments:
    """One at a time. Every change is a publication, with its reason; FailedPrecondition when it cannot be."""

    def __init__(self, epochs: Epochs) -> None:
        self._epochs = epochs

    async def start(
        self, version: str, manifest_sha256: str, approve: Approve, search: Search, wanted: Trial
    ) -> Publication | None:
        """A new epoch with the challenger; None: not approved. The same again changes nothing.

        Under the name of the running experiment, another version takes its challenger's place: the clients stay the
        same. Neither may a challenger know an erased client whom the main version does not.
        """
        while True:
            publications = await self._epochs.all()
            present = _with_room(publications, version, wanted.name)
            approval = await approve(present)
            if approval is None:
                return None
            await self._epochs.require_erased_stay_out(version, present.version)
            challenger = Challenger(
                experiment=wanted.name,
                version=version,
                manifest_sha256=manifest_sha256,
                search=search,
                share=wanted.share,
                since=present.challenger.since if present.challenger else present.epoch + 1,
            )
            if challenger == present.challenger:
                return present
            published = await self._epochs.follow(
                present, with_challenger(present, challenger, f"{wanted.reason}; {approval}")
            )
            if published:
                return published

    async def change_share(self, wanted: Trial) -> Publication:
        """Another share: a larger one keeps the clients that were chosen, and adds others."""
        while True:
            present, running = await self._running(wanted.name)
            challenger = running.model_copy(update={"share": wanted.share})
            if challenger == running and present.reason == wanted.reason:
                return present
            published = await self._epochs.follow(present, with_challenger(present, challenger, wanted.reason))
            if published:
                return published

    async def promote(self, name: str, reason: str) -> Publication:
        """The challenger becomes the main version; DataLoss when it is damaged."""
        while True:
            present, running = await self._running(name)
            await self._epochs.require_whole(running.version, running.manifest_sha256)
            await self._epochs.require_erased_stay_out(running.version, present.version)
            main = Next(running.version, running.manifest_sha256, reason, running.search)
            published = await self._epochs.follow(present, main)
            if published:
                return published

    async def discard(self, name: str, reason: str) -> Publication:
        """The main version is everybody's again."""
        while True:
            present, _ = await self._running(name)
            published = await self._epochs.follow(present, with_challenger(present, None, reason))
            if published:
                return published

    async def _running(self, name: str) -> tuple[Publication, Challenger]:
        publications = await self._epochs.all()
        present = publications[-1] if publications else None
        if present and present.challenger and present.challenger.experiment == name:
            return present, present.challenger
        message = f"no experiment {name} is running; {_told(present)}"
        raise FailedPrecondition(message, reason="NO_SUCH_EXPERIMENT", metadata={"experiment": name})


def _with_room(publications: list[Publication], version: str, name: str) -> Publication:
    """The newest, if an experiment may stand beside it."""
    present = publications[-1] if publications else None
    if present is None:
        raise FailedPrecondition("no index version is in service yet; publish one first", reason="NOTHING_IN_SERVICE")
    if present.version == version:
        message = f"{version} is the main version in service; name another one"
        raise FailedPrecondition(message, reason="IS_IN_SERVICE")
    if present.challenger and present.challenger.experiment != name:
        message = f"{_told(present)}: end it first with StopExperiment"
        raise FailedPrecondition(message, reason="EXPERIMENT_RUNNING")
    return present


def _told(present: Publication | None) -> str:
    running = present.challenger if present else None
    if running is None:
        return "none is, ListPublications tells of those that were"
    return f"the experiment {running.experiment} is, of version {running.version}"
