"""Opinions on findings, kept as feedback on the report: audited, purged with the patient."""

from __future__ import annotations

import asyncio
from typing import Any

from assistant.api.context import Services
from assistant.store import StoreError
from assistant.tasks.record_qc.ui.state import Opinion, QcWork
from assistant.ui.actions import field
from assistant.ui.strings import Text

MOST = 200


async def judge(parts: Services, work: QcWork, data: dict[str, Any], t: Text) -> None:
    """Keep what the reviewer pressed; what went wrong is said on the card."""
    report = work.report
    finding = data.get("finding")
    if report is None or work.context is None or not isinstance(finding, str):
        return
    shown, draft = report
    named = next((f for f in draft.findings if f.id == finding), None)
    if named is None:
        return
    work.problem = ""
    accepted = data.get("do") == "accept"
    reason = "" if accepted else field(data, "reason").strip()
    if not accepted and not reason:
        work.problem = t("qc.reason.needed")
        return
    try:
        await asyncio.to_thread(
            parts.store.feedback.add,
            work.context,
            shown.draft_id,
            "like" if accepted else "dislike",
            section=finding,
            quote=named.kind,
            comment=reason or None,
        )
    except StoreError as error:
        work.problem = str(error)
        return
    work.opinions[finding] = Opinion("accepted" if accepted else "dismissed", reason)


async def recall(parts: Services, work: QcWork) -> None:
    """The opinions that were kept on a report that is opened again."""
    report, context = work.report, work.context
    if report is None or context is None:
        return
    rows = await asyncio.to_thread(
        parts.store.feedback.list, context, report[0].draft_id, limit=MOST
    )
    for row in rows:
        if row.section and row.verdict in ("like", "dislike") and row.section not in work.opinions:
            work.opinions[row.section] = Opinion(
                "accepted" if row.verdict == "like" else "dismissed", row.comment or ""
            )
