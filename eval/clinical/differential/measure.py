"""Members' answers against the gold: hits, reciprocal ranks, and the cases that went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.record.case import Case as Record
from eval.clinical.differential.cases import DiagnosisCase
from eval.clinical.differential.members import Answer
from eval.clinical.differential.names import Match, Names
from eval.clinical.mean import mean
from eval.clinical.proportion import share
from eval.clinical.result import Case, Figure, Table

TOP = (1, 3, 5)
WORST = 30
FEW = 30
_DIAGNOSES = 40
_GIVEN = 1500

_WAYS = {
    Match.EXACT: ("exact_", "名称一致 exact name"),
    Match.ALIAS: ("alias_", "或别名 or an alias"),
    Match.CATEGORY: ("", "或同一 ICD-10 类目 or its category"),
}

SCORES = tuple(
    prefix + measure
    for prefix, _ in _WAYS.values()
    for measure in (*(f"top{k}" for k in TOP), "mrr")
)
"""Names of the scores; those without a prefix count every way of hitting."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One member over all cases; a case without an answer is a case without a hit."""

    member: str
    scores: dict[str, float]
    figures: list[Figure]
    places: dict[str, dict[Match, int]]
    answers: Mapping[str, Answer]

    @property
    def unanswered(self) -> dict[str, str]:
        """The cases without an answer, and why."""
        return {key: a.problem for key, a in self.answers.items() if a.problem}

    @property
    def empty(self) -> int:
        """Answers that name no diagnosis."""
        return sum(not a.problem and not a.names for a in self.answers.values())


def measure(
    member: str, cases: Sequence[DiagnosisCase], answers: Mapping[str, Answer], names: Names
) -> Measured:
    """Score the answers of one member."""
    places = {c.id: names.places(answers[c.id].names, c) for c in cases}
    scores: dict[str, float] = {}
    figures: list[Figure] = []
    for way, (prefix, told) in _WAYS.items():
        ranks = {key: found.get(way) for key, found in places.items()}
        for k in TOP:
            hits = {key: (int(rank is not None and rank <= k), 1) for key, rank in ranks.items()}
            figure = share(f"前 {k} top {k}，{told}", hits, group=member)
            figures.append(figure)
            scores[f"{prefix}top{k}"] = figure.value
        reciprocal = [1 / rank if rank else 0.0 for rank in ranks.values()]
        figure = mean(f"平均倒数排名 MRR，{told}", reciprocal, group=member)
        figures.append(figure)
        scores[f"{prefix}mrr"] = round(100 * figure.value, 4)
    return Measured(member, scores, figures, places, answers)


def apart(measured: Sequence[Measured]) -> Table:
    """How each case was hit within the first five, each case once, by the strictest way."""
    rows = []
    for m in measured:
        counts: Counter[Match | None] = Counter()
        for found in m.places.values():
            counts[next((way for way in Match if found.get(way, 99) <= TOP[-1]), None)] += 1
        rows.append([m.member, *(str(counts[way]) for way in (*Match, None))])
    return Table(
        title=f"前 {TOP[-1]} 位如何命中 How the first {TOP[-1]} hit, each case once",
        columns=[
            "成员 member",
            "名称一致 exact",
            "仅别名 alias only",
            "仅同类目 category only",
            "未中 none",
        ],
        rows=rows,
    )


def by_diagnosis(cases: Sequence[DiagnosisCase], measured: Sequence[Measured]) -> Table:
    """Hits of each member by the gold diagnosis, the commonest first."""
    groups: dict[str, list[str]] = {}
    for case in cases:
        groups.setdefault(case.gold[0], []).append(case.id)
    shown = sorted(groups.items(), key=lambda pair: -len(pair[1]))[:_DIAGNOSES]
    rows = [
        [name, str(len(keys)), *(_hits(m, keys, k) for m in measured for k in TOP)]
        for name, keys in shown
    ]
    left = len(groups) - len(shown)
    return Table(
        title="各诊断 By diagnosis, every way of hitting",
        columns=["诊断 diagnosis", "n", *(f"{m.member} top {k}" for m in measured for k in TOP)],
        rows=rows,
        note=f"另有 {left} 种诊断未列出。And {left} diagnoses more." if left else "",
    )


def _hits(measured: Measured, keys: Sequence[str], k: int) -> str:
    hits = sum(measured.places[key].get(Match.CATEGORY, k + 1) <= k for key in keys)
    return f"{hits} ({100 * hits / len(keys):.0f} %)"


def worst(
    cases: Sequence[DiagnosisCase], shown: Mapping[str, Record], measured: Measured
) -> list[Case]:
    """Cases in which the first names miss: those without any hit, then the lowest hits."""
    ranks = {c.id: measured.places[c.id].get(Match.CATEGORY) for c in cases}
    missed = [c for c in cases if (ranks[c.id] or 99) > 1]
    missed.sort(key=lambda c: -(ranks[c.id] or 99))
    return [
        Case(
            id=case.id,
            kind=measured.member,
            given="\n".join(f"{n.title}：{n.text}" for n in shown[case.id].notes())[:_GIVEN],
            expected="、".join(case.gold),
            answer="\n".join(
                f"{rank}. {name}" for rank, name in enumerate(measured.answers[case.id].names, 1)
            ),
            note=_note(measured.answers[case.id], ranks[case.id]),
        )
        for case in missed[:WORST]
    ]


def _note(answer: Answer, rank: int | None) -> str:
    if answer.problem:
        return f"无答案 no answer: {answer.problem}"
    return f"第 {rank} 位 rank {rank}" if rank else "未列出 not listed"
