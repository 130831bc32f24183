"""How a method of a thread server runs; said by a decorator on the servicer's method.

@quick                at once, in the thread that polls the transport: far below a millisecond, never blocking
@quick_if(_is_cheap)  so when that method of the servicer says True of the request, else as work
(nothing)             work: in a small pool of threads, in turn
@waiting              it waits for something else: in threads of its own, so that work need not

EVENTS is for health alone: its watches hold no thread, and are told when there is something to tell.
"""

import enum
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Behaviour = TypeVar("Behaviour", bound=Callable[..., Any])


class Lane(enum.Enum):
    """Where a call runs."""

    QUICK = "quick"
    WORK = "work"
    WAITING = "waiting"
    EVENTS = "events"


LaneOf = Callable[[Any], Lane]


def quick(behaviour: Behaviour) -> Behaviour:
    """Every call of this method is cheap."""
    return _marked(behaviour, lambda servicer, request: Lane.QUICK)


def waiting(behaviour: Behaviour) -> Behaviour:
    """Calls of this method wait, and may wait long."""
    return _marked(behaviour, lambda servicer, request: Lane.WAITING)


def quick_if(cheap: Callable[[Any, Any], bool]) -> Callable[[Behaviour], Behaviour]:
    """Calls for which `cheap(servicer, request)` are cheap; the others are work. It must be cheap itself."""
    return lambda behaviour: _marked(
        behaviour, lambda servicer, request: Lane.QUICK if cheap(servicer, request) else Lane.WORK
    )


def work_lane(request: Any) -> Lane:
    """Of a method all of whose calls are work."""
    return Lane.WORK


def lane_of(behaviour: Callable[..., Any]) -> LaneOf:
    """Tells the lane of a request to this method."""
    lane: Callable[[Any, Any], Lane] | None = getattr(behaviour, "afin_lane", None)
    if lane is None:
        return work_lane
    return partial(lane, getattr(behaviour, "__self__", None))


def _marked(behaviour: Behaviour, lane: Callable[[Any, Any], Lane]) -> Behaviour:
    behaviour.afin_lane = lane  # type: ignore[attr-defined]
    return behaviour
