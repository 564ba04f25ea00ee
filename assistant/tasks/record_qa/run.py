"""A question's way: its record and what came before, the routes, the model where none takes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence

from assistant.record.encounter import Encounter
from assistant.store.models import DraftRow
from assistant.tasks.record_qa.chain import ask, timed_out
from assistant.tasks.record_qa.draft import Focus, RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.request import RecordQuestion
from assistant.tasks.record_qa.with_model import answer_with_model
from assistant.work.events import Event
from assistant.work.task import Run

TOOL_SECONDS = 20.0
"""After so long a tool is taken to hang, and the answer says so."""

MODEL_SECONDS = 90.0


async def answered(request: RecordQuestion, run: Run) -> AsyncGenerator[Event | RecordAnswer]:
    """Pieces of text where a model writes, then the answer.

    Raises `assistant.store.errors.ConversationNotFound`.
    """
    encounter, focus, turn = await asyncio.to_thread(_before, request, run)
    reading = RecordReading(encounter)
    try:
        async with asyncio.timeout(TOOL_SECONDS):
            answer = await asyncio.to_thread(ask, reading, request.question, focus)
    except TimeoutError:
        answer = timed_out(request.question)
    if answer.outcome == "not_understood" and request.use_model and answer.nearest:
        engine, chat_model = await run.resources.default_model()
        if engine is not None and chat_model is not None:
            steps = answer_with_model(reading, answer, engine, chat_model, MODEL_SECONDS)
            async with contextlib.aclosing(steps) as told:
                async for step in told:
                    if isinstance(step, RecordAnswer):
                        answer = step
                    else:
                        yield step
    answer.conversation_id, answer.turn = request.conversation_id, turn
    if request.conversation_id:
        await asyncio.to_thread(
            run.resources.conversations.update,
            run.context,
            request.conversation_id,
            first_title=request.question,
        )
    yield answer


def _before(request: RecordQuestion, run: Run) -> tuple[Encounter, Focus | None, int]:
    """The record, what the turn before was about, and the number of this turn.

    A record that comes with the question becomes that of the conversation.
    """
    if not request.conversation_id:
        if request.encounter is None:
            raise ValueError("a question without its record")
        return request.encounter, request.focus, 0
    kept = run.resources.conversations
    if request.encounter is not None:
        record = request.encounter.model_dump(mode="json")
        row = kept.update(run.context, request.conversation_id, record=record)
    else:
        row = kept.get(run.context, request.conversation_id)
    turns = kept.turns(run.context, request.conversation_id)
    return Encounter.model_validate(row.record), _focus(turns, request), len(turns) + 1


def _focus(turns: Sequence[DraftRow], request: RecordQuestion) -> Focus | None:
    """That of the answer which the question goes on from."""
    if request.focus is not None:
        return request.focus
    for row in reversed(turns):
        if request.after and row.id != request.after:
            continue
        focus = Focus.model_validate(row.content["draft"].get("focus") or {})
        if focus.kind:
            return focus
        if request.after:
            return None
    return None
