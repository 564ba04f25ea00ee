"""How much it is used: counts over stays, drafts, opinions and alerts; nothing of a patient.

A stay is *eligible* where the hospital told of it (an event, a message) or somebody asked for
something in it; it *used* the assistant where a draft of it was filled in or signed.  Counts are
of what the store still has: what was purged is not counted any more, but for answers to alerts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import JSON, Select, func, select, type_coerce
from sqlalchemy.orm import Session

from assistant.record.fields import local_time
from assistant.store.database import Database
from assistant.store.models.card import CardRow
from assistant.store.models.draft import DraftRow, ResolutionRow
from assistant.store.models.feedback import FeedbackRow
from assistant.store.models.message import MessageRow
from assistant.store.models.record_event import RecordEventRow
from assistant.store.models.request import RequestRow

Stay = tuple[str, str]
Query = TypeVar("Query", bound="Select[*tuple[Any, ...]]")


@dataclass(slots=True)
class AdoptionRow:
    """Drafts of one month, department, task and model, and what became of them."""

    month: str
    department: str
    task: str
    model: str
    drafts: int = 0
    opened: int = 0
    filled_in: int = 0
    edited: int = 0
    signed: int = 0
    liked: int = 0
    disliked: int = 0
    reported: int = 0


@dataclass(slots=True)
class StayRow:
    """Eligible stays of one month and department, and those that used it."""

    month: str
    department: str
    eligible: int = 0
    used: int = 0


@dataclass(slots=True)
class AlertRow:
    """Alerts of one month, and how they were answered."""

    month: str
    shown: int = 0
    accepted: int = 0
    overridden: int = 0


IN_WORDS, NO_REASON = "in-words", "none"
"""Reasons without a code: in the doctor's own words, and none at all."""


@dataclass(slots=True)
class RuleRow:
    """Alerts of one rule, and why they were overridden: code of the reason → how often."""

    rule: str
    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Adoption:
    """All of it."""

    eligible: int = 0
    used: int = 0
    drafts: list[AdoptionRow] = field(default_factory=list)
    stays: list[StayRow] = field(default_factory=list)
    alerts: list[AlertRow] = field(default_factory=list)
    rules: list[RuleRow] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """The published rate: the share of eligible stays that used it; None without any."""
        return self.used / self.eligible if self.eligible else None


def adoption(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    kinds: Sequence[str] = (),
) -> Adoption:
    """The counts of the time from ``since`` up to ``until``; of the tasks ``kinds`` (none: all).

    The tasks choose drafts, and which stays used it; a stay is eligible whatever was asked for.
    """
    counted = Adoption()
    with database.read() as session:
        seen = _seen(session, since, until)
        drafts = _drafts(session, since, until, kinds)
        used = {(row.patient_id, row.encounter_id) for row, *_ in drafts if _taken(row)}
        _count_stays(counted, seen, used)
        _count_drafts(session, counted, drafts, {stay: found[1] for stay, found in seen.items()})
        _count_alerts(session, counted, since, until)
    return counted


def month_of(at: datetime) -> str:
    """``2026-03``, where the hospital is."""
    return local_time(at).strftime("%Y-%m")


def _taken(row: DraftRow) -> bool:
    return row.accepted_at is not None or row.signed_at is not None


def _within(query: Query, column: Any, since: datetime | None, until: datetime | None) -> Query:
    if since is not None:
        query = query.where(column >= since)
    if until is not None:
        query = query.where(column < until)
    return query


def _seen(
    session: Session, since: datetime | None, until: datetime | None
) -> dict[Stay, tuple[datetime, str]]:
    """Each stay that was told of: when first, and its department where a request says it."""
    found: dict[Stay, tuple[datetime, str]] = {}
    payload = type_coerce(RequestRow.payload, JSON)
    department = func.coalesce(
        payload["department"].as_string(), payload["encounter", "department"].as_string(), ""
    )
    for table in (RecordEventRow, MessageRow, RequestRow):
        said = department if table is RequestRow else func.coalesce(None, "")
        query = select(table.patient_id, table.encounter_id, table.created_at, said).where(
            table.encounter_id != ""
        )
        rows = session.execute(_within(query, table.created_at, since, until))
        for patient, encounter, at, name in rows:
            first, known = found.get((patient, encounter), (at, ""))
            found[(patient, encounter)] = (min(first, at), name or known)
    return found


