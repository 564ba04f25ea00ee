"""Whose turn it is: the order of what waits, and how long that will take.  Nothing else.

Work that somebody waits for goes before a batch, and what nobody has asked about for a while goes
last.  Within each of these the sources (a key, the pages, a command) take turns, and within a
source its actors; each actor's requests go in the order in which they came.  What has waited long
moves up, so that nothing waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heapify, heapreplace

GONE = timedelta(minutes=5)
"""Nobody listened or asked for so long: whoever sent it has left."""

PATIENCE = timedelta(minutes=20)
"""After so long a request moves up one class."""

INTERACTIVE, BATCH, LEFT = 0, 1, 2
_NEVER = datetime.min.replace(tzinfo=UTC)

Turns = Mapping[tuple[str, ...], datetime]
"""When (source,) and (source, actor) last had a turn."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request in the queue; ids are in the order in which requests came."""

    id: str
    kind: str
    source: str
    actor: str
    batch: bool
    created_at: datetime
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Running:
    """A request that is being worked on."""

    kind: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The queue at one moment.  ``usual`` is how many seconds a kind took of late (median)."""

    waiting: Sequence[Waiting] = ()
    running: Sequence[Running] = ()
    turns: Turns = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)

    def only(self, wanted: Callable[[str], bool]) -> Snapshot:
        """Only what is of the wanted kinds: each lane has a queue of its own."""
        return Snapshot(
            [w for w in self.waiting if wanted(w.kind)],
            [r for r in self.running if wanted(r.kind)],
            self.turns,
            self.usual,
        )


def first(snapshot: Snapshot, now: datetime) -> str | None:
    """The request whose turn it is."""
    ordered = order(snapshot.waiting, snapshot.turns, now)
    return ordered[0].id if ordered else None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a request stands (1 is next) and when it begins, None where that is not known."""

    place: int
    expected_seconds: float | None


def rank(waiting: Waiting, now: datetime) -> int:
    """The class in which a request stands now."""
    left = not waiting.batch and now - waiting.asked_at > GONE
    standing = BATCH if waiting.batch else LEFT if left else INTERACTIVE
    return max(INTERACTIVE, standing - int((now - waiting.created_at) / PATIENCE))


def order(waiting: Sequence[Waiting], turns: Turns, now: datetime) -> list[Waiting]:
    """All that waits, the next one first."""
    last = dict(turns)
    classes: dict[int, list[Waiting]] = {}
    for one in sorted(waiting, key=lambda w: w.id):
        classes.setdefault(rank(one, now), []).append(one)
    ordered: list[Waiting] = []
    moment = now
    for number in sorted(classes):
        sources: dict[str, dict[str, list[Waiting]]] = {}
        for one in classes[number]:
            sources.setdefault(one.source, {}).setdefault(one.actor, []).append(one)
        while sources:
            source = min(sources, key=lambda s: _turn((s,), sources[s], last))
            actors = sources[source]
            actor = min(
                actors,
                key=lambda a: (last.get((source, a), _NEVER), actors[a][0].id),
            )
            ordered.append(actors[actor].pop(0))
            # Each turn is later than all before, and than all that really were.
            moment += timedelta(microseconds=1)
            last[(source,)] = last[(source, actor)] = moment
            if not actors[actor]:
                del actors[actor]
            if not actors:
                del sources[source]
    return ordered


def _turn(
    key: tuple[str, ...], actors: Mapping[str, Sequence[Waiting]], last: Turns
) -> tuple[datetime, str]:
    return last.get(key, _NEVER), min(waiting[0].id for waiting in actors.values())


def outlook(snapshot: Snapshot, request_id: str, slots: int, now: datetime) -> Outlook | None:
    """Where a request stands in the queue of ``slots`` workers; None when it does not wait."""
    ordered = order(snapshot.waiting, snapshot.turns, now)
    place = next((n for n, one in enumerate(ordered, 1) if one.id == request_id), None)
    if place is None:
        return None
    return Outlook(place, _expected(snapshot, ordered[: place - 1], slots, now))


def _expected(
    snapshot: Snapshot, ahead: Sequence[Waiting], slots: int, now: datetime
) -> float | None:
    """Seconds until a worker is free for it, when all take as long as usual."""
    usual = snapshot.usual
    kinds = {one.kind for one in ahead} | {one.kind for one in snapshot.running}
    if slots < 1 or not kinds <= usual.keys():
        return None
    left = [
        max(0.0, usual[one.kind] - (now - one.started_at).total_seconds())
        for one in snapshot.running
    ]
    # Of several processes on one database, this one knows its own workers only.
    free = sorted(left, reverse=True)[:slots] + [0.0] * (slots - len(left))
    heapify(free)
    for one in ahead:
        heapreplace(free, free[0] + usual[one.kind])
    return free[0]
