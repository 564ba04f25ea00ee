"""What the reports of a hospital come to: by department, month and kind, and by doctor where the
rule set allows it.

Of a stay that was checked again within a month the newest report counts.  Counts are of what the
store still has; what was purged is not counted any more.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, select, type_coerce
from sqlalchemy.orm import Session

from assistant.record.fields import local_time
from assistant.store.database import Database
from assistant.store.deidentify import Deidentifier
from assistant.store.models.draft import DraftRow
from assistant.store.models.feedback import FeedbackRow
from assistant.store.models.request import RequestRow
from assistant.tasks.record_qc.rules import Rules

KIND = "record_qc"
BOM = "\ufeff"
"""Without it spreadsheets read Chinese in UTF-8 wrongly."""

MOST_REASONS = 5


@dataclass(slots=True)
class KindCount:
    """Findings of one kind in one month and department (and of one doctor, where asked)."""

    month: str
    department: str
    doctor: str
    kind: str
    title: str
    severity: str
    findings: int = 0
    accepted: int = 0
    dismissed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ScoreCount:
    """Stays of one month and department that were checked, and how they did."""

    month: str
    department: str
    stays: int = 0
    mean_score: float = 0.0
    grades: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class OftenDismissed:
    """A kind that the reviewers of a department mostly dismiss: its threshold wants a look."""

    department: str
    kind: str
    title: str
    accepted: int
    dismissed: int
    reasons: dict[str, int]


@dataclass(slots=True)
class Dashboard:
    """All of it; ``reasons`` are de-identified."""

    kinds: list[KindCount] = field(default_factory=list)
    scores: list[ScoreCount] = field(default_factory=list)
    often_dismissed: list[OftenDismissed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A report with what is needed of its stay."""

    draft_id: str
    month: str
    department: str
    names: tuple[str, ...]
    """What a reason must not say."""

    report: Mapping[str, Any]
    authors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Opinion:
    accepted: bool
    reason: str


def dashboard(
    database: Database,
    rules: Rules,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    department: str | None = None,
    by_doctor: bool = False,
) -> Dashboard:
    """The counts of the reports from ``since`` up to ``until``; of one department, or of all.

    ``by_doctor`` counts by the author of the note that shows a finding.
    """
    with database.read() as session:
        checked = _reports(session, since, until, by_doctor)
        opinions = _opinions(session)
    chosen = [one for one in checked if department is None or one.department == department]
    kinds = _kinds(chosen, opinions, rules)
    return Dashboard(
        sorted(kinds, key=lambda row: (row.month, row.department, row.doctor, -row.findings)),
        _scores(chosen),
        _often(kinds, rules),
    )


def _reports(
    session: Session, since: datetime | None, until: datetime | None, by_doctor: bool
) -> list[_Checked]:
    """The newest report of each stay and month."""
    payload = type_coerce(RequestRow.payload, JSON)
    stay = (payload["department"].as_string(), payload["patient", "name"].as_string())
    query = (
        select(DraftRow, *stay, *([RequestRow.payload] if by_doctor else []))
        .join(RequestRow, RequestRow.id == DraftRow.request_id)
        .where(DraftRow.kind == KIND)
        .order_by(DraftRow.created_at, DraftRow.id)
    )
    if since is not None:
        query = query.where(DraftRow.created_at >= since)
    if until is not None:
        query = query.where(DraftRow.created_at < until)
    newest: dict[tuple[str, str, str], _Checked] = {}
    for draft, department, name, *whole in session.execute(query):
        month = local_time(draft.created_at).strftime("%Y-%m")
        newest[month, draft.patient_id, draft.encounter_id] = _Checked(
            draft.id,
            month,
            department or "",
            tuple(said for said in (name, draft.patient_id, draft.encounter_id) if said),
            draft.content["draft"],
            {note["id"]: note["author"] for note in whole[0]["notes"]} if whole else {},
        )
    return list(newest.values())


