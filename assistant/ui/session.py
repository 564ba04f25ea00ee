"""What one open page holds on the server: who looks at it, and the work in front of them.

Ids of requests and drafts stay here; the browser sends only the name of the card that was touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar, cast

import gradio as gr

from assistant.api.context import Actor
from assistant.draft import Draft, Statement
from assistant.review.fill_in import FillIn, Resolution, open_statements
from assistant.store import Context, Verdict
from assistant.ui.strings import Language, Text
from assistant.ui.user import read
from assistant.work.roles import ASK_ROLES

State = Literal["idle", "queued", "running", "finished", "failed", "cancelled"]


SOURCE = "ui"
"""What comes from the pages takes its turns apart from every other client."""

Signed = tuple[int | None, float | None]
"""Edit distance, and seconds from draft to acceptance, of a signed text; None if not known."""


@dataclass
class Shown:
    """One draft as the doctor sees it, with what was done to it."""

    draft_id: str
    draft: Draft
    context: Context | None = None
    resolutions: dict[str, Resolution] = field(default_factory=dict)
    verdict: Verdict | None = None
    reports: int = 0
    refused: list[Statement] = field(default_factory=list)
    filled: FillIn | None = None
    signed: Signed | None = None
    problem: str = ""

    @property
    def nothing_left(self) -> bool:
        """Whether no statement stands: none was written, or the doctor has deleted all."""
        done, offered = self.resolutions, self.draft.inserted()
        return all(
            (s.id in offered and (s.id not in done or done[s.id].action == "restored"))
            or (s.id in done and done[s.id].action == "deleted")
            for s in self.draft.all_statements()
        )

    def open(self) -> list[Statement]:
        """Unsupported statements that have not been dealt with."""
        return open_statements(self.draft.all_statements(), self.resolutions)


@dataclass
class Work:
    """One request: its patient, how far it is, and its drafts by member or section."""

    context: Context | None = None
    request_id: str = ""
    state: State = "idle"
    message: str = ""
    place: int = 0
    """Where it stands in the queue, 1 is next; 0: it does not wait behind others."""

    expected_seconds: float | None = None
    overtaken: bool = False
    """A newer run of the same context brought another record."""
    shown: dict[str, Shown] = field(default_factory=dict)
    partial: dict[str, str] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether the request is still being worked on."""
        return self.state in ("queued", "running")


@dataclass(frozen=True)
class EarlierRun:
    """One earlier run for the patient in front, and how far the doctor came with its drafts."""

    request_id: str
    created_at: datetime
    status: State
    drafts: int
    accepted: int
    signed: int
    stale: bool


@dataclass
class EarlierRuns:
    """The earlier runs of one context, newest first."""

    context: Context | None = None
    runs: list[EarlierRun] = field(default_factory=list)
    problem: str = ""


@dataclass
class PageState:
    """What a task's page holds; each has its own, a subclass with its kind of work."""

    earlier: EarlierRuns = field(default_factory=EarlierRuns)

    def works(self) -> Sequence[Work]:
        """The requests in front of the doctor."""
        return ()


StateT = TypeVar("StateT", bound=PageState)


@dataclass
class Session:
    """One open page."""

    language: Language = "zh"
    actor: Actor | None = None
    states: dict[type[PageState], PageState] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)

    def of(self, kind: type[StateT]) -> StateT:
        """What the page of this kind holds."""
        return cast(StateT, self.states.setdefault(kind, kind()))

    def contexts(self) -> list[Context]:
        """The patients of the requests in front of the doctor, each once."""
        found = (work.context for state in self.states.values() for work in state.works())
        return list(
            {(c.patient_id, c.encounter_id): c for c in found if c and c.patient_id}.values()
        )

    @property
    def text(self) -> Text:
        """The strings of the language that the page is in."""
        return Text(self.language)


def identify(session: Session, request: gr.Request) -> Actor:
    """Who made this call, as `sign_in` says; the page belongs to whoever opened it.  The call is
    bound to the patients of a session from the log-in.

    Raises `gradio.Error` when that is nobody, or when the page was opened by somebody else.
    """
    who = read(request.username)
    actor = Actor(*who, SOURCE) if who is not None else None
    if actor is None or (session.actor is not None and session.actor != actor):
        raise gr.Error(session.text("error.session"), print_exception=False)
    session.actor = actor
    return actor


def clinician(session: Session, request: gr.Request) -> Actor:
    """`identify`, for what reads or sends patients' records.

    Raises `gradio.Error` for a role that may not, as the API refuses it.
    """
    actor = identify(session, request)
    if actor.role not in ASK_ROLES:
        raise gr.Error(session.text("error.role"), print_exception=False)
    return actor
