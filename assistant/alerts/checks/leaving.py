"""When a patient leaves: results that are not back, and what is taken home against what was
given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from assistant.alerts.dosing import daily_dose
from assistant.alerts.drug import Drug
from assistant.alerts.facts import Facts
from assistant.alerts.tables import groups
from assistant.alerts.way import Way

_LATE = timedelta(days=3)
"""So long before the discharge a drug was stopped, and not for the discharge."""
_NOT_BACK = re.compile(
    r"未(?:回报?|出|归)|待(?:回报?|查|归)|尚未|追踪|结果回报后|结果[^。]{0,8}通知|取[^。]{0,6}报告"
)
_STOPPED = re.compile(r"停|不再|暂不|改为|改用|换用|禁用|避免|无需|不适合")
_BARE = re.compile(r"[（(].*?[)）]|标本|检查|测定|检测|结果")
_KINDS = re.compile(r"病理|培养|基因|免疫组化")
"""What a discharge calls a result by (术后病理结果尚未回报)."""
_INJECTED = re.compile(r"注射|静脉|静滴|泵")


def _left_on(facts: Facts) -> date | None:
    moment = facts.encounter.discharged_at or facts.at
    return moment.date() if moment else None


def pending(facts: Facts) -> Iterator[Way]:
    """A result that is not back, of which the discharge says nothing."""
    if not facts.is_leaving:
        return
    encounter = facts.encounter
    rows = [
        (row.name, facts.chart.row("observations", n))
        for n, row in enumerate(encounter.observations)
        if row.status == "pending"
    ]
    rows += [
        (row.text, facts.order_row(n))
        for n, row in enumerate(encounter.orders)
        if row.status == "pending"
    ]
    discharge_day = "\n".join(t.note.text for t in facts.texts if t.note.kind == "discharge_day")
    for name, place in rows:
        words = {name, _BARE.sub("", name) or name, *_KINDS.findall(name)}
        if not (_NOT_BACK.search(discharge_day) and any(word in discharge_day for word in words)):
            yield Way({"test": name}, (place,), (name,))


def _last(facts: Facts, home: Drug) -> Drug | None:
    """The last ward order of what is taken home."""
    rows = [d for d in facts.drugs if not d.home and d.generic == home.generic and d.row]
    return max(rows, key=lambda d: (d.row.stop if d.row else None) or date.max, default=None)


def stopped_taken_home(facts: Facts) -> Iterator[Way]:
    """A drug that was stopped days before the discharge and is taken home."""
    left = _left_on(facts)
    for home in (d for d in facts.drugs if d.home):
        ward = _last(facts, home)
        stop = ward.row.stop if ward and ward.row else None
        if ward is None or stop is None or left is None or stop > left - _LATE:
            continue
        if not ward.is_once and not _is_told(facts, home):
            words = {"drug": home.name, "day": f"{stop.month}月{stop.day}日"}
            yield Way(words, (ward.evidence, home.evidence), (home.generic,), (home,))


def left_out(facts: Facts) -> Iterator[Way]:
    """A drug for long that was given until the end and is not taken home, without a word."""
    taken = [d for d in facts.drugs if d.home]
    left = _left_on(facts)
    if not taken or left is None:
        return
    chronic = set(groups()["chronic"])
    home = {group for d in taken for group in d.classes}
    for ward in (d for d in facts.drugs if not d.home):
        stop = ward.row.stop if ward.row else None
        kinds = ward.classes & chronic
        if not kinds or kinds & home or ward.is_once or (stop and stop < left - timedelta(days=1)):
            continue
        if not _is_told(facts, ward, _STOPPED):
            yield Way({"drug": ward.name}, (ward.evidence,), (ward.generic,), (ward,))


def dose_changed(facts: Facts) -> Iterator[Way]:
    """Another daily dose at home than in the ward's last order, without a word."""
    for home in (d for d in facts.drugs if d.home):
        ward = _last(facts, home)
        if ward is None or ward.row is None or home.row is None or ward.is_once:
            continue
        if len({bool(_INJECTED.search(f"{r.name} {r.route}")) for r in (ward.row, home.row)}) == 2:
            # From a drip to tablets: another dose is meant.
            continue
        unit = "IU/d" if "胰岛素" in home.generic else "mg/d"
        before, after = (daily_dose(row, unit, facts) for row in (ward.row, home.row))
        if before is None or after is None or abs(before - after) < 0.01 * before:
            continue
        if not _is_told(facts, home):
            words = {"drug": home.name, "before": f"{before:g}", "after": f"{after:g}"}
            words["unit"] = "单位" if unit == "IU/d" else "mg"
            yield Way(words, (ward.evidence, home.evidence), (home.generic, f"{after:g}"), (home,))


def _is_told(facts: Facts, drug: Drug, words: re.Pattern[str] | None = None) -> bool:
    """Whether the notes of the last two days speak of the drug (in these words)."""
    left = _left_on(facts)
    for text in facts.texts:
        written = text.note.written_at
        recent = written is None or left is None or written.date() >= left - timedelta(days=2)
        if text.note.kind != "discharge_day" and not (recent and text.note.kind == "progress"):
            continue
        for hit in re.finditer(re.escape(drug.generic), text.document.folded):
            start, end = text.clause(hit.start())
            if words is None or words.search(text.document.folded[start:end]):
                return True
    return False
