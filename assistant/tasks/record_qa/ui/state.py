"""What the page 问病历 holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.store import Context
from assistant.store.models.conversation import ConversationRow
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.ui.session import PageState, Session, Shown, Work


@dataclass
class AskTurn(Work):
    """One question to the record."""

    question: str = ""

    @property
    def answer(self) -> tuple[Shown, RecordAnswer] | None:
        """The answer and its draft, once it is there."""
        for shown in self.shown.values():
            if isinstance(shown.draft, RecordAnswer):
                return shown, shown.draft
        return None


@dataclass
class AskState(PageState):
    """The stay in front, its conversations, and the turns of the one that is open, newest first."""

    context: Context | None = None
    encounter: Encounter | None = None
    conversation_id: str = ""
    conversations: list[ConversationRow] = field(default_factory=list)
    words: str = ""
    turns: list[AskTurn] = field(default_factory=list)
    problem: str = ""

    def works(self) -> Sequence[Work]:
        """The turns."""
        return self.turns

    def notes(self) -> list[Note]:
        """The notes of the stay, those made of its tables included."""
        return self.encounter.all_notes() if self.encounter else []

    def last_answer(self) -> str:
        """The id of the newest answer on this page: what a follow-up goes on from."""
        return next((found[0].draft_id for turn in self.turns if (found := turn.answer)), "")


def here(session: Session) -> AskState:
    """The page's part of the session."""
    return session.of(AskState)
