"""Which rare diseases a case hints at.

The score of a disease is the logarithm of a likelihood ratio, as LIRICAL computes it (Robinson et
al., Am J Hum Genet 2020; 107:403)::

    Σ_present  log( P(f|d) / q_f )   P from the annotated frequency, q_f the mean of all diseases,
                                     or how often patients of a hospital show it, if that is more
    Σ_absent   log( (1 - P(f|d)) / (1 - q_f) )

A phenotype that the disease does not list counts by the nearest broader one that it lists a kind
of, as far as the two are alike (Lin 1998: twice the information that they share by the sum of
theirs); what it has nothing of speaks against it a little.  Age of onset and sex speak too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from knowledge.ranking.demographics import Sex
from knowledge.rare.annotations import BOTH, FEMALE, MALE
from knowledge.rare.reading import PhenotypeEvidence
from knowledge.rare.table import STEPS, Disease, Phenotype, RareTable
from knowledge.text.finding import Finding

Floats = npt.NDArray[np.float64]

HINTS: Final = 3
TELLING: Final = 3.5
"""Information (nats) from which on a phenotype is telling: 1 in 33 shows it."""
ALIKE: Final = 0.6
"""Likeness (Lin) from which on a broader phenotype counts as one that the disease lists."""
LEAST_TELLING: Final = 3
LEAST_SCORE: Final = 26.0
LEAST_SHARE: Final = 0.75
"""A hint needs so many telling phenotypes, a log likelihood ratio of so much (nats; there are some
10,000 diseases, and each is rare), and to explain this share of the information of the case.
Chosen on our own rare and common cases and on the exam vignettes: bench/RESULTS.md."""
KNOWN: Final = 4.0
"""What a disease with a Chinese name in our table is ahead of one that few families have: those
are of the national lists, or as well known."""
CLASSIC_SCORE: Final = 19.0
CLASSIC: Final = 5.3
"""Of a known disease that lists a phenotype which says so much for it by itself (nats: a
Kayser-Fleischer ring), so much is enough: a classic is told in three findings."""
ALONE_SCORE: Final = 17.0
ALONE: Final = 5.0
"""Less is enough for a classic that is so far ahead of all other diseases."""
MARGIN: Final = 10.0
"""A hint so much less likely than the first is none."""
UNLISTED: Final = 0.35
"""How much of its information a phenotype that the disease lists nothing of speaks against it."""
EXCLUDED: Final = -3.0
OTHER_AGE: Final = -2.0
OTHER_SEX: Final = -2.0
_LEAK: Final = 1e-3

Relation = Literal["for", "against", "unexplained"]


@dataclass(frozen=True, slots=True)
class RareReason:
    """What a phenotype of the record does to a disease; ``rate``: how often the disease shows it,
    ``listed``: as what it lists it."""

    finding: Finding
    phenotype: Phenotype
    listed: Phenotype
    relation: Relation
    rate: float
    weight: float


@dataclass(frozen=True, slots=True)
class RareHint:
    """A disease to think of, with its log likelihood ratio and the words of the record."""

    disease: Disease
    score: float
    telling: int
    share: float
    reasons: tuple[RareReason, ...]


class RareRanking:
    """The diseases of a table.  Safe to use from several threads."""

    def __init__(self, table: RareTable) -> None:
        self.table = table
        counts = len(table.phenotypes), len(table.diseases)
        terms = np.repeat(np.arange(counts[0]), np.diff(table.starts))
        self._rate = table.rates.astype(np.float64) / STEPS
        share = np.bincount(terms, self._rate, counts[0]) / max(1, counts[1])
        # What is rare among rare diseases may be common in a hospital: vomiting tells of none.
        usual = np.maximum(share, table.hospital)
        self._background: Floats = np.maximum(usual, _LEAK / 2)
        # Of what no disease lists nothing is known.
        self.information: Floats = np.where(share > 0, -np.log(self._background), 0.0)
        onsets = [disease.onset or (0.0, 130.0) for disease in table.diseases]
        self._begins = np.array([low for low, _ in onsets])
        self._ends = np.array([high for _, high in onsets])
        self._known = np.array([bool(disease.chinese) for disease in table.diseases], bool)
        self._x_linked = np.array([disease.x_linked for disease in table.diseases], bool)
        self._excluded: dict[int, list[int]] = {}
        for row, disease in enumerate(table.diseases):
            for number in disease.excluded:
                self._excluded.setdefault(number, []).append(row)

    def hints(
        self, case: PhenotypeEvidence, *, age_years: float | None = None, sex: Sex | None = None
    ) -> list[RareHint]:
        """At most three diseases that several telling phenotypes of the case meet in, best first;
        of kinds of one disease the likeliest."""
        mentions = self._mentions(case)
        total = sum(self._information(numbers) for numbers in mentions)
        telling = sum(self._information(numbers) >= TELLING for numbers in mentions)
        if telling < LEAST_TELLING:
            return []
        scores, explained, met = self._scores(case, mentions, sex)
        scores = scores + self.of_patient(age_years, sex)
        share = explained / total
        likely = scores + KNOWN * self._known
        least = np.where(self._is_classic(mentions, sex), CLASSIC_SCORE, LEAST_SCORE)
        first = int(np.argmax(likely))
        if least[first] == CLASSIC_SCORE and self._lead(likely, first) >= ALONE:
            least[first] = ALONE_SCORE
        fits = (likely >= least) & (met >= LEAST_TELLING) & (share >= LEAST_SHARE)
        hints: list[RareHint] = []
        families: set[str] = set()
        rows = np.flatnonzero(fits)
        rows = rows[np.argsort(-likely[rows], kind="stable")]
        for row in rows:
            if likely[row] < likely[rows[0]] - MARGIN or len(hints) == HINTS:
                break
            disease = self.table.diseases[row]
            if disease.family in families:
                continue
            families.add(disease.family)
            reasons = self._reasons(int(row), case, mentions, sex)
            hints.append(
                RareHint(disease, float(scores[row]), int(met[row]), float(share[row]), reasons)
            )
        return hints

    def _mentions(self, case: PhenotypeEvidence) -> list[list[int]]:
        """The present phenotypes, those of overlapping words together, without those that a
        narrower one says already."""
        lines = {
            line
            for number in case.present
            for line in self.table.phenotypes[number].lines
            if line != number
        }
        groups: list[list[int]] = []
        placed = [(case.present[n][1].span, n) for n in case.present if n not in lines]
        for span, number in sorted(placed, key=lambda pair: (pair[0].note_id, pair[0].start)):
            if groups and span.overlaps(case.present[groups[-1][-1]][1].span):
                groups[-1].append(number)
            else:
                groups.append([number])
        return groups

    def _lead(self, likely: Floats, first: int) -> float:
        """How far a disease is ahead of the next that is no kind of it."""
        others = np.argsort(-likely, kind="stable")
        family = self.table.diseases[first].family
        rest = (row for row in others if self.table.diseases[row].family != family)
        second = next(rest, None)
        return float("inf") if second is None else float(likely[first] - likely[second])

    def _is_classic(
        self, mentions: Sequence[Sequence[int]], sex: Sex | None
    ) -> npt.NDArray[np.bool_]:
        """The known diseases that a single phenotype, listed as it stands, says much for."""
        most = np.zeros(len(self.table.diseases))
        for number in (number for numbers in mentions for number in numbers):
            gain, like, _ = self.gain(number, _bits(sex))
            most = np.maximum(most, np.where(like >= 1.0, gain, 0.0))
        return self._known & (most >= CLASSIC)

    def _information(self, numbers: Sequence[int]) -> float:
        return max(float(self.information[number]) for number in numbers)

    def gain(self, number: int, sexes: int = BOTH) -> tuple[Floats, Floats, npt.NDArray[np.int32]]:
        """For each disease: the log likelihood ratio of a phenotype, how alike what it lists is
        (0: nothing), and the number of that."""
        size = len(self.table.diseases)
        gain, like, listed = np.zeros(size), np.zeros(size), np.full(size, -1, np.int32)
        own = float(self.information[number])
        for line in self.table.phenotypes[number].lines:
            alike = 1.0 if line == number else self._alike(own, float(self.information[line]))
            if alike < ALIKE:
                continue
            start, end = self.table.starts[line], self.table.starts[line + 1]
            kept = (self.table.sexes[start:end] & sexes) > 0
            rows = self.table.rows[start:end][kept]
            rate = np.maximum(self._rate[start:end][kept], _LEAK)
            value = alike * np.log(rate / self._background[line])
            better = (value > gain[rows]) | (like[rows] == 0)
            gain[rows[better]] = value[better]
            like[rows[better]] = alike
            listed[rows[better]] = line
        return gain, like, listed

    @staticmethod
    def _alike(first: float, second: float) -> float:
        return 2 * min(first, second) / (first + second) if first + second > 0 else 0.0

    def _scores(
        self, case: PhenotypeEvidence, mentions: Sequence[Sequence[int]], sex: Sex | None
    ) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
        """Scores, the information that each explains, and how many telling mentions it lists."""
        size, sexes = len(self.table.diseases), _bits(sex)
        scores, explained = np.zeros(size), np.zeros(size)
        met = np.zeros(size, np.int64)
        for numbers in mentions:
            best, alike = np.full(size, -np.inf), np.zeros(size)
            for number in numbers:
                gain, like, _ = self.gain(number, sexes)
                gain = np.where(like > 0, gain, -np.inf) * case.present[number][0]
                alike = np.where(gain > best, like, alike)
                best = np.maximum(best, gain)
            information = self._information(numbers)
            lists = alike > 0
            scores += np.where(lists, best, -UNLISTED * information)
            explained += alike * information
            met += lists & (best >= TELLING / 2) & (information >= TELLING)
            for number in numbers:
                scores[self._excluded.get(number, [])] += EXCLUDED
        for number, (sure, _) in case.absent.items():
            start, end = self.table.starts[number], self.table.starts[number + 1]
            rest = 1 - np.minimum(self._rate[start:end], 0.97)
            speaks = np.log(rest / (1 - min(0.97, self._background[number])))
            scores[self.table.rows[start:end]] += sure * speaks
        return scores, explained, met

    def of_patient(self, age_years: float | None, sex: Sex | None) -> Floats:
        """What age and sex speak for (0) or against (less) each disease."""
        out = np.zeros(len(self.table.diseases))
        if age_years is not None:
            early = age_years < 0.6 * self._begins
            # A disease of infants is known long before middle age.
            late = (self._ends <= 5) & (age_years > 40)
            out += np.where(early | late, OTHER_AGE, 0.0)
        if sex == "female":
            out += np.where(self._x_linked, OTHER_SEX, 0.0)
        return out

    def _reasons(
        self,
        row: int,
        case: PhenotypeEvidence,
        mentions: Sequence[Sequence[int]],
        sex: Sex | None,
    ) -> tuple[RareReason, ...]:
        reasons: list[RareReason] = []
        for numbers in mentions:
            told = [(self.gain(number, _bits(sex)), number) for number in numbers]
            (gain, like, listed), number = max(
                told, key=lambda pair: (pair[0][1][row] > 0, pair[0][0][row])
            )
            known = self.table.phenotypes[number]
            finding = case.present[number][1]
            if any(row in self._excluded.get(n, ()) for n in numbers):
                reasons.append(RareReason(finding, known, known, "against", 0.0, EXCLUDED))
            elif like[row] > 0:
                as_ = self.table.phenotypes[listed[row]]
                rate = self._rate_of(row, int(listed[row]))
                reasons.append(RareReason(finding, known, as_, "for", rate, float(gain[row])))
            else:
                reasons.append(RareReason(finding, known, known, "unexplained", 0.0, 0.0))
        for number, (_, finding) in case.absent.items():
            rate = self._rate_of(row, number)
            if rate >= 0.5:
                known = self.table.phenotypes[number]
                weight = float(np.log(1 - min(rate, 0.97)))
                reasons.append(RareReason(finding, known, known, "against", rate, weight))
        return tuple(sorted(reasons, key=lambda r: (_ORDER[r.relation], -abs(r.weight))))

    def _rate_of(self, row: int, number: int) -> float:
        start, end = self.table.starts[number], self.table.starts[number + 1]
        at = start + int(np.searchsorted(self.table.rows[start:end], row))
        return float(self._rate[at]) if at < end and self.table.rows[at] == row else 0.0


_ORDER = {"for": 0, "against": 1, "unexplained": 2}


def _bits(sex: Sex | None) -> int:
    return {"male": MALE, "female": FEMALE}.get(sex or "", BOTH)
