"""The queue as the store has it: what waits, what runs, whose turn it was, how long work takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.store.models.request import RequestRow
from assistant.work.queue import Running, Snapshot, Waiting

OF_LATE = timedelta(hours=1)
"""Turns are remembered for so long."""

SAMPLES = 200
"""How many of the newest finished requests tell how long each kind takes."""


def snapshot(session: Session, now: datetime) -> Snapshot:
    """The queue at this moment."""
    waiting = session.execute(
        select(
            RequestRow.id,
            RequestRow.kind,
            RequestRow.source,
            RequestRow.actor_id,
            RequestRow.batch,
            RequestRow.created_at,
            func.coalesce(RequestRow.asked_at, RequestRow.created_at),
        ).where(RequestRow.status == "queued")
    )
    running = session.execute(
        select(RequestRow.kind, func.coalesce(RequestRow.started_at, RequestRow.created_at)).where(
            RequestRow.status == "running"
        )
    )
    return Snapshot(
        [Waiting(*row) for row in waiting],
        [Running(*row) for row in running],
        _turns(session, now),
        _usual(session),
    )


def _turns(session: Session, now: datetime) -> dict[tuple[str, ...], datetime]:
    begun = session.execute(
        select(RequestRow.source, RequestRow.actor_id, func.max(RequestRow.started_at))
        .where(RequestRow.started_at > now - OF_LATE)
        .group_by(RequestRow.source, RequestRow.actor_id)
    )
    last: dict[tuple[str, ...], datetime] = {}
    for source, actor, at in begun:
        if at is None:
            continue
        last[(source, actor)] = at
        last[(source,)] = max(at, last.get((source,), at))
    return last


def _usual(session: Session) -> dict[str, float]:
    ended = session.execute(
        select(RequestRow.kind, RequestRow.started_at, RequestRow.ended_at)
        .where(RequestRow.status == "finished", RequestRow.started_at.is_not(None))
        .order_by(RequestRow.id.desc())
        .limit(SAMPLES)
    )
    took: dict[str, list[float]] = {}
    for kind, started, at in ended:
        if started is None or at is None:
            continue
        took.setdefault(kind, []).append((at - started).total_seconds())
    return {kind: median(seconds) for kind, seconds in took.items()}
