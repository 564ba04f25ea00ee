"""The differential diagnosis of a case by the curated base: candidates with their reasons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from knowledge.clinical.calibration import shipped_calibration, softmax
from knowledge.clinical.entry import Entry
from knowledge.clinical.evidence import CaseEvidence
from knowledge.clinical.ranking import ClinicalRanking, Floats
from knowledge.text.finding import Finding, Span

Relation = Literal["for", "against", "unexplained"]

RIVALS = 20
"""Among how many of the first candidates a question is to tell."""
QUESTIONS = 5
TELLING = 0.5
"""P(f|d) above which a denied finding is named as speaking against *d*."""


@dataclass(frozen=True, slots=True)
class ClinicalReason:
    """What a finding of the record does to a candidate.

    "for": the entry lists it, or what it is a kind of (``listed``); "against": the entry lists it
    and the record denies it, or the entry says that it speaks against; "unexplained": the record
    has it and the entry does not, which speaks neither for nor against.
    """

    finding: Finding
    listed: str
    relation: Relation
    weight: float


@dataclass(frozen=True, slots=True)
class ClinicalCandidate:
    """An entry with its calibrated probability, and its raw share among all entries, by which
    the rules decide."""

    entry: Entry
    probability: float
    share: float
    score: float
    reasons: tuple[ClinicalReason, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A finding to ask or a result to get, and how much its answer is expected to tell (bits)."""

    finding: str
    is_test: bool
    information: float


SECOND_AMONG = 6
SECOND_LEAST = 0.2
SECOND_TELLING = 3
SECOND_FINDINGS = 2
"""A second problem is proposed from this probability on, among the entries for the findings that
the first leaves, when so many of them speak for it and one at least so strongly."""


@dataclass(frozen=True, slots=True)
class ClinicalAlarm:
    """A disease to exclude, and the findings of the record that call for it."""

    entry: Entry
    share: float
    findings: tuple[Finding, ...]


class ClinicalDifferential:
    """Candidates, reasons and questions of one case."""

    def __init__(self, ranking: ClinicalRanking, case: CaseEvidence) -> None:
        self._ranking, self._case = ranking, case

    @cached_property
    def _scores(self) -> Floats:
        return self._ranking.scores(self._case)

    def candidates(self, limit: int) -> list[ClinicalCandidate]:
        """The likeliest entries, best first; none when no finding speaks for any."""
        if not any(self._ranking.number(name) is not None for name in self._case.present):
            return []
        scores = self._scores
        shares = softmax(scores)
        probabilities = shipped_calibration().probabilities(scores)
        return [
            ClinicalCandidate(
                self._ranking.entries[row],
                float(probabilities[row]),
                float(shares[row]),
                float(scores[row]),
                tuple(self._reasons(int(row))),
            )
            for row in np.argsort(-scores, kind="stable")[:limit]
        ]

    def alarms(self) -> list[ClinicalAlarm]:
        """The diseases that the findings call for excluding, the likeliest first."""
        called = self._ranking.alarmed(self._case)
        if not called:
            return []
        shares = softmax(self._scores)
        known = self._ranking.specific(self._case.present)
        alarms = [
            ClinicalAlarm(
                self._ranking.entries[row],
                float(shares[row]),
                tuple(
                    self._case.spans[name]
                    for name in known
                    if name in self._case.spans and self._ranking.says(name, combination)
                ),
            )
            for row, combination in called.items()
        ]
        return sorted(alarms, key=lambda alarm: -alarm.share)

    def second_problem(self) -> ClinicalCandidate | None:
        """What the findings suggest that the likeliest entry does not explain: a patient may have
        two diseases.  None where they suggest nothing, or what is related to the first."""
        first = next(iter(self.candidates(1)), None)
        left = [r.listed for r in first.reasons if r.relation == "unexplained"] if first else []
        if first is None or not left:
            return None
        rest = replace(self._case, present={name: self._case.present[name] for name in left})
        others = ClinicalDifferential(self._ranking, rest).candidates(SECOND_AMONG)
        second = next((c for c in others if not c.entry.is_related(first.entry)), None)
        return second if second is not None and _is_problem(second) else None

    def questions(self, limit: int = QUESTIONS, leave_out: Collection[str] = ()) -> list[Question]:
        """What would tell most between the first candidates: expected information of the answer.

        ``leave_out`` was asked and is not known.
        """
        if not self._case.present:
            return []
        scores = self._scores
        rows = np.argsort(-scores, kind="stable")[:RIVALS]
        share = softmax(scores[rows])
        rate = np.clip(self._ranking.rates(rows), 0.01, 0.99)
        gain = _entropy(share @ rate) - share @ _entropy(rate)
        known = self._ranking.mentioned(self._case) | self._ranking.columns(leave_out)
        order = [int(n) for n in np.argsort(-gain, kind="stable") if int(n) not in known]
        return [
            Question(self._ranking.concepts[n], self._ranking.is_test(n), float(gain[n]))
            for n in order[:limit]
        ]

    @cached_property
    def _told(self) -> list[str]:
        """The present findings of the record (what was only asked stands in none), without those
        that a narrower one says already."""
        case = self._case
        return [name for name in self._ranking.specific(case.present) if name in case.spans]

    def _reasons(self, row: int) -> list[ClinicalReason]:
        case, entry = self._case, self._ranking.entries[row]
        reasons: list[ClinicalReason] = []
        for name, finding in ((n, case.spans[n]) for n in self._told):
            listed, gain = self._ranking.listed(row, name)
            if name in entry.against:
                reasons.append(ClinicalReason(finding, name, "against", -1.0))
            elif listed is not None:
                reasons.append(ClinicalReason(finding, listed, "for", round(gain, 3)))
            else:
                reasons.append(ClinicalReason(finding, name, "unexplained", 0.0))
        for name in (n for n in case.absent if n in case.spans):
            listed, _ = self._ranking.listed(row, name)
            if listed == name and (rate := self._ranking.rate(row, name)) >= TELLING:
                weight = round(float(np.log(1 - min(rate, 0.97))), 3)
                reasons.append(ClinicalReason(case.spans[name], name, "against", weight))
        return sorted(_once(reasons), key=lambda r: (_ORDER[r.relation], -abs(r.weight)))


def _once(reasons: Sequence[ClinicalReason]) -> list[ClinicalReason]:
    """``reasons`` without what one name leaves unexplained and another tells: words of the record
    that speak for or against a disease are not unexplained, and none is so twice."""
    kept: list[ClinicalReason] = []
    for reason in sorted(reasons, key=lambda r: r.relation == "unexplained"):
        here = reason.finding.span
        if reason.relation == "unexplained" and any(_in(here, r.finding.span) for r in kept):
            continue
        kept.append(reason)
    return kept


def _in(inner: Span, outer: Span) -> bool:
    whole = outer.start <= inner.start and inner.end <= outer.end
    return whole and inner.note_id == outer.note_id


def _is_problem(candidate: ClinicalCandidate) -> bool:
    weights = candidate.entry.findings
    listed = [r.listed for r in candidate.reasons if r.relation == "for"]
    strongest = max((weights[name].evoking for name in listed if name in weights), default=0)
    return (
        candidate.share >= SECOND_LEAST
        and len(listed) >= SECOND_FINDINGS
        and strongest >= SECOND_TELLING
    )


_ORDER = {"for": 0, "against": 1, "unexplained": 2}


def _entropy(p: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Binary entropy in bits."""
    return np.asarray(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))
