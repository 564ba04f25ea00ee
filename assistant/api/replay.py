"""The answer to a POST that comes again under its Idempotency-Key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter

from assistant.store import Context, Store, content_hash

Answer = TypeVar("Answer")


def replayed(
    store: Store,
    context: Context,
    key: str | None,
    route: str,
    body: Any,
    kind: TypeAdapter[Answer],
    work: Callable[[], Answer],
) -> Answer:
    """What ``work`` gives, or what it gave the first time under this key.  Blocks on the store.

    The body counts with the patient and encounter: under another context a key is not replayed.

    Raises `IdempotencyConflict`, `IdempotencyInProgress`, and what ``work`` raises; a work that
    raised may be tried again under the same key.
    """
    if key is None:
        return work()
    asked = content_hash([context.patient_id, context.encounter_id, body])
    kept = store.idempotency.begin(context.actor_id, key, route, asked, context.patient_id)
    if kept is not None:
        store.audit.record(context, "answer.read", "idempotency", key)
        return kind.validate_json(kept.body)
    try:
        answer = work()
    except BaseException:
        store.idempotency.abandon(context.actor_id, key)
        raise
    store.idempotency.complete(context.actor_id, key, 200, kind.dump_json(answer).decode())
    return answer
