"""Intensity-based statistics (IBSI reference manual, 3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def statistics(values: NDArray[np.generic], prefix: str = "stat") -> dict[str, float]:
    """The statistics of the intensities of a region, in the unit of these.

    Variance, skewness and kurtosis are those of the whole, not of a sample; the kurtosis is in
    excess of the normal one.  Both are 0 where all values are equal.
    """
    x = np.asarray(values, float)
    mean = x.mean()
    apart = x - mean
    variance = float(np.mean(apart**2))
    p10, p25, median, p75, p90 = np.percentile(x, [10, 25, 50, 75, 90])
    middle = x[(x >= p10) & (x <= p90)]
    found = {
        "mean": mean,
        "var": variance,
        "skew": np.mean(apart**3) / variance**1.5 if variance > 0 else 0.0,
        "kurt": np.mean(apart**4) / variance**2 - 3 if variance > 0 else 0.0,
        "median": median,
        "min": x.min(),
        "p10": p10,
        "p90": p90,
        "max": x.max(),
        "iqr": p75 - p25,
        "range": x.max() - x.min(),
        "mad": np.mean(np.abs(apart)),
        # Of two values none lies between the percentiles.
        "rmad": np.mean(np.abs(middle - middle.mean())) if len(middle) else np.nan,
        "medad": np.mean(np.abs(x - median)),
        "cov": np.sqrt(variance) / mean if mean else np.nan,
        "qcod": (p75 - p25) / (p75 + p25) if p75 + p25 else np.nan,
        "energy": np.sum(x**2),
        "rms": np.sqrt(np.mean(x**2)),
    }
    return {f"{prefix}_{name}": float(value) for name, value in found.items()}
