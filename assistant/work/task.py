"""What a task is: everything that the rest of the program knows of one.

A task is a folder with a subclass of `Task`, named under the entry point group ``bedside.tasks``.
It then has its route and schema, jobs with events, store, purge, audit, feedback, review, approval,
command and page.  This module stays light: what a task needs to do its work, it imports when it
does it; what belongs to a shell (page, command, routes) is named by its place and loaded there.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from assistant.draft import Draft
from assistant.review.fill_in import FillIn, NothingToFill, Resolution, kept
from assistant.work.events import Event
from assistant.work.roles import ASK_ROLES, REVIEW_ROLES

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.store import Context
    from assistant.work.resources import Resources

RequestT = TypeVar("RequestT", bound=BaseModel)
DraftT = TypeVar("DraftT", bound=Draft)


class Refused(Exception):
    """A request that the task cannot take; the message tells the caller why."""


@dataclass(frozen=True, slots=True)
class Title:
    """A name in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A request as it is kept: ``payload`` is the task's request as JSON, ``options`` what may
    differ between two requests about the same record."""

    patient_id: str
    encounter_id: str
    payload: dict[str, Any]
    record_hash: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """What the work is given beside its request.

    ``kept`` are the drafts that this request has already, from before a stop or from `Task.prepare`
    (``prepared``: what that told is still told); they are not made again.
    """

    context: Context
    options: Mapping[str, Any]
    kept: Sequence[Draft]
    resources: Resources
    prepared: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the shell.  ``place`` is ``module:function``; ``help`` its first line."""

    name: str
    place: str
    help: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class PromptUse:
    """A template that the task gives to an engine.

    ``sha256`` is what it is, where it does not lie in the package ``prompts``.  A draft's
    ``prompt_version`` is ``task/name@`` and something of it.
    """

    engine: str
    task: str
    name: str
    sha256: str = ""


class NoExtras(BaseModel):
    """Nothing beside the drafts."""


