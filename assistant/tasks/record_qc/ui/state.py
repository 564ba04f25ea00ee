"""What the page 病历质控 holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistant.record.note import Note
from assistant.store import RequestRow
from assistant.tasks.record_qc.adjustments import Adjustment
from assistant.tasks.record_qc.dashboard import Dashboard
from assistant.tasks.record_qc.draft import QcReport
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.task import RecordQc
from assistant.ui.earlier import Kind
from assistant.ui.session import PageState, Session, Shown, Work


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the reviewer thinks of a finding."""

    verdict: Literal["accepted", "dismissed"]
    reason: str = ""


@dataclass
class QcWork(Work):
    """One encounter that is checked, with the opinions on its findings by their ids."""

    encounter: CheckedEncounter | None = None
    opinions: dict[str, Opinion] = field(default_factory=dict)
    problem: str = ""

    def notes(self) -> list[Note]:
        """The notes of the encounter, those made of its tables included."""
        return self.encounter.all_notes() if self.encounter else []

    @property
    def report(self) -> tuple[Shown, QcReport] | None:
        """The report and its draft, once it is there."""
        for shown in self.shown.values():
            if isinstance(shown.draft, QcReport):
                return shown, shown.draft
        return None


@dataclass
class Board:
    """The department's dashboard as it was last looked at; ``problem``: why there is none."""

    dashboard: Dashboard = field(default_factory=Dashboard)
    adjustments: Sequence[Adjustment] = ()
    may_adjust: bool = False
    problem: str = ""


@dataclass
class QcState(PageState):
    """The stay in front, its earlier runs, and the dashboard once it was asked for."""

    work: QcWork = field(default_factory=QcWork)
    board: Board | None = None

    def works(self) -> Sequence[Work]:
        """The one stay."""
        return (self.work,)


def here(session: Session) -> QcState:
    """The page's part of the session."""
    return session.of(QcState)


def _opened(row: RequestRow) -> QcWork:
    return QcWork(encounter=CheckedEncounter.model_validate(row.payload))


KIND = Kind(RecordQc.kind, _opened)
