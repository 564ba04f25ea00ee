"""The conversations of the stay in front: found, begun, opened again, deleted."""

from __future__ import annotations

import asyncio

from assistant.api.context import Services
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.ui.state import AskState, AskTurn
from assistant.ui.session import Shown


async def look_up(parts: Services, state: AskState) -> None:
    """The conversations of this stay that the search words find."""
    if state.context is None:
        return
    found = parts.store.conversations.found
    state.conversations = list(await asyncio.to_thread(found, state.context, state.words))


async def ensure(parts: Services, state: AskState) -> None:
    """Begin a conversation where none is open."""
    if state.conversation_id or state.context is None or state.encounter is None:
        return
    record = state.encounter.model_dump(mode="json")
    kept = parts.store.conversations
    row = await asyncio.to_thread(kept.begin, state.context, record)
    state.conversation_id = row.id


async def open_again(parts: Services, state: AskState, conversation_id: str) -> None:
    """Its turns, the newest first.  Raises `assistant.store.errors.ConversationNotFound`."""
    context = state.context
    if context is None:
        return
    rows = await asyncio.to_thread(parts.store.conversations.turns, context, conversation_id)
    state.conversation_id, state.turns = conversation_id, []
    for row in reversed(rows):
        draft = parts.tasks.draft(row.content["draft"])
        if isinstance(draft, RecordAnswer):
            turn = AskTurn(context, row.request_id, "finished", question=draft.question)
            turn.shown[draft.key()] = Shown(row.id, draft, context)
            state.turns.append(turn)


async def forget(parts: Services, state: AskState, conversation_id: str) -> None:
    """Delete it with its turns.  Raises `assistant.store.errors.ConversationNotFound`."""
    if state.context is None:
        return
    await asyncio.to_thread(parts.store.conversations.delete, state.context, conversation_id)
    if state.conversation_id == conversation_id:
        state.conversation_id, state.turns = "", []
