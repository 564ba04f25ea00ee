"""What the page 出院记录 holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.store import RequestRow
from assistant.tasks.discharge.draft import DischargeHeader
from assistant.tasks.discharge.header import header
from assistant.tasks.discharge.task import Discharge
from assistant.tasks.patient_version.ui.card import LayWork
from assistant.ui.earlier import Kind
from assistant.ui.session import PageState, Session, Work


@dataclass
class StayWork(Work):
    """A discharge record."""

    encounter: Encounter | None = None
    header: DischargeHeader | None = None

    def notes(self) -> list[Note]:
        """The notes of the encounter, those made of its tables included."""
        return self.encounter.all_notes() if self.encounter else []


@dataclass
class StayState(PageState):
    """The stay in front, and its earlier runs."""

    work: StayWork = field(default_factory=StayWork)
    lay: LayWork = field(default_factory=LayWork)

    def works(self) -> Sequence[Work]:
        """The one stay, and its version for the patient."""
        return (self.work, self.lay)


def lay_of(session: Session) -> LayWork:
    """The patient's version of the stay in front; an older one goes with its stay."""
    state = here(session)
    if state.lay.encounter is not state.work.encounter:
        state.lay = LayWork(context=state.work.context, encounter=state.work.encounter)
    return state.lay


def here(session: Session) -> StayState:
    """The page's part of the session."""
    return session.of(StayState)


def _opened(row: RequestRow) -> StayWork:
    encounter = Encounter.model_validate(row.payload)
    return StayWork(encounter=encounter, header=header(encounter))


KIND = Kind(Discharge.kind, _opened)
