"""What one open page holds on the server: who looks at it, and the work in front of them.

Ids of requests and drafts stay here; the browser sends only the name of the card that was touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import gradio as gr

from assistant.api.context import Actor
from assistant.draft import DifferentialDraft, DischargeHeader, Statement
from assistant.record.record import Case, Encounter, Note
from assistant.review.fill_in import Draft, FillIn, Resolution, open_statements, statements_of
from assistant.roles import CLINICAL_ROLES
from assistant.store import Context, Verdict
from assistant.tasks.structuring.chain import NotesToStructure, StructuredNotes
from assistant.ui.strings import Language, Text
from assistant.ui.structured.upload import Upload
from knowledge.text.finding import Finding

State = Literal["idle", "queued", "running", "finished", "failed", "cancelled"]


Signed = tuple[int | None, float | None]
"""Edit distance, and seconds from draft to acceptance, of a signed text; None if not known."""


@dataclass
class Shown:
    """One draft as the doctor sees it, with what was done to it."""

    draft_id: str
    draft: Draft
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
        done = self.resolutions
        return all(
            s.id in done and done[s.id].action == "deleted" for s in statements_of(self.draft)
        )

    def open(self) -> list[Statement]:
        """Unsupported statements that have not been dealt with."""
        return open_statements(statements_of(self.draft), self.resolutions)


@dataclass
class Work:
    """One request: its patient, how far it is, and its drafts by member or section."""

    context: Context | None = None
    request_id: str = ""
    state: State = "idle"
    message: str = ""
    overtaken: bool = False
    """A newer run of the same context brought another record."""
    shown: dict[str, Shown] = field(default_factory=dict)
    partial: dict[str, str] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether the request is still being worked on."""
        return self.state in ("queued", "running")


@dataclass
class CaseWork(Work):
    """A differential diagnosis."""

    case: Case | None = None
    stale: bool = False
    filled_by: str = ""

    @property
    def findings(self) -> list[Finding]:
        """What was found in the case, as the first answer has it."""
        answers = (s.draft for s in self.shown.values() if isinstance(s.draft, DifferentialDraft))
        return next((answer.findings for answer in answers if answer.findings), [])


@dataclass
class StayWork(Work):
    """A discharge record."""

    encounter: Encounter | None = None
    header: DischargeHeader | None = None

    def notes(self) -> list[Note]:
        """The notes of the encounter, those made of its tables included."""
        return self.encounter.all_notes() if self.encounter else []


@dataclass
class NotesWork(Work):
    """Notes to structure, and what they came to."""

    request: NotesToStructure | None = None
    result: StructuredNotes | None = None


@dataclass
class Turn(Work):
    """One question to the knowledge base, with the passages that were found."""

    question: str = ""
    passages: list[dict[str, str]] = field(default_factory=list)


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
class Session:
    """One open page."""

    language: Language = "zh"
    actor: Actor | None = None
    case: CaseWork = field(default_factory=CaseWork)
    stay: StayWork = field(default_factory=StayWork)
    notes: NotesWork = field(default_factory=NotesWork)
    uploads: list[Upload] = field(default_factory=list)
    refused_files: list[str] = field(default_factory=list)
    sample_notes: str = ""
    """The stay whose notes were taken last."""

    earlier_cases: EarlierRuns = field(default_factory=EarlierRuns)
    earlier_stays: EarlierRuns = field(default_factory=EarlierRuns)
    earlier_notes: EarlierRuns = field(default_factory=EarlierRuns)
    turns: list[Turn] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    example: str = ""
    """The example case that the form was filled with last."""

    @property
    def text(self) -> Text:
        """The strings of the language that the page is in."""
        return Text(self.language)


def identify(session: Session, request: gr.Request) -> Actor:
    """Who made this call, as `sign_in` says; the page belongs to whoever opened it.

    Raises `gradio.Error` when that is nobody, or when the page was opened by somebody else.
    """
    role, _, actor_id = (request.username or "").partition(":")
    actor = Actor(actor_id, role) if actor_id else None
    if actor is None or (session.actor is not None and session.actor != actor):
        raise gr.Error(session.text("error.session"), print_exception=False)
    session.actor = actor
    return actor


def clinician(session: Session, request: gr.Request) -> Actor:
    """`identify`, for what reads or sends patients' records.

    Raises `gradio.Error` for a role that may not, as the API refuses it.
    """
    actor = identify(session, request)
    if actor.role not in CLINICAL_ROLES | {"system"}:
        raise gr.Error(session.text("error.role"), print_exception=False)
    return actor
