"""The panel's ranking: curated entries first, the long tail of the graph below them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.differential import ClinicalAlarm, ClinicalCandidate, Question
from knowledge.clinical.entry import Entry
from knowledge.clinical.evidence import CaseEvidence
from knowledge.clinical.vocabulary import Vocabulary
from knowledge.disease import Disease
from knowledge.graph import Graph, RankedDisease, Reason
from knowledge.ranking.critical import CriticalDiagnosis
from knowledge.sources.clinical import NAME, passage_id, source_of
from knowledge.text.finding import Finding

CANDIDATES = 40
"""Among how many of the likeliest entries those to show and those to exclude are looked for."""
LEAST = 0.002
"""A curated entry less likely than this makes room for the long tail, when there are others."""
ENTRIES = 8
"""How many curated entries come first where that many are likely enough."""
SUSPECTED = 0.004
"""A curated entry that must not be missed is named from this probability on."""
MOST_CRITICAL = 7
ASKED = 5


@dataclass(frozen=True)
class PanelRanking:
    """Candidates, what must be excluded, what to ask, and what else the patient may have."""

    ranked: list[RankedDisease]
    critical: list[CriticalDiagnosis]
    questions: list[Question]
    second: RankedDisease | None
    """What the findings suggest that the first candidate does not explain."""


def rank_case(
    graph: Graph,
    clinical: ClinicalBase,
    case: CaseEvidence,
    findings: Sequence[Finding],
    limit: int,
) -> PanelRanking:
    """Rank one case by what it says; ``findings`` are in the words of the graph."""
    age_years, sex = case.age_years, case.sex
    differential = clinical.differential(case)
    candidates = differential.candidates(CANDIDATES) if clinical.entries else []
    first = [c for c in _one_a_category(candidates) if c.share >= LEAST][:ENTRIES]
    ranked = [_of_entry(graph, case, candidate, clinical.known) for candidate in first]
    room = limit - len(ranked)
    tail = graph.rank(findings, age_years=age_years, sex=sex, limit=room, leave_out=clinical.names)
    if ranked:
        # What the long tail shares is what the curated entries leave.
        left = max(0.0, 1.0 - sum(one.score for one in ranked))
        share = min(left, ranked[-1].score)
        tail = [replace(one, score=one.score * share) for one in tail]
    ranked = [*ranked, *tail][:limit]
    if clinical.entries:
        critical = _critical(differential.alarms(), candidates)
    else:
        critical = graph.critical(findings, age_years=age_years, sex=sex)
    second = differential.second_problem() if candidates else None
    return PanelRanking(
        ranked,
        critical,
        differential.questions() if candidates else [],
        _of_entry(graph, case, second, clinical.known) if second else None,
    )


def _one_a_category(candidates: Sequence[ClinicalCandidate]) -> list[ClinicalCandidate]:
    """The candidates, of each ICD-10 category the likeliest first and the others behind all:
    five kinds of infarction are no differential diagnosis."""
    seen: set[str] = set()
    first: list[ClinicalCandidate] = []
    others: list[ClinicalCandidate] = []
    for candidate in candidates:
        entry = candidate.entry
        (others if entry.category in seen else first).append(candidate)
        seen.add(entry.category)
    return [*first, *others]


def _of_entry(
    graph: Graph, case: CaseEvidence, candidate: ClinicalCandidate, known: Vocabulary
) -> RankedDisease:
    entry = candidate.entry
    disease = graph.disease(entry.name) or Disease(
        entry.name, entry.names, entry.icd10, sources=(NAME,), passage_id=passage_id(entry)
    )
    # Who has a kind of it has it; who has it not has no kind of it.
    has = {a for name in case.present for a in (name, *known.ancestors(name))}
    weights = {**entry.symptoms, **entry.signs, **entry.history}
    ask = sorted(
        (
            name
            for name in weights
            if name not in has and case.absent.keys().isdisjoint((name, *known.ancestors(name)))
        ),
        key=lambda name: (-weights[name].evoking, -weights[name].frequency),
    )
    return RankedDisease(
        disease=disease,
        score=candidate.probability,
        reasons=[
            Reason(reason.finding, reason.listed, reason.relation, reason.weight)
            for reason in candidate.reasons
        ],
        to_ask=ask[:ASKED],
        tests=list(entry.confirm),
        must_not_miss=entry.critical,
        entry=entry,
    )


def _critical(
    alarms: Sequence[ClinicalAlarm], candidates: Iterable[ClinicalCandidate]
) -> list[CriticalDiagnosis]:
    """What the findings call for excluding, then the likely entries that must not be missed; of
    one ICD-10 category, and of a general diagnosis and its kinds, the first alone."""
    result: list[CriticalDiagnosis] = []
    seen: set[str] = set()
    likely = (
        (c.entry, tuple(r.finding for r in c.reasons if r.relation == "for"))
        for c in candidates
        if c.share >= SUSPECTED
    )
    for entry, reasons in chain(((a.entry, a.findings) for a in alarms), likely):
        if not entry.critical or entry.category in seen or entry.name in seen:
            continue
        if len(result) == MOST_CRITICAL:
            break
        seen |= {entry.category, *entry.kinds}
        result.append(critical_diagnosis(entry, reasons))
    return result


def critical_diagnosis(entry: Entry, reasons: tuple[Finding, ...] = ()) -> CriticalDiagnosis:
    """A curated entry as what must be excluded."""
    return CriticalDiagnosis(
        entry.name,
        entry.name,
        reasons,
        entry.red_flags,
        entry.exclude,
        passage_id(entry),
        source_of(entry),
    )
