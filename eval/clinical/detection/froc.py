"""Sensitivity against false marks a scan (FROC), with bootstrap intervals over scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.significance import RESAMPLES, SEED


@dataclass(frozen=True, slots=True)
class ScanMarks:
    """Of one scan: the best score of each nodule's marks (−1: none), and of each false mark."""

    name: str
    nodules: NDArray[np.float64]
    false: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """Sensitivity at ``rate`` false marks a scan, with its 95 % interval; 0 to 1."""

    rate: float
    sensitivity: float
    low: float
    high: float
    threshold: float


def sensitivity(scans: Sequence[ScanMarks], rate: float) -> tuple[float, float]:
    """(share of nodules, threshold) at the lowest threshold with at most ``rate`` false marks."""
    threshold = least_score(scans, rate)
    found = np.concatenate([scan.nodules for scan in scans])
    return float((found >= threshold).mean()) if len(found) else 0.0, threshold


def least_score(scans: Sequence[ScanMarks], rate: float) -> float:
    """The least score from which on no more than ``rate`` false marks a scan are told."""
    false = np.sort(np.concatenate([scan.false for scan in scans]))[::-1]
    allowed = int(np.floor(rate * len(scans)))
    if allowed >= len(false):
        return 0.0
    return float(np.nextafter(false[allowed], 2.0))


def point(scans: Sequence[ScanMarks], rate: float) -> Point:
    """The point with the percentile interval of the bootstrap: scans are drawn, and the threshold
    is found anew in each draw."""
    value, threshold = sensitivity(scans, rate)
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = [scans[n] for n in rng.integers(len(scans), size=len(scans))]
        if any(len(scan.nodules) for scan in chosen):
            drawn.append(sensitivity(chosen, rate)[0])
    low, high = np.percentile(drawn, (2.5, 97.5)) if drawn else (0.0, 1.0)
    return Point(rate, value, float(low), float(high), threshold)
