"""Does the work of accepted requests: the task's steps, each draft kept before it is told.

A request that runs again after a kill keeps the drafts that it already has.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from pydantic import BaseModel

from assistant.approval.status import ApprovalStatus
from assistant.draft import Draft, ModelDraft
from assistant.record.page_boxes import add_boxes
from assistant.store import Context, DraftRow, InvalidArgument, RequestRow, Store
from assistant.work.assignment import assigned, department_of
from assistant.work.events import DraftReady, Event
from assistant.work.registry import Registry
from assistant.work.resources import Resources
from assistant.work.task import AnyTask, Run, load


class Performer:
    """Runs the tasks over the resources and the store."""

    def __init__(
        self, tasks: Registry, store: Store, resources: Resources, approvals: ApprovalStatus
    ) -> None:
        self.tasks = tasks
        self._store = store
        self._resources = resources
        self._approvals = approvals

    def task(self, kind: str) -> AnyTask:
        """The task of a request.  Raises `InvalidArgument` where it is not installed."""
        task = self.tasks.get(kind)
        if task is None:
            raise InvalidArgument("没有这种任务。(This kind of request is not known.)")
        return task

    def bound(self, kind: str) -> bool:
        """Whether such a request is the record itself.  Raises `InvalidArgument` for no kind."""
        return self.task(kind).bound

    def needs_model(self, kind: str) -> bool:
        """Whether such a request waits for a model's place."""
        task = self.tasks.get(kind)
        return task is None or task.needs_model

    def prepares(self, kind: str) -> bool:
        """Whether something of it comes at once."""
        task = self.tasks.get(kind)
        return task is not None and task.prepares

    def joined(self, context: Context, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload of a request with what the tasks know of its patient (`Task.joins`)."""
        for task in self.tasks:
            if task.joins:
                payload = load(task.joins)(payload, context, self._store)
        return payload

    def draft(self, row: DraftRow) -> Draft:
        """A kept draft, typed."""
        return self.tasks.draft(row.content["draft"])

    async def prepare(self, row: RequestRow) -> AsyncGenerator[Event]:
        """What comes at once, while the request waits for its turn."""
        task = self.task(row.kind)
        run = Run(row.context, row.options, [], self._of(row))
        steps = self._kept(row, task, task.prepare(_read(task, row), run))
        async with contextlib.aclosing(steps) as told:
            async for event in told:
                yield event

    async def perform(self, row: RequestRow, *, prepared: bool = False) -> AsyncGenerator[Event]:
        """The steps of one accepted request; raises what the task and its engines raise.

        ``prepared``: what `prepare` gives was told to whoever listens.
        """
        task = self.task(row.kind)
        rows = await asyncio.to_thread(self._store.drafts.list, row.context, row.id, limit=500)
        made: Sequence[Draft] = [self.draft(kept) for kept in reversed(rows)]
        for kept, draft in zip(reversed(rows), made, strict=True):
            yield DraftReady(id=kept.id, draft=draft)
        run = Run(row.context, row.options, made, self._of(row), prepared)
        steps = self._kept(row, task, task.run(_read(task, row), run))
        async with contextlib.aclosing(steps) as told:
            async for event in told:
                yield event

    async def _kept(
        self, row: RequestRow, task: AnyTask, steps: AsyncIterator[Event | Draft]
    ) -> AsyncGenerator[Event]:
        async with contextlib.aclosing(steps) as told:  # type: ignore[type-var]
            async for step in told:
                yield await self._keep(row, task, step) if isinstance(step, Draft) else step

    async def _keep(self, row: RequestRow, task: AnyTask, draft: Draft) -> Event:
        await self._mark(task, draft, row)
        request = _read(task, row)
        record = getattr(request, "encounter", None) or request
        add_boxes(draft, getattr(record, "observations", []))
        member, section = draft.place()
        version = draft.knowledge_version
        if not version and task.needs_knowledge:
            version = self._resources.knowledge.version
        kept = await asyncio.to_thread(
            self._store.drafts.add,
            row.context,
            row.id,
            row.kind,
            member,
            section,
            {"text": draft.plain_text(), "draft": draft.model_dump(mode="json")},
            record_hash=row.record_hash,
            model=draft.model,
            prompt_version=draft.prompt_version,
            knowledge_version=version,
        )
        return DraftReady(id=kept.id, draft=self.draft(kept))

    def _of(self, row: RequestRow) -> Resources:
        """What the work is done with: with the engine that its task and department have."""
        department = department_of(row.payload)
        return self._resources.of(assigned(self._resources.settings, row.kind, department))

    async def _mark(self, task: AnyTask, draft: Draft, row: RequestRow) -> None:
        """Say on the draft whether what wrote it was approved."""
        if not isinstance(draft, ModelDraft) or not draft.model:
            return
        await self._approvals.refresh()
        engine = task.engine_of(draft, self._of(row).settings)
        draft.approved = self._approvals.approved(engine, draft.prompt_version)
        draft.demo_only = not draft.approved


def _read(task: AnyTask, row: RequestRow) -> BaseModel:
    request: BaseModel = task.request.model_validate(row.payload)
    return request
