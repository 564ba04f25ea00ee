"""What the API gives of drafts, jobs and events: typed by the tasks, so that OpenAPI names each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH, Draft
from assistant.store import DraftRow
from assistant.store.models.request import RequestStatus
from assistant.work.events import COMMON
from assistant.work.registry import Registry, draft_kind
from assistant.work.task import AnyTask


class Links(BaseModel):
    """Where to go from here."""

    self: str
    events: str


class Job(BaseModel):
    """An accepted request and how far it is; the drafts come as they are ready."""

    id: str
    kind: str
    status: RequestStatus
    place: int | None = Field(
        default=None, description="Where it stands in the queue, 1 is next; None: it does not wait."
    )
    expected_seconds: float | None = Field(
        default=None, description="When its turn comes, from how long such work took of late."
    )
    patient_id: str
    encounter_id: str
    record_hash: str
    created_at: datetime
    ended_at: datetime | None = None
    message: str = Field(default="", description="Why it failed.")
    links: Links
    notice: str = DISCLAIMER_ZH
    notice_en: str = DISCLAIMER_EN


class DraftState(BaseModel):
    """A kept draft: whose it is, and what was done with it."""

    id: str
    request_id: str
    patient_id: str
    encounter_id: str
    record_hash: str
    stale: bool
    created_at: datetime
    accepted_at: datetime | None
    signed_at: datetime | None
    seconds_to_acceptance: float | None
    edit_distance: int | None


class OtherDraftShown(DraftState):
    """A draft of a task that is not installed any more; its fields as they were kept."""

    model_config = ConfigDict(extra="allow")

    kind: str = ""


def shown_type(draft: type[Draft]) -> type[BaseModel]:
    """A draft of this type as the API shows it."""
    return _shown_type(draft)


@cache
def _shown_type(draft: Any) -> type[BaseModel]:
    bases: Any = (DraftState, draft)
    made: type[BaseModel] = create_model(f"{draft.__name__}Shown", __base__=bases)
    made.__doc__ = draft.__doc__
    return made


def any_draft(tasks: Registry) -> Any:
    """The union of all drafts, told apart by ``kind``, and what no task can read any more."""
    types = [shown_type(task.draft) for task in tasks]
    if not types:
        return OtherDraftShown
    return _told_apart(types) | OtherDraftShown


def _told_apart(types: list[type[BaseModel]]) -> Any:
    if len(types) == 1:
        return types[0]
    return Annotated[_union(types), Field(discriminator="kind")]


def _union(types: Iterable[Any]) -> Any:
    return reduce(or_, types)


class Shapes:
    """The types of one application."""

    def __init__(self, tasks: Registry) -> None:
        self._tasks = tasks
        self.draft = any_draft(tasks)
        self.draft_adapter: TypeAdapter[Any] = TypeAdapter(self.draft)

    def shown(self, row: DraftRow) -> BaseModel:
        """A kept draft; one that its task cannot read any more, as it was kept."""
        task = self._tasks.of_draft(str(row.content["draft"].get("kind", "")))
        return _shown(row, shown_type(task.draft) if task is not None else OtherDraftShown)


def listed(row: DraftRow, task: AnyTask) -> BaseModel:
    """A kept draft as a job of its task lists it."""
    return _shown(row, shown_type(task.listed or task.draft))


def _shown(row: DraftRow, kind: type[BaseModel]) -> BaseModel:
    state = {
        "id": row.id,
        "request_id": row.request_id,
        "patient_id": row.patient_id,
        "encounter_id": row.encounter_id,
        "record_hash": row.record_hash,
        "stale": row.stale_at is not None,
        "created_at": row.created_at,
        "accepted_at": row.accepted_at,
        "signed_at": row.signed_at,
        "seconds_to_acceptance": row.seconds_to_acceptance,
        "edit_distance": row.edit_distance,
    }
    try:
        return kind.model_validate({**row.content["draft"], **state})
    except ValidationError:
        return OtherDraftShown.model_validate({**row.content["draft"], **state})


@cache
def job_type(task: AnyTask) -> type[BaseModel]:
    """A job of this task: its drafts, and what the task gives beside them."""
    bases: Any = (Job, task.extras)
    several: Any = list
    drafts: Any = several[_union([shown_type(task.listed or task.draft), OtherDraftShown])]
    kind: Any = Literal[task.kind]
    made: type[BaseModel] = create_model(
        f"{type(task).__name__}Job",
        __base__=bases,
        kind=(kind, task.kind),
        drafts=(drafts, Field(default_factory=list)),
    )
    made.__doc__ = Job.__doc__
    return made


@cache
def event_type(task: AnyTask) -> Any:
    """The data of every event that a job of this task may tell."""
    base: Any = task.draft
    draft = create_model(f"{base.__name__}Event", __base__=base, id=(str, ...))
    draft.__doc__ = f"`draft`: {draft_kind(task)}, kept under this id."
    return _union([*COMMON, *task.events, draft])
