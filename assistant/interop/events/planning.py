"""An event and the rules → the requests that are wanted of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ValidationError

from assistant.interop.events.event import RecordEvent
from assistant.interop.events.rule import EventRule
from assistant.record.encounter import Encounter
from assistant.settings import Settings
from assistant.store.record_events import Plan
from assistant.work.registry import Registry
from assistant.work.task import AnyTask, Refused

_FIRST = ("admission", "first_progress")
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Skipped:
    """A task that a rule names and that is not begun, and why."""

    rule: str
    kind: str
    reason: str


def plans(
    event: RecordEvent,
    rules: Sequence[EventRule],
    tasks: Registry,
    settings: Settings,
    now: datetime,
    *,
    has_knowledge: bool = True,
) -> tuple[list[Plan], list[Skipped]]:
    """The requests that the rules want, and what is skipped."""
    found: list[Plan] = []
    skipped: list[Skipped] = []
    for rule in (rule for rule in rules if rule.applies(event)):
        for kind in rule.tasks:
            task = tasks.get(kind)
            if task is None:
                skipped.append(Skipped(rule.id, kind, "没有这种任务。(No such task.)"))
            elif task.needs_knowledge and not has_knowledge:
                skipped.append(Skipped(rule.id, kind, "没有知识库。(No knowledge base.)"))
            else:
                try:
                    asked = task.accept(body_of(task, event.encounter), settings)
                except (Refused, ValidationError) as error:
                    reason = str(error) if isinstance(error, Refused) else _INVALID
                    skipped.append(Skipped(rule.id, kind, reason))
                    continue
                found.append(
                    Plan(
                        rule.id,
                        kind,
                        asked.payload,
                        asked.record_hash,
                        rule.due_at(now),
                        {**asked.options, **rule.options},
                        task.bound,
                    )
                )
    return found, skipped


_INVALID = "病历不符合该任务的要求。(The record does not fit the task.)"


def body_of(task: AnyTask, encounter: Encounter) -> BaseModel:
    """What is posted to a task, made of an encounter.  Raises `Refused`, `ValidationError`."""
    posted: type[BaseModel] = task.posted
    fields = posted.model_fields.keys()
    if "encounter" in fields:
        return posted.model_validate({"encounter": encounter.model_dump(mode="json")})
    if fields >= {"patient", "encounter_id", "text"}:
        return posted.model_validate(
            {
                "patient": encounter.patient.model_dump(mode="json"),
                "encounter_id": encounter.id,
                "text": _first_notes(encounter)[:_MOST],
            }
        )
    if issubclass(posted, Encounter):
        return posted.model_validate(encounter.model_dump(mode="json"))
    raise Refused("该任务不能由病历事件启动。(This task cannot be started by an event.)")


def _first_notes(encounter: Encounter) -> str:
    """What a differential diagnosis starts from: the first notes, else all."""
    notes = [note for note in encounter.all_notes() if note.kind != "structured"]
    first = [note for note in notes if note.kind in _FIRST] or notes
    return "\n".join(note.text for note in first if note.text.strip())
