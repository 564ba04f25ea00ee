"""Core and hypoperfused tissue by the usual thresholds, and how much of the one the other is.

Core: CBF below 30 % of the healthy side's; hypoperfused: Tmax above 6 s (Albers et al., N Engl J
Med 2018; 378: 708; DEFUSE 3); hypoperfusion intensity ratio: the part of it above 10 s (Bang et
al., Stroke 2014; 45: 1018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.volume import Mask
from assistant.tasks.perfusion.settings import PerfusionSettings

Side = Literal["left", "right"]
_HEALTHY_TMAX = 4.0
"""Seconds; tissue above is no measure of the healthy side."""

_DELAYED, _SLOW = 4.0, 1.45
"""Low flow is of a stroke where blood comes late (s) or passes slowly (of the healthy side's MTT;
Wintermark et al., Stroke 2006; 37: 979); elsewhere it is CSF beside tissue or an old scar."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """``hypoperfused`` contains ``core``.  ``healthy``: the side that flow is measured against;
    ``reference``: its CBF, ml/100 g/min."""

    core: Mask
    hypoperfused: Mask
    severe: Mask
    healthy: Side
    reference: float


def lesion(
    maps: Mapping[str, NDArray[np.float32]],
    tissue: Mask,
    left: Mask,
    voxel_ml: float,
    settings: PerfusionSettings,
) -> Lesion:
    """What of ``tissue`` is ill.  ``left``: the patient's left half."""
    cbf, tmax, mtt = maps["cbf"], maps["tmax"], maps["mtt"]
    late = tissue & (tmax > settings.tmax_seconds)
    healthy: Side = "left" if (late & ~left).sum() >= (late & left).sum() else "right"
    side = left if healthy == "left" else ~left
    normal = tissue & side & (tmax <= _HEALTHY_TMAX)
    if not normal.any():
        normal = tissue & side if (tissue & side).any() else tissue
    reference = float(np.median(cbf[normal]))
    least = settings.least_lesion_ml / voxel_ml
    late = _islands(late, least)
    low = tissue & (cbf < settings.core_ratio * reference)
    late_or_slow = (tmax > _DELAYED) | (mtt > _SLOW * np.median(mtt[normal]))
    core = _islands(low & late_or_slow, least)
    hypoperfused = late | core
    severe = hypoperfused & (tmax > settings.severe_tmax_seconds)
    return Lesion(core, hypoperfused, severe, healthy, reference)


def _islands(mask: Mask, least: float) -> Mask:
    """The connected parts of at least ``least`` voxels."""
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    kept = np.bincount(labels.ravel(), minlength=count + 1) >= max(least, 1)
    kept[0] = False
    found: Mask = kept[labels]
    return found
