"""One draft as numbers: what a floor, a week's figures and drift are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.draft import Draft
from assistant.monitoring.settings import FigureName
from assistant.store.monitored import MonitoredDraft
from assistant.work.registry import Registry

SETTLED = timedelta(hours=24)
"""A draft that somebody looked at and that nobody took within so long is rejected."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One draft.  ``figures``: 0 to 1 each; a figure that it does not have is not among them.

    ``findings`` are concepts of the input where the draft says them, ``problems`` what the checker
    found in the output.
    """

    id: str
    task: str
    model: str
    created_at: datetime
    approved: bool
    figures: dict[FigureName, float]
    input_length: int
    department: str
    findings: tuple[str, ...]
    output_length: int
    statements: int
    problems: tuple[str, ...]
    draft: Draft


def measure(row: MonitoredDraft, tasks: Registry, now: datetime) -> Measured:
    """The numbers of a kept draft at the time ``now``."""
    draft = tasks.draft(row.content["draft"])
    statements = draft.all_statements()
    figures: dict[FigureName, float] = {}
    written = [s for s in statements if s.id not in draft.inserted()]
    if written:
        bad = sum(s.status == "unsupported" for s in written)
        figures["unsupported_share"] = bad / len(written)
    if type(draft).inserted is not Draft.inserted:
        figures["omission_share"] = float(bool(draft.inserted()))
    if row.signed and row.edit_distance is not None and row.text_length:
        figures["edit_share"] = min(1.0, row.edit_distance / row.text_length)
    figures |= _dealt_with(row, len(statements), now)
    findings = [f for f in getattr(draft, "findings", ()) if f.counts_for]
    return Measured(
        id=row.id,
        task=row.kind,
        model=row.model,
        created_at=row.created_at,
        approved=bool(getattr(draft, "approved", False)),
        figures=figures,
        input_length=row.input_length,
        department=row.department,
        findings=tuple(sorted({f.concept for f in findings})),
        output_length=len(str(row.content.get("text") or "")),
        statements=len(statements),
        problems=tuple(problem.kind for s in statements for problem in s.problems),
        draft=draft,
    )


def _dealt_with(row: MonitoredDraft, statements: int, now: datetime) -> dict[FigureName, float]:
    """What people did with it; nothing of a draft that nobody has looked at."""
    taken = row.accepted or row.signed
    if not (taken or row.opened_at or row.actions or row.verdicts):
        return {}
    found: dict[FigureName, float] = {
        "disliked": float("dislike" in row.verdicts),
        "reported": float("error" in row.verdicts),
    }
    if taken or (row.opened_at is not None and now - row.opened_at >= SETTLED):
        found["rejected"] = float(not taken)
    if statements and (taken or row.actions):
        deleted = sum(action == "deleted" for action in row.actions.values())
        found["deleted_share"] = min(1.0, deleted / statements)
    return found
