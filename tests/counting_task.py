"""A task over an encounter that needs no model: two drafts, a moment apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import BaseModel

from assistant.draft import Draft
from assistant.record.encounter import Encounter
from assistant.work.events import Event
from assistant.work.task import Run, Submission, Task, Title


class Asked(BaseModel):
    """An encounter."""

    encounter: Encounter


class Count(Draft):
    """How many notes or diagnoses there are."""

    kind: Literal["count"] = "count"
    what: str
    number: int

    def place(self) -> tuple[str, str]:
        return "", self.what

    def key(self) -> str:
        return self.what

    def plain_text(self) -> str:
        return f"{self.what}：{self.number}"


class Counting(Task[Encounter, Count]):
    """Counts notes, then diagnoses."""

    kind = "counting"
    title = Title("计数", "Counting")
    path = "counting"
    request = Encounter
    draft = Count
    body = Asked
    needs_model = False
    reviewed = False

    def accept(self, body: Asked, settings: object) -> Submission:
        encounter = body.encounter
        return Submission(
            encounter.patient.id,
            encounter.id,
            encounter.model_dump(mode="json"),
            encounter.record_hash(),
        )

    async def run(self, request: Encounter, run: Run) -> AsyncIterator[Event | Count]:
        done = {draft.key() for draft in run.kept}
        for what, number in (("notes", len(request.notes)), ("diagnoses", len(request.diagnoses))):
            if what not in done:
                yield Count(what=what, number=number)
                await asyncio.sleep(0.02)
