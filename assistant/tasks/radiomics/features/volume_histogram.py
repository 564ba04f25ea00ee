"""The intensity-volume histogram: how much of a region has at least an intensity (IBSI, 3.5)."""

from __future__ import annotations

import numpy as np

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.region import MAX_LEVELS, Prepared, binned
from assistant.tasks.radiomics.settings import Bins

_ROUNDING = 1e-12
"""Shares such as 0.9 are sums of binary fractions."""


def volume_histogram(region: Prepared, bins: Bins | None) -> dict[str, float]:
    """Volume fractions at 10 % and 90 % of the intensities' range, intensities at 10 % and 90 % of
    the volume, and the area under the curve.

    Without ``bins`` each whole number is a step, from the lower to the upper bound of the
    re-segmentation range, or of the intensities where there is none.
    """
    grey, volume, beyond = _curve(region, bins)
    reach = grey[-1] - grey[0]
    intensity = (grey - grey[0]) / reach if reach > 0 else np.zeros(len(grey))

    def volume_at(share: float) -> float:
        return float(volume[intensity >= share - _ROUNDING].max(initial=0.0))

    def intensity_at(share: float) -> float:
        return float(grey[volume <= share + _ROUNDING].min(initial=beyond))

    v10, v90, i10, i90 = volume_at(0.1), volume_at(0.9), intensity_at(0.1), intensity_at(0.9)
    return {
        "ivh_v10": v10,
        "ivh_v90": v90,
        "ivh_i10": i10,
        "ivh_i90": i90,
        "ivh_diff_v10_v90": v10 - v90,
        "ivh_diff_i10_i90": i10 - i90,
        "ivh_auc": float(np.trapezoid(volume, intensity)),
    }


def _curve(region: Prepared, bins: Bins | None) -> tuple[Floats, Floats, float]:
    """Intensities in steps, the share of the region with at least each, and the step after them."""
    values = region.values
    low, high = region.bounds
    low = float(values.min()) if np.isnan(low) else low
    high = float(values.max()) if np.isnan(high) else high
    if bins is None:
        if high - low > 100 * MAX_LEVELS:
            raise ImageProblem(
                "灰度范围过大，请在设置中给出 volume_histogram_bins。",
                "The intensities reach too far; give volume_histogram_bins in the settings.",
            )
        grey = np.arange(low, high + 1)
        beyond = high + 1
        # At least an intensity: values between two steps count for the lower.
        below = np.searchsorted(np.sort(values), grey, side="left")
    else:
        levels, count = binned(values, bins, region.bounds[0])
        if bins.width is None:
            grey, beyond = np.arange(1.0, count + 1), count + 1.0
        else:
            start = low if bins.start == "range" else float(values.min())
            count = max(count, int(np.ceil((high - start) / bins.width)))
            grey = start + (np.arange(1, count + 1) - 0.5) * bins.width
            beyond = grey[-1] + bins.width
        filled = np.bincount(levels, minlength=count + 1)[1:]
        below = np.concatenate([[0], np.cumsum(filled)[:-1]])
    return grey, 1 - below / len(values), float(beyond)
