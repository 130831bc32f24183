"""What is newer than the indexes in service, put over them: another index in service, with the same snapshots below."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from services.recommender.domain.in_service import InService
from services.recommender.domain.overlay import Overlay
from services.recommender.domain.snapshot import Snapshot


class OverlaySource(Protocol):
    """Where overlays come from. Both methods block, and give the snapshot's own overlay when there is no newer one."""

    def published(self, snapshot: Snapshot) -> Overlay:
        """The newest sound one of the object store; Unavailable when the store or the disk fails."""

    def cached(self, snapshot: Snapshot) -> Overlay:
        """The newest sound one on this machine; Unavailable when the disk fails."""


class NoOverlays:
    """Nothing is ever newer; see OverlaySource."""

    def published(self, snapshot: Snapshot) -> Overlay:
        """See OverlaySource."""
        return snapshot.fresh

    def cached(self, snapshot: Snapshot) -> Overlay:
        """See OverlaySource."""
        return snapshot.fresh


def renewed(index: InService, newest: Callable[[Snapshot], Overlay]) -> InService:
    """With the newest overlays; `index` itself when there is no newer one."""
    main = _under(index.main, newest)
    challenger = _under(index.challenger, newest) if index.challenger else None
    if main is index.main and challenger is index.challenger:
        return index
    return replace(index, main=main, challenger=challenger)


def _under(snapshot: Snapshot, newest: Callable[[Snapshot], Overlay]) -> Snapshot:
    overlay = newest(snapshot)
    return snapshot if overlay.number <= snapshot.fresh.number else replace(snapshot, fresh=overlay)
