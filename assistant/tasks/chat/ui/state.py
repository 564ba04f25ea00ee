"""What the page 知识问答 holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.tasks.chat.events import ShownPassage
from assistant.ui.session import PageState, Session, Work


@dataclass
class Turn(Work):
    """One question to the knowledge base, with the passages that were found."""

    question: str = ""
    passages: list[ShownPassage] = field(default_factory=list)


@dataclass
class ChatState(PageState):
    """The questions, the newest first."""

    turns: list[Turn] = field(default_factory=list)

    def works(self) -> Sequence[Work]:
        """All of them."""
        return self.turns


def here(session: Session) -> ChatState:
    """The page's part of the session."""
    return session.of(ChatState)
