"""What the page 鉴别诊断 holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.record.case import Case
from assistant.store import RequestRow
from assistant.tasks.differential.draft import DifferentialDraft
from assistant.tasks.differential.rerank import Reranking
from assistant.tasks.differential.task import Differential
from assistant.ui.earlier import Kind
from assistant.ui.session import PageState, Session, Work
from knowledge.text.finding import Finding


@dataclass
class CaseWork(Work):
    """A differential diagnosis."""

    case: Case | None = None
    stale: bool = False
    filled_by: str = ""
    reranking: Reranking | None = None
    """The order after the questions that were answered on the page; no part of the record."""

    @property
    def findings(self) -> list[Finding]:
        """What was found in the case, as the first answer has it."""
        answers = (s.draft for s in self.shown.values() if isinstance(s.draft, DifferentialDraft))
        return next((answer.findings for answer in answers if answer.findings), [])


@dataclass
class CaseState(PageState):
    """The case in front, and the earlier ones of its patient."""

    work: CaseWork = field(default_factory=CaseWork)
    example: str = ""
    """The example case that the form was filled with last."""

    def works(self) -> Sequence[Work]:
        """The one case."""
        return (self.work,)


def here(session: Session) -> CaseState:
    """The page's part of the session."""
    return session.of(CaseState)


def _opened(row: RequestRow) -> CaseWork:
    return CaseWork(case=Case.model_validate(row.payload))


def _left(work: CaseWork) -> None:
    work.filled_by = next((key for key, shown in work.shown.items() if shown.filled), "")


KIND = Kind(Differential.kind, _opened, _left)
