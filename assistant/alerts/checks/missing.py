"""Diagnoses that must not be missed (不可漏诊), and that no note thinks of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from assistant.alerts.facts import Facts
from assistant.alerts.way import Way
from assistant.record.evidence import TextSpan
from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.differential import ClinicalAlarm
from knowledge.clinical.entry import Entry
from knowledge.text.folding import fold

MOST = 2
_KINDS = ("admission", "first_progress", "other")


def must_not_miss(facts: Facts) -> Iterator[Way]:
    """The likeliest diseases that the first notes call for excluding and that none names."""
    if facts.is_leaving:
        return
    base = facts.base
    texts = {t.note.id: t.note.text for t in facts.texts if t.note.kind in _KINDS}
    if not texts:
        return
    sex = facts.sex if facts.sex in ("male", "female") else None
    said = fold("\n".join([t.note.text for t in facts.texts] + _named(facts)))
    spoken = 0
    for alarm in _alarms(base, tuple(texts.items()), facts.age, sex):
        if not alarm.entry.critical or _is_thought_of(alarm.entry, base, said):
            continue
        spans = [
            TextSpan.at(f.span, texts[f.span.note_id][f.span.start : f.span.end])
            for f in alarm.findings
        ]
        if not spans:
            continue
        words = {
            "disease": alarm.entry.name,
            "findings": "、".join(dict.fromkeys(s.quote for s in spans)),
            "exclude": alarm.entry.exclude or "、".join(alarm.entry.confirm[:2]),
        }
        yield Way(words, tuple(spans[:6]), (alarm.entry.name,))
        spoken += 1
        if spoken == MOST:
            return


@lru_cache(maxsize=256)
def _alarms(
    base: ClinicalBase, texts: tuple[tuple[str, str], ...], age: float | None, sex: str | None
) -> tuple[ClinicalAlarm, ...]:
    """What the first notes call for excluding; they come again at each call about the stay."""
    case = base.evidence(dict(texts), age_years=age, sex=sex)  # type: ignore[arg-type]
    return tuple(base.differential(case).alarms())


def _named(facts: Facts) -> list[str]:
    return [row.name for row in facts.encounter.diagnoses]


def _is_thought_of(entry: Entry, base: ClinicalBase, said: str) -> bool:
    """Whether the record names the disease or one of its family, to exclude it or not."""
    names = [entry.name, *entry.names]
    for other in base.entries:
        if other.is_related(entry):
            names += [other.name, *other.names]
    return any(fold(name) in said for name in names if len(name) > 1)
