"""How far reviewers agree: weighted kappa of each pair, and the intraclass correlation.

Kappa with quadratic weights: Cohen, Psychological Bulletin 70 (1968); with more than two reviewers
the mean over pairs (Light, Psychological Bulletin 76, 1971).  ICC(2,1), two-way random effects,
absolute agreement, of a single reviewer: Shrout and Fleiss, Psychological Bulletin 86 (1979).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

Scores = Mapping[str, Mapping[str, float]]
"""Reviewer → subject → score."""

LEAST = 2
"""Subjects that two reviewers must share."""


def weighted_kappa(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Of two reviewers' scores of the same subjects; None without variation or with too few.

    With squared differences as weights it needs no categories: one minus the observed mean squared
    difference over the one that chance gives, which pairs every score with every other.
    """
    if len(pairs) < LEAST:
        return None
    left, right = np.asarray(pairs, dtype=float).T
    by_chance = float(np.mean((left[:, None] - right[None, :]) ** 2))
    if by_chance == 0:
        return None
    return 1.0 - float(np.mean((left - right) ** 2)) / by_chance


def mean_kappa(scores: Scores) -> tuple[float | None, int]:
    """The mean over pairs of reviewers, weighted by nothing, and how many pairs it is of."""
    found = []
    for one, other in combinations(sorted(scores), 2):
        shared = sorted(scores[one].keys() & scores[other].keys())
        kappa = weighted_kappa([(scores[one][s], scores[other][s]) for s in shared])
        if kappa is not None:
            found.append(kappa)
    return (sum(found) / len(found) if found else None), len(found)


def icc_2_1(table: Sequence[Sequence[float]]) -> float | None:
    """Of subjects (rows) by reviewers (columns), every cell filled; None where it has no value."""
    values = np.asarray(table, dtype=float)
    if values.ndim != 2 or min(values.shape) < LEAST:
        return None
    n, k = values.shape
    mean = values.mean()
    rows = k * float(((values.mean(axis=1) - mean) ** 2).sum()) / (n - 1)
    columns = n * float(((values.mean(axis=0) - mean) ** 2).sum()) / (k - 1)
    total = float(((values - mean) ** 2).sum())
    rest = (total - rows * (n - 1) - columns * (k - 1)) / ((n - 1) * (k - 1))
    below = rows + (k - 1) * rest + k * (columns - rest) / n
    # What is left by rounding where nobody varies is no variation.
    return None if below < 1e-12 else float((rows - rest) / below)


def full_table(scores: Scores) -> tuple[list[list[float]], list[str]]:
    """The largest full table of subjects by reviewers, and its reviewers.

    Reviewers are taken one by one, who scored most first, while subjects times reviewers grows.
    """
    by_count = sorted(scores, key=lambda reviewer: (-len(scores[reviewer]), reviewer))
    best: tuple[int, list[str], list[str]] = (0, [], [])
    shared: set[str] | None = None
    for number, reviewer in enumerate(by_count, 1):
        own = set(scores[reviewer])
        shared = own if shared is None else shared & own
        if number > 1 and len(shared) * number > best[0]:
            best = len(shared) * number, by_count[:number], sorted(shared)
    _, reviewers, subjects = best
    return [[scores[r][s] for r in reviewers] for s in subjects], reviewers


def by_reviewer(rows: Sequence[tuple[str, str, float]]) -> dict[str, dict[str, float]]:
    """(reviewer, subject, score) rows as `Scores`."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for reviewer, subject, score in rows:
        found[reviewer][subject] = score
    return dict(found)
