"""Diseases with what belongs to them, looked up by name and ranked by findings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from knowledge.clinical.entry import Entry
from knowledge.disease import Disease
from knowledge.ranking.critical import CriticalDiagnosis, critical_diagnoses, critical_diseases
from knowledge.ranking.demographics import Sex
from knowledge.ranking.prior import Prior
from knowledge.ranking.ranking import Evidence, Incidence, Ranking
from knowledge.text.finding import Certainty, Finding
from knowledge.text.folding import fold
from knowledge.text.synonyms import SynonymTable

Floats = npt.NDArray[np.float32]

_TO_ASK = 5
_TESTS = 8
_GENERIC_TESTS = frozenset(
    {
        "检查",
        "实验室检查",
        "影像学检查",
        "辅助检查",
        "体格检查",
        "体检",
        "常规检查",
        "其他检查",
        "基础检查",
        "检验",
    }
)
# 小儿肺炎 and 肺炎 are one diagnosis at two ages.
_AGE_PREFIX = re.compile(r"^(?:小儿|婴幼儿|儿童|成人|老年人?|急性)+(?=..)")


_ORDER = {"for": 0, "against": 1, "unexplained": 2}


@dataclass(frozen=True)
class Reason:
    """Why a disease ranks where it does: ``weight`` is what the finding adds to its log score.

    ``relation`` is "for" when the finding speaks for the disease, "against" when the patient is
    said not to have what the disease usually shows, "unexplained" when the patient has what the
    disease is not known to show, which is a gap and no evidence.
    """

    finding: Finding
    concept: str
    relation: Literal["for", "against", "unexplained"]
    weight: float


@dataclass(frozen=True)
class RankedDisease:
    """A candidate.  ``score``: of a curated ``entry`` its probability among all entries, of any
    other disease its share among all diseases (0..1)."""

    disease: Disease
    score: float
    reasons: list[Reason]
    to_ask: list[str]
    tests: list[str]
    must_not_miss: bool
    entry: Entry | None = None

    @property
    def typical(self) -> list[str]:
        """What the disease is known by, the most telling first."""
        if self.entry is None:
            return list(self.disease.symptoms)
        weights = {**self.entry.symptoms, **self.entry.signs, **self.entry.tests}
        return sorted(weights, key=lambda n: (-weights[n].evoking, -weights[n].frequency))


class Graph:
    """All diseases of a base."""

    def __init__(
        self,
        diseases: Sequence[Disease],
        concepts: Sequence[str],
        incidence: Incidence,
        popularity: Floats,
        table: SynonymTable,
    ) -> None:
        """``incidence`` and ``popularity`` count diseases in the order of ``diseases``."""
        self.diseases = diseases
        self.concepts = concepts
        self._incidence = incidence
        self._table = table
        self._numbers = {concept: number for number, concept in enumerate(concepts)}
        self._popularity = popularity
        self._names = _names(diseases)
        self._broader, self._narrower = _hierarchy(self._numbers, table)

    def __len__(self) -> int:
        return len(self.diseases)

    # What only a ranking needs is made by the first: who looks a disease up does not wait for it.
    @cached_property
    def _prior(self) -> Prior:
        return Prior(self.diseases, self._popularity, self._table)

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking(self._incidence, self._broader, self._narrower)

    @cached_property
    def _critical(self) -> frozenset[int]:
        return frozenset(
            number
            for entry in critical_diseases()
            for name in (entry.name, *entry.aliases)
            if (number := self._names.get(fold(name))) is not None
        )

    def disease(self, name: str) -> Disease | None:
        """The disease of this name or alias, or None."""
        number = self._names.get(fold(name.strip()))
        return None if number is None else self.diseases[number]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Folded names and aliases → disease names."""
        return {key: self.diseases[number].name for key, number in self._names.items()}

    def critical(
        self, findings: Sequence[Finding], age_years: float | None, sex: Sex | None
    ) -> list[CriticalDiagnosis]:
        """The diagnoses that must not be missed in this patient, best supported first."""
        return critical_diagnoses(findings, age_years, sex, self._table, self.names)

    def rank(
        self,
        findings: Sequence[Finding],
        *,
        age_years: float | None = None,
        sex: Sex | None = None,
        limit: int = 10,
        leave_out: frozenset[str] = frozenset(),
    ) -> list[RankedDisease]:
        """The likeliest diseases, best first; empty when no finding speaks for any disease.

        A diagnosis appears once: of 小儿肺炎 and 肺炎 the one that scores higher.  ``leave_out``
        are folded names of diseases that are ranked elsewhere.
        """
        used = self._evidence(findings)
        if limit < 1 or not any(evidence.present for _, evidence in used):
            return []
        rows = self._ranking.contributions([evidence for _, evidence in used])
        total = rows.sum(axis=0) + self._prior.scores(age_years, sex)
        shares = np.exp(total - total.max())
        shares /= shares.sum()
        chosen = self._distinct(np.argsort(-total, kind="stable"), limit, leave_out)
        mentioned = self._mentioned(used)
        return [
            RankedDisease(
                disease=self.diseases[number],
                score=float(shares[number]),
                reasons=self._reasons(used, rows[:, number]),
                to_ask=self._to_ask(number, mentioned, chosen),
                tests=[t for t in self.diseases[number].tests if t not in _GENERIC_TESTS][:_TESTS],
                must_not_miss=number in self._critical,
            )
            for number in chosen
        ]

    def _evidence(self, findings: Sequence[Finding]) -> list[tuple[Finding, Evidence]]:
        """The findings that count, one a concept; what is present wins over what is denied."""
        kept: dict[int, tuple[Finding, Evidence]] = {}
        for finding in findings:
            number = self._number(finding.concept)
            if number is None or not (finding.counts_for or finding.counts_against):
                continue
            certain = finding.certainty is Certainty.CERTAIN
            evidence = Evidence(number, finding.counts_for, certain)
            earlier = kept.get(number)
            if earlier is None or _stronger(evidence, earlier[1]):
                kept[number] = (finding, evidence)
        present = {number for number, (_, evidence) in kept.items() if evidence.present}
        implied = {ancestor for number in present for ancestor in self._broader.get(number, ())}
        return [pair for number, pair in kept.items() if number not in implied]

    def _number(self, concept: str) -> int | None:
        for name in (concept, *self._table.ancestors(concept)):
            if name in self._numbers:
                return self._numbers[name]
        return None

    def _distinct(
        self, order: npt.NDArray[np.int64], limit: int, leave_out: frozenset[str]
    ) -> list[int]:
        chosen: list[int] = []
        seen: set[str] = set()
        for number in order:
            disease = self.diseases[int(number)]
            if leave_out and any(fold(n) in leave_out for n in (disease.name, *disease.aliases)):
                continue
            key = diagnosis_key(self.diseases[int(number)].name)
            if key not in seen:
                seen.add(key)
                chosen.append(int(number))
                if len(chosen) == limit:
                    break
        return chosen

    def _reasons(self, used: list[tuple[Finding, Evidence]], weights: Floats) -> list[Reason]:
        reasons = [
            Reason(
                finding,
                self.concepts[evidence.concept],
                "for" if weight > 0 else "unexplained" if evidence.present else "against",
                round(float(weight), 3),
            )
            for (finding, evidence), weight in zip(used, weights, strict=True)
            if abs(weight) > 0.05 and (evidence.present or weight < 0)
        ]
        return sorted(reasons, key=lambda reason: (_ORDER[reason.relation], -abs(reason.weight)))

    def _mentioned(self, used: list[tuple[Finding, Evidence]]) -> set[int]:
        mentioned: set[int] = set()
        for _, evidence in used:
            mentioned.add(evidence.concept)
            mentioned.update(self._broader.get(evidence.concept, ()))
            if not evidence.present:
                mentioned.update(self._narrower.get(evidence.concept, ()))
        return mentioned

    def _to_ask(self, number: int, mentioned: set[int], rivals: Sequence[int]) -> list[str]:
        """Listed, unmentioned findings that best tell this disease from the other candidates."""
        disease = self.diseases[number]
        known = [s for s in (*disease.symptoms, *disease.signs) if s in self._table.concepts]
        open_ = [n for s in known if (n := self._numbers.get(s)) is not None and n not in mentioned]

        def value(concept: int) -> float:
            holders, _ = self._incidence.column(concept)
            shared = np.isin(np.array(rivals), holders).sum()
            return -float(np.log1p(len(holders))) * 0.3 - float(shared)

        return [self.concepts[n] for n in sorted(open_, key=value, reverse=True)[:_TO_ASK]]


def diagnosis_key(name: str) -> str:
    """What two names of one diagnosis at different ages share (小儿肺炎, 肺炎)."""
    return _AGE_PREFIX.sub("", fold(name))


def _stronger(new: Evidence, old: Evidence) -> bool:
    return (new.present, new.certain) > (old.present, old.certain)


def _names(diseases: Sequence[Disease]) -> dict[str, int]:
    names = {fold(disease.name): number for number, disease in enumerate(diseases)}
    for number, disease in enumerate(diseases):
        for alias in disease.aliases:
            names.setdefault(fold(alias), number)
    return names


def _hierarchy(
    numbers: Mapping[str, int], table: SynonymTable
) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    broader: dict[int, list[int]] = {}
    narrower: dict[int, list[int]] = {}
    for name, number in numbers.items():
        for ancestor in table.ancestors(name):
            if ancestor in numbers:
                broader.setdefault(number, []).append(numbers[ancestor])
                narrower.setdefault(numbers[ancestor], []).append(number)
    return broader, narrower
