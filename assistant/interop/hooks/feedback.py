"""What clients tell of the cards: kept with the card, and as feedback on its draft."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from assistant.interop.hooks.message import CardFeedback
from assistant.store import CardNotFound, Context, Store, StoreError
from assistant.store.models.card import CardRow
from assistant.store.models.feedback import Verdict

logger = logging.getLogger("bedside.assistant.hooks")


def keep(store: Store, application: str, service_id: str, told: Sequence[CardFeedback]) -> int:
    """Keep what became of cards of a service; gives how many were known.  Blocks on the store."""
    context = Context(application, "system", "")
    known = 0
    for one in told:
        reason = one.overrideReason
        code = reason.reason.code[:64] if reason and reason.reason else ""
        comment = (reason.userComment or "") if reason else ""
        try:
            row = store.cards.answer(
                context,
                one.card,
                one.outcome,
                service=service_id,
                reason=code,
                comment=comment,
                suggestions=[accepted.id for accepted in one.acceptedSuggestions],
                application=application,
            )
        except CardNotFound:
            continue
        known += 1
        _opinion(store, row, comment)
    return known


def _opinion(store: Store, row: CardRow, comment: str) -> None:
    """On a draft the answer is an opinion as well."""
    if row.draft_id is None:
        return
    verdict: Verdict = "like" if row.outcome == "accepted" else "dislike"
    context = Context(row.actor_id, "doctor", row.patient_id, row.encounter_id)
    try:
        store.feedback.add(context, row.draft_id, verdict, comment=comment or None)
    except StoreError as error:
        logger.warning("an opinion on a draft was not kept: %s", type(error).__name__)
