"""A share with its 95 % interval, where the cases of one record belong together."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from eval.clinical.result import Figure
from eval.significance import RESAMPLES, SEED

_Z = 1.959963984540054


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's score interval at 95 % (Wilson 1927), 0 to 1; nothing is known where ``n`` is 0."""
    if n == 0:
        return 0.0, 1.0
    share, squared = hits / n, _Z * _Z
    middle = (share + squared / (2 * n)) / (1 + squared / n)
    half = _Z / (1 + squared / n) * math.sqrt(share * (1 - share) / n + squared / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _resampled(counts: Mapping[str, tuple[int, int]]) -> tuple[float, float] | None:
    """The percentile interval of the bootstrap over records; None with fewer than two of them."""
    if len(counts) < 2:
        return None
    rows = np.array(sorted(counts.values()), dtype=np.float64)
    drawn = np.random.default_rng(SEED).multinomial(
        len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES
    )
    hits, n = (drawn @ rows).T
    low, high = np.percentile(hits[n > 0] / n[n > 0], (2.5, 97.5))
    return float(low), float(high)


def share(name: str, counts: Mapping[str, tuple[int, int]], *, group: str = "") -> Figure:
    """Hits of all cases in percent; ``counts`` has (hits, cases) a record.

    The interval is the wider of Wilson's, which does not know that cases of one record are alike,
    and the bootstrap over records, which shrinks to a point where every record agrees.
    """
    hits, n = sum(h for h, _ in counts.values()), sum(m for _, m in counts.values())
    low, high = wilson(hits, n)
    if n and (drawn := _resampled({key: c for key, c in counts.items() if c[1]})):
        low, high = min(low, drawn[0]), max(high, drawn[1])
    return Figure(
        name=name,
        value=round(100 * hits / n, 4) if n else 0.0,
        low=round(100 * low, 4),
        high=round(100 * high, 4),
        n=n,
        group=group,
    )