def _drafts(
    session: Session, since: datetime | None, until: datetime | None, kinds: Sequence[str]
) -> list[tuple[DraftRow, datetime | None]]:
    query = select(DraftRow, RequestRow.asked_at).join(
        RequestRow, RequestRow.id == DraftRow.request_id
    )
    if kinds:
        query = query.where(DraftRow.kind.in_(kinds))
    limited = _within(query, DraftRow.created_at, since, until)
    return [(row, asked) for row, asked in session.execute(limited)]


def _count_stays(told: Adoption, seen: dict[Stay, tuple[datetime, str]], used: set[Stay]) -> None:
    rows: dict[tuple[str, str], StayRow] = {}
    for stay, (at, department) in seen.items():
        key = (month_of(at), department)
        row = rows.setdefault(key, StayRow(*key))
        row.eligible += 1
        row.used += stay in used
    told.stays = [rows[key] for key in sorted(rows)]
    told.eligible = sum(row.eligible for row in told.stays)
    told.used = sum(row.used for row in told.stays)


def _count_drafts(
    session: Session,
    told: Adoption,
    drafts: Sequence[tuple[DraftRow, datetime | None]],
    departments: dict[Stay, str],
) -> None:
    changed = set(
        session.scalars(select(ResolutionRow.draft_id).where(ResolutionRow.action == "edited"))
    )
    opinions: Counter[tuple[str, str]] = Counter()
    counted = select(FeedbackRow.draft_id, FeedbackRow.verdict).where(
        FeedbackRow.superseded.is_(False), FeedbackRow.draft_id.is_not(None)
    )
    for draft_id, verdict in session.execute(counted):
        opinions[(str(draft_id), verdict)] += 1
    rows: dict[tuple[str, str, str, str], AdoptionRow] = {}
    for draft, asked in drafts:
        department = departments.get((draft.patient_id, draft.encounter_id), "")
        key = (month_of(draft.created_at), department, draft.kind, draft.model)
        row = rows.setdefault(key, AdoptionRow(*key))
        row.drafts += 1
        # Somebody watched while it was made, or read it later.
        watched = asked is not None and asked >= draft.created_at
        row.opened += draft.opened_at is not None or watched or _taken(draft)
        row.filled_in += draft.accepted_at is not None
        row.edited += draft.id in changed or bool(draft.edit_distance)
        row.signed += draft.signed_at is not None
        row.liked += opinions[(draft.id, "like")]
        row.disliked += opinions[(draft.id, "dislike")]
        row.reported += opinions[(draft.id, "error")]
    told.drafts = [rows[key] for key in sorted(rows)]


def _count_alerts(
    session: Session, told: Adoption, since: datetime | None, until: datetime | None
) -> None:
    query = select(
        CardRow.created_at, CardRow.rule, CardRow.outcome, CardRow.reason, CardRow.comment
    ).where(CardRow.kind == "alert")
    rows: dict[str, AlertRow] = {}
    rules: dict[str, RuleRow] = {}
    for at, rule, outcome, reason, comment in session.execute(
        _within(query, CardRow.created_at, since, until)
    ):
        month = month_of(at)
        of_rule = rules.setdefault(rule, RuleRow(rule))
        for row in (rows.setdefault(month, AlertRow(month)), of_rule):
            row.shown += 1
            row.accepted += outcome == "accepted"
            row.overridden += outcome == "overridden"
        if outcome == "overridden":
            # Words of the doctor's own are counted, not shown: they may tell of the patient.
            why = reason or (IN_WORDS if comment else NO_REASON)
            of_rule.reasons[why] = of_rule.reasons.get(why, 0) + 1
    told.rules = sorted(rules.values(), key=lambda row: (-row.overridden, -row.shown, row.rule))
    told.alerts = [rows[key] for key in sorted(rows)]
