"""What a doctor does with a card: resolve, judge, report, fill in, sign.

The browser names the card and the statement; the draft and the patient come from the session, and
the store checks them once more.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast, get_args

from assistant.api.context import Services
from assistant.review.fill_in import Unresolved
from assistant.review.review import Review
from assistant.store import Context, StatementAction, StoreError, Verdict
from assistant.ui.session import Shown, Work
from assistant.ui.strings import Text
from assistant.work.roles import REVIEW_ROLES

MAX_TEXT = 20_000


def field(data: dict[str, Any], name: str, limit: int = MAX_TEXT) -> str:
    """A text that the card's form sent, bounded in length; empty when there is none."""
    fields = data.get("fields")
    value = fields.get(name, "") if isinstance(fields, dict) else ""
    return value[:limit] if isinstance(value, str) else ""


async def act(parts: Services, work: Work, key: str, data: dict[str, Any], t: Text) -> None:
    """Do what the card ``key`` was asked for; what went wrong is said on the card."""
    shown = work.shown.get(key)
    if shown is None or work.context is None:
        return
    shown.problem = ""
    task = parts.tasks.of_draft(shown.draft.kind)
    reviewers = task.review_roles if task is not None else REVIEW_ROLES
    if data.get("do") in ("fill", "sign") and work.context.actor_role not in reviewers:
        shown.problem = t("error.doctor")
        return
    try:
        await _act(parts, work.context, shown, data, t)
    except StoreError as error:
        shown.problem = str(error)


async def _act(
    parts: Services, context: Context, shown: Shown, data: dict[str, Any], t: Text
) -> None:
    review = Review(parts.store, context, parts.tasks)
    match data.get("do"):
        case "resolve":
            await asyncio.to_thread(_resolve, review, shown, data)
        case "verdict" if data.get("verdict") in ("like", "dislike"):
            verdict = cast(Verdict, data["verdict"])
            await asyncio.to_thread(parts.store.feedback.add, context, shown.draft_id, verdict)
            shown.verdict = verdict
        case "report":
            await asyncio.to_thread(_report, parts, context, shown, data, t)
        case "fill":
            await asyncio.to_thread(_fill, review, shown)
        case "sign" if shown.filled is not None:
            final = field(data, "final") or shown.filled.text
            row = await asyncio.to_thread(review.sign, shown.draft_id, final)
            shown.signed = (row.edit_distance, row.seconds_to_acceptance)


def _resolve(review: Review, shown: Shown, data: dict[str, Any]) -> None:
    action, statement = data.get("action"), data.get("statement")
    if action not in get_args(StatementAction) or not isinstance(statement, str):
        return
    text = field(data, "text").strip() if action == "edited" else None
    if action == "edited" and not text:
        return
    review.resolve(shown.draft_id, statement, cast(StatementAction, action), text)
    shown.resolutions = review.resolutions(shown.draft_id)
    if shown.filled is not None and shown.signed is None:
        # The text on the screen no longer says what the doctor decided.
        shown.filled = None


def _report(parts: Services, context: Context, shown: Shown, data: dict[str, Any], t: Text) -> None:
    quote = field(data, "quote").strip()
    if not quote:
        shown.problem = t("report.empty")
        return
    at = shown.draft.plain_text().find(quote)
    parts.store.feedback.add(
        context,
        shown.draft_id,
        "error",
        span=(at, at + len(quote)) if at >= 0 else None,
        quote=quote,
        comment=field(data, "comment").strip() or None,
        correction=field(data, "correction").strip() or None,
    )
    shown.reports += 1


def _fill(review: Review, shown: Shown) -> None:
    try:
        shown.filled, shown.refused = review.fill_in(shown.draft_id), []
    except Unresolved as error:
        shown.filled, shown.refused = None, error.statements
        if not error.statements:
            shown.problem = str(error)
