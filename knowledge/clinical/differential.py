"""The differential diagnosis of a case by the curated base: candidates with their reasons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from knowledge.clinical.entry import Entry
from knowledge.clinical.evidence import CaseEvidence
from knowledge.clinical.ranking import ClinicalRanking, Floats
from knowledge.text.finding import Finding

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
    """An entry with its probability among all entries."""

    entry: Entry
    probability: float
    score: float
    reasons: tuple[ClinicalReason, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A finding to ask or a result to get, and how much its answer is expected to tell (bits)."""

    finding: str
    is_test: bool
    information: float


class ClinicalDifferential:
    """Candidates, reasons, questions of one base.  Safe to use from several threads."""

    def __init__(self, ranking: ClinicalRanking) -> None:
        self._ranking = ranking
        self._last: tuple[CaseEvidence, Floats] | None = None

    def candidates(self, case: CaseEvidence, limit: int) -> list[ClinicalCandidate]:
        """The likeliest entries, best first; none when no finding speaks for any."""
        if not any(self._ranking.number(name) is not None for name in case.present):
            return []
        scores = self._scores(case)
        shares = _softmax(scores)
        return [
            ClinicalCandidate(
                self._ranking.entries[row],
                float(shares[row]),
                float(scores[row]),
                tuple(self._reasons(case, int(row))),
            )
            for row in np.argsort(-scores, kind="stable")[:limit]
        ]

    def questions(
        self, case: CaseEvidence, limit: int = QUESTIONS, leave_out: Collection[str] = ()
    ) -> list[Question]:
        """What would tell most between the first candidates: expected information of the answer.

        ``leave_out`` was asked and is not known.
        """
        if not case.present:
            return []
        scores = self._scores(case)
        rows = np.argsort(-scores, kind="stable")[:RIVALS]
        share = _softmax(scores[rows])
        rate = np.clip(self._ranking.rates(rows), 0.01, 0.99)
        told = _entropy(share @ rate) - share @ _entropy(rate)
        known = self._ranking.mentioned(case)
        known |= {n for n, name in enumerate(self._ranking.concepts) if name in leave_out}
        order = [int(n) for n in np.argsort(-told, kind="stable") if int(n) not in known]
        return [
            Question(self._ranking.concepts[n], self._ranking.is_test(n), float(told[n]))
            for n in order[:limit]
        ]

    def _scores(self, case: CaseEvidence) -> Floats:
        """The scores, kept for the next who asks about the same case."""
        kept = self._last
        if kept is not None and kept[0] is case:
            return kept[1]
        scores = self._ranking.scores(case)
        self._last = (case, scores)
        return scores

    def _reasons(self, case: CaseEvidence, row: int) -> list[ClinicalReason]:
        entry = self._ranking.entries[row]
        reasons: list[ClinicalReason] = []
        # What was only asked stands in no record.
        implied = {a for name in case.present for a in self._ranking.ancestors(name)}
        told = [n for n in case.present if n in case.spans and n not in implied]
        for name, finding in ((n, case.spans[n]) for n in told):
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
        return sorted(reasons, key=lambda r: (_ORDER[r.relation], -abs(r.weight)))


_ORDER = {"for": 0, "against": 1, "unexplained": 2}


def _softmax(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    shares = np.exp(scores.astype(np.float64) - float(scores.max()))
    return np.asarray(shares / shares.sum())


def _entropy(p: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Binary entropy in bits."""
    return np.asarray(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))


def unexplained(candidates: Sequence[ClinicalCandidate]) -> list[Finding]:
    """The findings that the first candidate does not explain."""
    if not candidates:
        return []
    return [r.finding for r in candidates[0].reasons if r.relation == "unexplained"]
