"""Ranking of diseases by findings.

The score of disease *d* is a naive Bayes log-odds with leak, the scheme of QMR-DT (Shwe et al.,
Methods Inf Med 1991) and of INTERNIST's evoking strengths, on a graph that knows only which
findings are listed::

    score(d) = prior(d) + Σ_present  u_f · log( P(f|d) / q_f )
                        + Σ_absent   a · u_f · log( (1 - P(f|d)) / (1 - q_f) )

    P(f|d)   = m·s_d + (1 - m)·leak·q_f        m = how well d lists f, 0..1
    s_d      = sensitivity / (1 + n_d / n_0) ** γ    n_d = findings that d lists
    q_f      = max(floor, (N_f + 1) / (N + 2))        N_f = diseases that list f

A rare finding therefore weighs more than a common one (the logarithm of its inverse document
frequency), a finding that *d* does not list counts against it by ``log(leak)``, an absent finding
that *d* lists counts against it, and a disease with a long list gets less from each entry.  ``u_f``
is 1, or less for an uncertain finding.  A listed broader concept counts as *f* itself at the
broader concept's frequency (a patient with 清涕 has 流涕); a listed narrower one counts in part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Weights:
    """The numbers of the formula, chosen on train cases and own vignettes together."""

    sensitivity: float = 0.3
    leak: float = 0.25
    length: float = 12.0
    length_power: float = 0.3
    absent: float = 0.8
    uncertain: float = 0.5
    narrower: float = 0.25
    floor: float = 0.015


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True)
class Evidence:
    """One finding as the ranking sees it: a concept, present or absent, certain or not."""

    concept: int
    present: bool
    certain: bool = True


class Incidence:
    """Which disease lists which concept, as columns (concept → diseases and trust)."""

    def __init__(self, starts: Ints, diseases: Ints, trust: Floats, count: int) -> None:
        """``starts`` has one entry a concept and one more; ``count`` is the number of diseases."""
        self.starts, self.diseases, self.trust, self.count = starts, diseases, trust, count
        lengths = np.bincount(np.asarray(diseases), minlength=count)
        self.lengths: Floats = lengths.astype(np.float32)

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[int, float]], concepts: int) -> Incidence:
        """Columns from one mapping (concept → trust) a disease."""
        entries = sorted((c, d, w) for d, row in enumerate(rows) for c, w in row.items())
        starts = np.zeros(concepts + 1, np.int32)
        np.add.at(starts, np.array([c + 1 for c, _, _ in entries], np.int64), 1)
        return cls(
            np.cumsum(starts, dtype=np.int32),
            np.array([d for _, d, _ in entries], np.int32),
            np.array([w for _, _, w in entries], np.float32),
            len(rows),
        )

    def column(self, concept: int) -> tuple[Ints, Floats]:
        """The diseases that list ``concept`` and the trust in each."""
        part = slice(int(self.starts[concept]), int(self.starts[concept + 1]))
        return self.diseases[part], self.trust[part]

    def frequency(self, concept: int) -> int:
        """How many diseases list ``concept``."""
        return int(self.starts[concept + 1] - self.starts[concept])


class Ranking:
    """Scores all diseases of a base for a set of findings."""

    def __init__(
        self,
        incidence: Incidence,
        broader: Mapping[int, Sequence[int]],
        narrower: Mapping[int, Sequence[int]],
        weights: Weights = DEFAULT_WEIGHTS,
    ) -> None:
        """``broader`` and ``narrower`` give the ancestors and descendants of a concept."""
        self._incidence = incidence
        self._broader = broader
        self._narrower = narrower
        self._weights = weights
        length = 1.0 + incidence.lengths / weights.length
        self._sensitivity: Floats = (weights.sensitivity / length**weights.length_power).astype(
            np.float32
        )

    def contributions(self, evidence: Sequence[Evidence]) -> Floats:
        """What each finding adds to each disease's score: ``[len(evidence), diseases]``."""
        rows = np.zeros((len(evidence), self._incidence.count), np.float32)
        for row, item in zip(rows, evidence, strict=True):
            row[:] = self._present(item) if item.present else self._absent(item)
            if not item.certain:
                row *= self._weights.uncertain
        return rows

    def listed(self, concept: int) -> Floats:
        """How well each disease lists ``concept`` (itself or a narrower one), 0..1."""
        match = np.zeros(self._incidence.count, np.float32)
        below = ((other, self._weights.narrower) for other in self._narrower.get(concept, ()))
        for other, share in ((concept, 1.0), *below):
            diseases, trust = self._incidence.column(other)
            np.maximum.at(match, diseases, trust * np.float32(share))
        return match

    def _rate(self, concept: int) -> float:
        total = self._incidence.count
        return max((self._incidence.frequency(concept) + 1) / (total + 2), self._weights.floor)

    def _present(self, item: Evidence) -> Floats:
        best = self._gain(self.listed(item.concept), self._rate(item.concept))
        for ancestor in self._broader.get(item.concept, ()):
            match = np.zeros(self._incidence.count, np.float32)
            diseases, trust = self._incidence.column(ancestor)
            match[diseases] = trust
            np.maximum(best, self._gain(match, self._rate(ancestor)), out=best)
        return best

    def _gain(self, match: Floats, rate: float) -> Floats:
        likelihood = match * self._sensitivity + (1 - match) * self._weights.leak * rate
        return np.asarray(np.log(likelihood / rate), np.float32)

    def _absent(self, item: Evidence) -> Floats:
        match, rate = self.listed(item.concept), self._rate(item.concept)
        likelihood = match * self._sensitivity + (1 - match) * self._weights.leak * rate
        row = self._weights.absent * np.log((1 - likelihood) / (1 - rate))
        return np.asarray(row, np.float32)
