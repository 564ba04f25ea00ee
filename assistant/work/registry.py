"""The tasks that are installed, found by the entry point group ``bedside.tasks``.

One that cannot be loaded is named in the log and by ``bedside doctor``; the others serve.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ConfigDict, ValidationError

from assistant.draft import Draft
from assistant.work.task import AnyTask, Task

GROUP = "bedside.tasks"
logger = logging.getLogger("bedside.assistant.tasks")


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry point that brings no task, and why."""

    name: str
    place: str
    problem: str


class OtherDraft(Draft):
    """A draft of a task that is not installed any more, or from before its fields changed."""

    model_config = ConfigDict(extra="allow")

    kind: str = ""


class Registry:
    """The tasks in their order: by `Task.order`, then by kind."""

    def __init__(self, tasks: Iterable[AnyTask], broken: Sequence[Broken] = ()) -> None:
        ordered = sorted(tasks, key=lambda task: (task.order, task.kind))
        self._tasks = {task.kind: task for task in ordered}
        self._by_draft = {draft_kind(task): task for task in ordered}
        self.broken = tuple(broken)

    @classmethod
    def of(cls, points: Iterable[EntryPoint]) -> Registry:
        """The tasks that these entry points name."""
        tasks: list[AnyTask] = []
        broken: list[Broken] = []
        for point in sorted(points, key=lambda p: (p.name, p.value)):
            try:
                tasks.append(_new(_loaded(point), tasks))
            except Exception as error:
                why = str(error) if isinstance(error, TypeError) else type(error).__name__
                logger.error("task %s (%s) is left out: %s", point.name, point.value, why)
                broken.append(Broken(point.name, point.value, why))
        return cls(tasks, broken)

    def __iter__(self) -> Iterator[AnyTask]:
        return iter(self._tasks.values())

    def __contains__(self, kind: object) -> bool:
        return kind in self._tasks

    def __getitem__(self, kind: str) -> AnyTask:
        """The task of this kind.  Raises `KeyError`."""
        return self._tasks[kind]

    def get(self, kind: str) -> AnyTask | None:
        """The task of this kind; None where it is not installed."""
        return self._tasks.get(kind)

    def of_draft(self, kind: str) -> AnyTask | None:
        """The task whose drafts have this kind."""
        return self._by_draft.get(kind)

    def draft(self, content: Mapping[str, Any]) -> Draft:
        """A draft as it was kept, typed; an `OtherDraft` where its task cannot read it."""
        task = self.of_draft(str(content.get("kind", "")))
        if task is not None:
            try:
                read: Draft = task.draft.model_validate(content)
                return read
            except ValidationError as error:
                logger.error("a kept %s has %d faults", task.kind, error.error_count())
        return OtherDraft.model_validate(content)


def draft_kind(task: AnyTask) -> str:
    """The literal ``kind`` of a task's drafts."""
    default = task.draft.model_fields["kind"].default
    if not isinstance(default, str):
        raise TypeError(f"the draft of {task.kind} has no literal kind with a default")
    return default


def _loaded(point: EntryPoint) -> AnyTask:
    found = point.load()
    made = found() if isinstance(found, type) else found
    if not isinstance(made, Task):
        raise TypeError("it is no Task")
    return made


def _new(task: AnyTask, others: Sequence[AnyTask]) -> AnyTask:
    """The task, if nothing of its name is there already."""
    for other in others:
        for mine, theirs in (
            (task.kind, other.kind),
            (task.path, other.path),
            (draft_kind(task), draft_kind(other)),
        ):
            if mine == theirs:
                raise TypeError(f"another task has {mine!r} already")
    draft_kind(task)
    return task


@cache
def installed() -> Registry:
    """The tasks of this installation."""
    return Registry.of(entry_points(group=GROUP))
