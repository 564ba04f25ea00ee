"""Studies that arrive over the network: what has come, whether it is all, what was started.

``series`` of a row: by series UID ``{attachment, modality, description, body_part, own, instances,
numbers, expected}``; ``numbers`` are the instance numbers that have come, ``expected`` how many
instances the sender says there are (0: it does not).  ``routes``: by the key of the request
``{rule, kind, request, results, state, note, attempts, sent}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.access import known_id, page_size
from assistant.store.audit import Audit
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.identifier import new_id
from assistant.store.models.study import DicomStudyRow

State = Literal["open", "waiting", "incomplete", "complete", "done"]
"""``open``: instances still come; ``waiting``: some are missing; ``incomplete``: they did not come
in time; ``complete``: tasks are at work on it; ``done``: their results have gone out."""

PENDING: tuple[State, ...] = ("open", "waiting")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an instance says of its series."""

    study_uid: str
    series_uid: str
    attachment_id: str
    modality: str
    description: str = ""
    body_part: str = ""
    own: bool = False
    """Whether it is a result of ours that comes back."""

    instances: int = 1
    """How many of the series are kept."""

    number: int | None = None
    expected: int = 0


class Studies:
    """The studies of the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def arrived(self, context: Context, arrival: Arrival, *, new: bool) -> None:
        """Note an instance that is kept; the study is open again where it is ``new``.

        It is on the disk when this returns.  An instance that comes again changes nothing.
        """
        with self._database.write() as session:
            row = _row(session, context, arrival.study_uid)
            now = self._database.clock()
            if row is None:
                row = DicomStudyRow(
                    id=new_id(),
                    study_uid=arrival.study_uid,
                    actor_id=context.actor_id,
                    patient_id=context.patient_id,
                    encounter_id=context.encounter_id,
                    state="open",
                    note="",
                    series={},
                    routes={},
                    created_at=now,
                    arrived_at=now,
                )
                session.add(row)
                self._audit.append(session, context, "study.arrive", "study", row.id)
            known = row.series.get(arrival.series_uid, {})
            series = _with(known, arrival)
            if new or series != known:
                row.series = {**row.series, arrival.series_uid: series}
                row.state, row.note = "open", ""
            # Who sends again what is here is still sending.
            row.arrived_at = now

    def settle(self, study_id: str, arrived_at: datetime, state: State, note: str) -> bool:
        """Say how a study stands; False where another instance came since ``arrived_at``."""
        with self._database.write() as session:
            row = session.get(DicomStudyRow, study_id)
            if row is None or row.arrived_at != arrived_at:
                return False
            if (row.state, row.note) != (state, note):
                row.state, row.note = state, note
                self._audit.append(session, row.context, f"study.{state}", "study", row.id)
            return True

    def release(self, study_id: str, actor: Context) -> bool:
        """Take an incomplete study as it is, as somebody decided; False where it is no such."""
        with self._database.write() as session:
            row = session.get(DicomStudyRow, known_id(study_id))
            if row is None or row.state not in ("waiting", "incomplete"):
                return False
            row.state = "complete"
            whose = Context(actor.actor_id, actor.actor_role, row.patient_id, row.encounter_id)
            self._audit.append(session, whose, "study.release", "study", row.id)
            return True

    def route(self, study_id: str, key: str, changes: Mapping[str, Any]) -> None:
        """Note what was started from a study, or how far it is."""
        with self._database.write() as session:
            row = session.get(DicomStudyRow, study_id)
            if row is not None:
                row.routes = {**row.routes, key: {**row.routes.get(key, {}), **changes}}

    def get(self, study_id: str) -> DicomStudyRow | None:
        """One study; None where it was purged."""
        with self._database.read() as session:
            return session.get(DicomStudyRow, study_id)

    def pending(self) -> Sequence[DicomStudyRow]:
        """Those of which something may still come, the oldest first."""
        query = select(DicomStudyRow).where(DicomStudyRow.state.in_(PENDING))
        with self._database.read() as session:
            return session.scalars(query.order_by(DicomStudyRow.id)).all()

    def under_way(self) -> Sequence[DicomStudyRow]:
        """Those that are complete and whose results have not all gone out."""
        query = select(DicomStudyRow).where(DicomStudyRow.state == "complete")
        with self._database.read() as session:
            return session.scalars(query.order_by(DicomStudyRow.id)).all()

    def list(self, limit: int = 100) -> Sequence[DicomStudyRow]:
        """The newest studies of all patients, for an administrator."""
        query = select(DicomStudyRow).order_by(DicomStudyRow.id.desc()).limit(page_size(limit))
        with self._database.read() as session:
            return session.scalars(query).all()


def _row(session: Session, context: Context, study_uid: str) -> DicomStudyRow | None:
    return session.scalar(
        select(DicomStudyRow).where(
            DicomStudyRow.patient_id == context.patient_id,
            DicomStudyRow.encounter_id == context.encounter_id,
            DicomStudyRow.study_uid == study_uid,
        )
    )


def _with(known: Mapping[str, Any], arrival: Arrival) -> dict[str, Any]:
    numbers = set(known.get("numbers", ()))
    if arrival.number is not None:
        numbers.add(arrival.number)
    return {
        "attachment": arrival.attachment_id,
        "modality": arrival.modality,
        "description": known.get("description") or arrival.description,
        "body_part": known.get("body_part") or arrival.body_part,
        "own": arrival.own,
        "instances": max(known.get("instances", 0), arrival.instances),
        "numbers": sorted(numbers),
        "expected": max(known.get("expected", 0), arrival.expected),
    }
