"""Diagnoses that nothing in the notes speaks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from assistant.grounding.wording import bigrams
from assistant.record.diagnosis import Diagnosis
from assistant.tasks.record_qc.chart import Chart, page_denies
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import concept_of, in_unit, results, values_of
from assistant.tasks.record_qc.rules import Rules, table
from knowledge.clinical.entry import Entry, shipped_entries
from knowledge.text.finding import Experiencer, Finding
from knowledge.text.folding import fold

_STAGE = re.compile(
    r"[（(].*?[)）]|(?:急性|慢性|轻度|中度|重度|左侧|右侧|双侧|左|右|双|原发性|继发性|急性加重|稳定期|病?\d级|极?很?高危|[ⅠⅡⅢⅣIV]+[期级型度]|Killip.*|心功能.*|\d+型|术后|待[查排])"
)
_TELLING, _SEVERAL, _TOGETHER = 4, 4, 5
"""The evoking strength of a finding that is grounds alone; and how many weaker ones, of which
strength together, are."""
_INJURED = re.compile(r"伤")


def check_grounds(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``diagnosis_without_grounds``."""
    if not chart.pages:
        return
    done: set[str] = set()
    found: list[Finding] | None = None
    for number, diagnosis in enumerate(chart.encounter.diagnoses):
        if diagnosis.name in done or _is_no_disease(diagnosis):
            continue
        done.add(diagnosis.name)
        if (diagnosis.icd10 or "")[:1] in ("S", "T") and chart.says(_INJURED):
            # Words for injuries are many.
            continue
        if _is_named(chart, diagnosis.name) or _has_result(chart, diagnosis.name):
            continue
        if found is None:
            found = _findings(chart)
        entry = _entry(diagnosis.name)
        if entry is not None and _speaks_for(entry, found):
            continue
        yield Found(
            "diagnosis_without_grounds",
            f"诊断“{diagnosis.name}”在病程、病史、查体和检查中均没有依据。",
            chart.row("diagnoses", number),
        )


def _is_no_disease(diagnosis: Diagnosis) -> bool:
    # Z codes are reasons to come, not illnesses.
    return (diagnosis.icd10 or "").startswith("Z") or bool(
        re.search(r"化学?治疗|放射?治疗|孕\d|待产|复查|随访|状态", diagnosis.name)
    )


def _is_named(chart: Chart, name: str) -> bool:
    """Whether a note names it, or most of its words, without denying it."""
    core = _STAGE.sub("", fold(name)).strip(" 、，,伴") or name
    parts = [p for p in re.split(r"伴|并发?|合并|及|、|，|\s", core) if len(p) > 1]
    for wording in {core, *parts[:1], *_names(name)}:
        if len(wording) < 2:
            continue
        pattern = re.compile(re.escape(wording))
        if chart.says(pattern):
            return True
    for called, words in table("diagnosis_words"):
        if re.search(called, name) and chart.says(re.compile(words)):
            return True
    wanted = bigrams(core)
    if not wanted:
        return True
    for page in chart.pages:
        for segment in page.segments:
            shared = wanted & bigrams(segment.text)
            if len(shared) >= max(2, 0.6 * len(wanted)):
                at = segment.text.find(next(iter(shared)))
                start = segment.start + max(0, at)
                if not page_denies(page, start, start + 2):
                    return True
    return False


@cache
def _names(name: str) -> frozenset[str]:
    entry = _entry(name)
    return frozenset(n for n in (entry.name, *entry.names) if len(n) > 2) if entry else frozenset()


@cache
def _entry(name: str) -> Entry | None:
    """The entry of the base that a diagnosis is, its stage and side left out."""
    folded = fold(name)
    known = _by_name()
    core = _STAGE.sub("", folded).strip()
    for wording in (folded, re.sub(r"[（(].*?[)）]", "", folded), core):
        if wording in known:
            return known[wording]
    inside = [n for n in known if len(n) > 2 and n in folded]
    return known[max(inside, key=len)] if inside else None


@cache
def _by_name() -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in shipped_entries():
        for name in (entry.name, *entry.names):
            found.setdefault(fold(name), entry)
    return found


def _has_result(chart: Chart, name: str) -> bool:
    """Whether a result is what the diagnosis means (低钾血症, 贫血)."""
    sex = chart.encounter.patient.sex or ""
    for row in table("diagnosis_results"):
        pattern, names, unit, _, _, *rest = (*row, "")
        if not re.search(pattern, name) or (rest[0] and sex and rest[0] != sex):
            continue
        wanted = {concept_of(n) for n in names.split("|")} | set(names.split("|"))
        values = [in_unit(r.quantity, unit) for r in results(chart) if r.concept in wanted]
        values += [in_unit(m.quantity, unit) for p in chart.pages for m in values_of(p, wanted)]
        # A result that is against it is another kind of finding.
        if any(v is not None for v in values):
            return True
    return False


def _findings(chart: Chart) -> list[Finding]:
    sex = chart.encounter.patient.sex
    return [
        f
        for page in chart.pages
        for f in page.findings(chart.age, sex)
        if f.counts_for and f.experiencer is Experiencer.PATIENT
    ]


def _speaks_for(entry: Entry, found: list[Finding]) -> bool:
    present = {f.concept for f in found}
    if any(set(group) <= present for group in entry.settles):
        return True
    evoking = {n: w.evoking for n, w in entry.findings.items() if n in present and w.evoking}
    # What the patient did or had before suggests an illness, and alone is no ground for it.
    shown = [strength for name, strength in evoking.items() if name not in entry.history]
    # One that all but names it, or several that each suggest it a little.
    return max(shown, default=0) >= _TELLING or (
        len(evoking) >= _SEVERAL and sum(evoking.values()) >= _TOGETHER
    )