def _opinions(session: Session) -> dict[tuple[str, str], _Opinion]:
    """(draft, finding) → the last opinion on it, whoever gave it."""
    query = (
        select(FeedbackRow.draft_id, FeedbackRow.section, FeedbackRow.verdict, FeedbackRow.comment)
        .where(
            FeedbackRow.kind == KIND,
            FeedbackRow.superseded.is_(False),
            FeedbackRow.verdict != "error",
            FeedbackRow.draft_id.is_not(None),
            FeedbackRow.section.is_not(None),
        )
        .order_by(FeedbackRow.created_at, FeedbackRow.id)
    )
    return {
        (draft, section): _Opinion(verdict == "like", comment or "")
        for draft, section, verdict, comment in session.execute(query)
        if draft is not None and section is not None
    }


def _kinds(
    checked: Iterable[_Checked], opinions: Mapping[tuple[str, str], _Opinion], rules: Rules
) -> list[KindCount]:
    found: dict[tuple[str, str, str, str], KindCount] = {}
    for one in checked:
        for finding in one.report["findings"]:
            doctor = _doctor(finding, one.authors)
            kind = finding["kind"]
            rule = rules.kinds.get(kind)
            row = found.setdefault(
                (one.month, one.department, doctor, kind),
                KindCount(
                    one.month,
                    one.department,
                    doctor,
                    kind,
                    rule.title if rule else finding["title"],
                    rule.severity if rule else finding["severity"],
                ),
            )
            row.findings += 1
            if opinion := opinions.get((one.draft_id, finding["id"])):
                _count(row, opinion, one.names)
    return list(found.values())


def _count(row: KindCount, opinion: _Opinion, names: Sequence[str]) -> None:
    if opinion.accepted:
        row.accepted += 1
        return
    row.dismissed += 1
    # In the reviewer's own words, which may name the patient.
    said = Deidentifier(names=names[:1], identifiers=names).text(opinion.reason.strip())
    row.reasons[said] = row.reasons.get(said, 0) + 1


def _doctor(finding: Mapping[str, Any], authors: Mapping[str, str]) -> str:
    written = (authors.get(place["note_id"], "") for place in finding["evidence"])
    return next((author for author in written if author), "")


def _scores(told: Iterable[_Checked]) -> list[ScoreCount]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in told:
        found.setdefault((one.month, one.department), []).append(one.report)
    return [
        ScoreCount(
            month,
            department,
            len(reports),
            round(sum(report["score"] for report in reports) / len(reports), 1),
            dict(sorted(Counter(report["grade"] for report in reports).items())),
        )
        for (month, department), reports in sorted(found.items())
    ]


def _often(kinds: Iterable[KindCount], rules: Rules) -> list[OftenDismissed]:
    """Kinds dismissed as often as the rule set says, and more often than accepted."""
    found: dict[tuple[str, str], OftenDismissed] = {}
    for row in kinds:
        one = found.setdefault(
            (row.department, row.kind),
            OftenDismissed(row.department, row.kind, row.title, 0, 0, {}),
        )
        one.accepted += row.accepted
        one.dismissed += row.dismissed
        for reason, count in row.reasons.items():
            one.reasons[reason] = one.reasons.get(reason, 0) + count
    often = [
        one
        for one in found.values()
        if one.dismissed >= rules.often_dismissed and one.dismissed > one.accepted
    ]
    return sorted(often, key=lambda one: -one.dismissed)


def reasons_in_words(reasons: Mapping[str, int]) -> str:
    """The commonest reasons with how often each was given."""
    ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))[:MOST_REASONS]
    return "；".join(f"{reason} ×{count}" for reason, count in ordered)


def as_csv(told: Dashboard) -> str:
    """A line a month, department, doctor and kind; what a spreadsheet would run is made text."""
    names = [one.name for one in fields(KindCount)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in told.kinds:
        values = asdict(row) | {"reasons": reasons_in_words(row.reasons)}
        writer.writerow([_cell(values[name]) for name in names])
    return BOM + out.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