class Task(ABC, Generic[RequestT, DraftT]):
    """One kind of work.  What stands here is what it is where a task says nothing else."""

    kind: ClassVar[str]
    """What its requests and drafts are kept under; never change it."""

    title: ClassVar[Title]
    path: ClassVar[str]
    """Its route: ``/v1/<path>``."""

    request: type[RequestT]
    draft: type[DraftT]
    """With a literal ``kind`` of its own."""

    order: ClassVar[int] = 100
    """Where its page and routes stand; equal ones by kind."""

    # What is asked
    body: type[BaseModel] | None = None
    """What is posted, where that is not the request itself."""

    examples: ClassVar[Mapping[str, Any]] = {}
    """Bodies, by what they show, for the documentation."""

    waits: ClassVar[bool] = False
    """Whether a POST waits for the end unless it says otherwise."""

    ask_roles: ClassVar[frozenset[str]] = ASK_ROLES
    review_roles: ClassVar[frozenset[str]] = REVIEW_ROLES
    bound: ClassVar[bool] = True
    """Whether the request is the record itself, so that a changed one makes older drafts stale."""

    # How it is done
    needs_model: ClassVar[bool] = True
    """Work that needs none does not queue behind work that does."""

    needs_knowledge: ClassVar[bool] = False
    """Without a knowledge base nothing is accepted."""

    events: ClassVar[tuple[type[Event], ...]] = ()
    """What it tells beside the events of every job."""

    # What becomes of it
    reviewed: ClassVar[bool] = True
    """Whether a draft has statements to resolve and can be filled in."""

    released: ClassVar[bool] = False
    """Whether its results, which are for research, can be filled in while a named administrator has
    switched that on (`assistant.store.releases`); until then they cannot."""

    listed: type[Draft] | None = None
    """A base of ``draft`` with the fields that a job lists, where the job gives the rest itself."""

    extras: type[BaseModel] = NoExtras
    """What a job gives beside its drafts, see `more`; every field has a default."""

    # Where its shells' parts are: ``module:name``, empty for none
    page: ClassVar[str] = ""
    """A `assistant.ui.frame.TaskPage`."""

    command: ClassVar[Command | None] = None
    routes: ClassVar[str] = ""
    """A function that adds routes of the task's own to its router."""

    checks: ClassVar[str] = ""
    """A function from the settings to what ``bedside doctor`` says of the task."""

    joins: ClassVar[str] = ""
    """A function of (payload, context, store) that gives the payload of any task's request with
    what this task knows of the patient; the same object where it knows nothing."""

    outcome: ClassVar[str] = ""
    """A function of (request, draft, context, resources) that gives what goes out to other
    systems: an `assistant.imaging.out.structure.Result`."""

    at_save: ClassVar[str] = ""
    """A function of (encounter, id of the note, data directory) that says what is wrong with a note
    as it is saved: a list of `assistant.alerts.alert.Alert`.  It runs in a process of its own, with
    neither model nor knowledge base."""

    evaluation: ClassVar[str] = ""
    """The command that measures it, as in ``bedside eval discharge``."""

    tool: ClassVar[str] = ""
    """What it does, for a language model that may call it; empty: none may."""

    @abstractmethod
    def run(self, request: RequestT, run: Run) -> AsyncIterator[Event | DraftT]:
        """Do the work.  A draft that is given is kept in the store before it is told."""

    async def prepare(self, request: RequestT, run: Run) -> AsyncIterator[Event | DraftT]:
        """What needs no model and is told at once, while the rest waits for its turn."""
        nothing: tuple[Event | DraftT, ...] = ()
        for step in nothing:
            yield step

    @property
    def prepares(self) -> bool:
        """Whether something comes at once."""
        return self.needs_model and type(self).prepare is not Task.prepare

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The request that ``body`` (of the type `posted`) makes.

        Raises `Refused`.
        """
        payload = body.model_dump(mode="json")
        return Submission(
            getattr(body, "patient_id", None) or "",
            getattr(body, "encounter_id", None) or "",
            payload,
            digest(payload),
        )

    @property
    def posted(self) -> type[BaseModel]:
        """What is posted."""
        return self.body or self.request

    def max_bytes(self, settings: Settings) -> int:
        """The size of a body."""
        return settings.max_request_bytes

    def prompts(self, settings: Settings) -> Sequence[PromptUse]:
        """The templates that it gives to engines: an approval is for these."""
        return ()

    def guidance(self) -> Any:
        """What it adds to its templates from its own data, which an approval is for as well."""
        return None

    def engine_of(self, draft: DraftT, settings: Settings) -> str:
        """The engine that wrote a draft."""
        return settings.default_engine

    def fill_in(
        self,
        draft: DraftT,
        resolutions: Mapping[str, Resolution],
        request: Callable[[], RequestT | None],
    ) -> FillIn:
        """The text for the record, when no unsupported statement is open any more.

        ``request`` reads the request, which notes the reading.  Raises `NothingToFill`.
        """
        if self.released:
            text = draft.plain_text()
        else:
            text = "\n".join(kept(draft.all_statements(), resolutions))
        if not text.strip():
            raise NothingToFill
        return FillIn(text=text, fields={self.kind: text})

    def more(self, request: RequestT, drafts: Sequence[DraftT]) -> BaseModel:
        """What a job gives beside its drafts, of the type ``extras``."""
        return self.extras()

    def position(self, draft: DraftT) -> int:
        """Where a draft stands among those of its request; equal ones in the order they came."""
        return 0

    def as_tool(self) -> dict[str, Any] | None:
        """The function that a language model may call, as OpenAI's API describes one."""
        if not self.tool:
            return None
        function = {
            "name": self.kind,
            "description": self.tool,
            "parameters": self.posted.model_json_schema(),
        }
        return {"type": "function", "function": function}


AnyTask = Task[Any, Any]


def digest(payload: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over canonical JSON: what a record is told from another by."""
    body = json.dumps(payload, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()


def load(place: str) -> Any:
    """What stands at ``module:name``."""
    return resolve_name(place)
