"""The population stability index (PSI): how far a sample is from a reference.

PSI = Σ (aᵢ - eᵢ) · ln(aᵢ / eᵢ) over the shares of the bins, aᵢ now and eᵢ of the reference
(Siddiqi, Credit Risk Scorecards, Wiley 2006): the symmetric divergence of Jeffreys.  Each count has
one half added, so that an empty bin has a share (Krichevsky and Trofimov 1981).

Without any change it is not 0 but about (1/n + 1/m) times a chi-squared variable with one degree
less than bins (Yurdakul and Naranjo, J. Risk Model Validation 14(4), 2020); with few drafts the
usual limit of 0.25 would always be passed.  `Drift.limit` is therefore the larger of 0.25 and the
95th percentile of chance, by Wilson and Hilferty's approximation (PNAS 17, 1931).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from assistant.monitoring.measure import Measured

BINS = 5
LARGE = 0.25
LEAST = 10
"""Fewer in the sample or the reference say nothing."""
RARE = 5
"""Names that the reference has less often stand together."""
OTHER = "…"
Z_95 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Drift:
    """The index of one property, and what it must pass to count as a change."""

    psi: float
    limit: float

    @property
    def changed(self) -> bool:
        """Whether it is more than chance and more than little."""
        return self.psi > self.limit


def stability(now: Sequence[str], reference: Sequence[str], rare: int = RARE) -> Drift | None:
    """The drift of names or bins; None where there are too few.

    What the reference has less than ``rare`` times stands together.
    """
    if min(len(now), len(reference)) < LEAST:
        return None
    before = Counter(reference)
    known = {name for name, count in before.items() if count >= rare}
    expected = Counter(name if name in known else OTHER for name in reference)
    actual = Counter(name if name in known else OTHER for name in now)
    bins = sorted(expected.keys() | actual.keys())
    if len(bins) < 2:
        return Drift(0.0, LARGE)
    half = 0.5 * len(bins)
    psi = 0.0
    for name in bins:
        a = (actual[name] + 0.5) / (len(now) + half)
        e = (expected[name] + 0.5) / (len(reference) + half)
        psi += (a - e) * math.log(a / e)
    chance = (1 / len(now) + 1 / len(reference)) * _chi_squared_95(len(bins) - 1)
    return Drift(psi, max(LARGE, chance))


def number_stability(now: Sequence[float], reference: Sequence[float]) -> Drift | None:
    """The same of numbers, in bins by the quintiles of the reference."""
    if min(len(now), len(reference)) < LEAST:
        return None
    edges = sorted(set(quantiles(reference, n=BINS)))

    def bin_of(value: float) -> str:
        return str(sum(value > edge for edge in edges))

    return stability([bin_of(v) for v in now], [bin_of(v) for v in reference], rare=1)


def _chi_squared_95(degrees: int) -> float:
    part = 2 / (9 * degrees)
    return float(degrees * (1 - part + Z_95 * math.sqrt(part)) ** 3)


Values = Callable[[Measured], Sequence[str]]
NUMBERS: dict[str, Callable[[Measured], float]] = {
    "input.length": lambda m: float(m.input_length),
    "output.length": lambda m: float(m.output_length),
    "output.statements": lambda m: float(m.statements),
}
NAMES: dict[str, Values] = {
    "input.department": lambda m: (m.department,),
    "input.findings": lambda m: m.findings,
    "output.problems": lambda m: m.problems or ("",),
}


def drift(now: Sequence[Measured], reference: Sequence[Measured]) -> dict[str, Drift]:
    """Property → its drift; a property that too few drafts have is not among them."""
    found: dict[str, Drift | None] = {}
    for name, number in NUMBERS.items():
        found[name] = number_stability([number(m) for m in now], [number(m) for m in reference])
    for name, names in NAMES.items():
        found[name] = stability(
            [one for m in now for one in names(m)], [one for m in reference for one in names(m)]
        )
    return {name: one for name, one in found.items() if one is not None}
