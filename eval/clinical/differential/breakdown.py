"""The ranking alone, taken apart: by department, why it missed, how far its probabilities hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from assistant.record.case import Case as Record
from assistant.tasks.differential.case_context import read_evidence
from eval.clinical.differential.cases import DiagnosisCase
from eval.clinical.differential.measure import TOP, Measured
from eval.clinical.differential.names import Match, Names
from eval.clinical.mean import mean
from eval.clinical.proportion import share
from eval.clinical.result import Figure, Table
from knowledge.base import KnowledgeBase
from knowledge.clinical.entry import Entry
from knowledge.text.folding import fold

_CRITICAL = "不可漏诊 Must not be missed"
_OTHER = "无条目 no entry"
_BINS = ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.01))
_FEW_FINDINGS = 3


def entry_of(case: DiagnosisCase, knowledge: KnowledgeBase) -> Entry | None:
    """The curated entry of the gold, by any of its names."""
    names = {fold(name.strip()) for name in case.names}
    return next(
        (
            entry
            for entry in knowledge.clinical.entries
            if names & {fold(n) for n in (entry.name, *entry.names)}
        ),
        None,
    )


def by_department(
    cases: Sequence[DiagnosisCase], measured: Measured, knowledge: KnowledgeBase
) -> Table:
    """Hits by the first department of the gold's entry."""
    groups: dict[str, list[str]] = {}
    for case in cases:
        entry = entry_of(case, knowledge)
        department = entry.departments[0] if entry and entry.departments else _OTHER
        groups.setdefault(department, []).append(case.id)
    rows = []
    for name, keys in sorted(groups.items(), key=lambda pair: -len(pair[1])):
        ranks = [measured.places[key].get(Match.CATEGORY, 99) for key in keys]
        counts = [sum(rank <= k for rank in ranks) for k in TOP]
        shown = [f"{count} ({100 * count / len(keys):.0f} %)" for count in counts]
        rows.append([name, str(len(keys)), *shown])
    return Table(
        title="各科室 By department, every way of hitting",
        columns=["科室 department", "n", *(f"top {k}" for k in TOP)],
        rows=rows,
    )


def causes(
    cases: Sequence[DiagnosisCase],
    shown: Mapping[str, Record],
    measured: Measured,
    knowledge: KnowledgeBase,
    names: Names,
) -> Table:
    """The first cause of each case that the first five miss."""
    counts: Counter[str] = Counter()
    for case in cases:
        if measured.places[case.id].get(Match.CATEGORY, 99) > TOP[-1]:
            counts[_cause(case, shown[case.id], measured, knowledge, names)] += 1
    return Table(
        title=f"未进前 {TOP[-1]} 的首要原因 First causes of misses",
        columns=["原因 cause", "n"],
        rows=[[cause, str(count)] for cause, count in counts.most_common()],
    )


def _cause(
    case: DiagnosisCase,
    shown: Record,
    measured: Measured,
    knowledge: KnowledgeBase,
    names: Names,
) -> str:
    right = [e for e in knowledge.clinical.entries if names.match(e.name, case)]
    if not right:
        graphed = any(names.disease(name) for name in case.names)
        return "仅图谱有 only the graph has it" if graphed else "库中没有 not in the base"
    present = set(read_evidence(shown, knowledge)[1].present)
    known = knowledge.clinical.known
    said = {a for name in present for a in (name, *known.ancestors(name))}
    listed = max(len(said & {*entry.findings}) for entry in right)
    if len(present) < _FEW_FINDINGS:
        return "病历中识别的表现不足 3 个 fewer than 3 findings read"
    if listed < _FEW_FINDINGS:
        return "条目只解释不足 3 个表现 the entry explains fewer than 3"
    rank = measured.places[case.id].get(Match.CATEGORY)
    return "排在 6–10 位 ranked sixth to tenth" if rank else "被其他诊断超过 outranked"


def coverage(shown: Mapping[str, Record], knowledge: KnowledgeBase) -> Figure:
    """The share of problem mentions of the lexicon that the curated vocabulary reads too."""
    reached: dict[str, tuple[int, int]] = {}
    reader = knowledge.clinical.reader
    for key, case in shown.items():
        hits = count = 0
        for note in case.notes():
            mentions = knowledge.extractor.extract(note.text, note.id)
            spans = [f.span for f in reader.read(note.text, note.id)]
            count += len(mentions)
            hits += sum(any(m.span.overlaps(span) for span in spans) for m in mentions)
        reached[key] = (hits, count)
    return share(
        "表现可识别 problem mentions that reach a finding",
        {key: pair for key, pair in reached.items() if pair[1]},
        group="表现覆盖 Coverage of findings",
    )


def must_not_miss(cases: Sequence[DiagnosisCase], measured: Measured, names: Names) -> list[Figure]:
    """Whether what must not be missed is named (under 不可漏诊, or among the first three), and how
    much is named where nothing must be."""
    figures = []
    for kind, told in (("typical", "典型 typical"), ("atypical", "不典型 atypical")):
        hits: dict[str, tuple[int, int]] = {}
        for case in (c for c in cases if c.kind == kind and c.critical):
            answer = measured.answers[case.id]
            wanted = replace(case, gold=case.critical, same=case.gold)
            named = (*answer.critical, *answer.names[:3])
            hits[case.id] = (int(any(names.match(name, wanted) for name in named)), 1)
        if hits:
            figures.append(share(f"不可漏诊已提示 named, {told}", hits, group=_CRITICAL))
    mimics = [len(measured.answers[c.id].critical) for c in cases if c.kind == "mimic"]
    if mimics:
        name = "良性病例每例误提示数 false ones a mimic"
        figures.append(mean(name, [float(n) for n in mimics], group=_CRITICAL))
    return figures


def reliability(measured: Measured) -> list[Figure]:
    """How often the first candidate is right, by the probability that it was given."""
    group = "概率校准：首位的概率与命中率 Reliability of the first probability"
    figures = []
    for low, high in _BINS:
        hits: dict[str, tuple[int, int]] = {}
        told: list[float] = []
        for key, answer in measured.answers.items():
            first = answer.ranked[0].probability if answer.ranked else None
            if first is not None and low <= first < high:
                hits[key] = (int(measured.places[key].get(Match.CATEGORY) == 1), 1)
                told.append(first)
        if hits:
            mean = 100 * sum(told) / len(told)
            name = f"{100 * low:.0f}–{100 * min(high, 1):.0f} %（平均 mean {mean:.0f} %）"
            figures.append(share(name, hits, group=group).model_copy(update={"expected": mean}))
    return figures
