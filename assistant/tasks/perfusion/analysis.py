"""The way from a study to its maps: motion, brain, curves, vessels, deconvolution, lesion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Mask
from assistant.tasks.perfusion import (
    curves,
    deconvolution,
    model,
    motion,
    smoothing,
    symmetry,
    tissue,
    vessels,
)
from assistant.tasks.perfusion.curves import Bolus, Reduced
from assistant.tasks.perfusion.lesion import Lesion, lesion
from assistant.tasks.perfusion.region import Region
from assistant.tasks.perfusion.regions import regions
from assistant.tasks.perfusion.settings import PerfusionSettings
from assistant.tasks.perfusion.study import Curves, Floats, Study
from assistant.tasks.perfusion.vessels import Vessel

Report = Callable[[int, int, str], None]
Map = NDArray[np.float32]

VESSEL_CBV = 12.0
"""ml/100 g; what holds more is a vessel and no tissue."""

_VESSEL_PEAK = 0.25  # of the arterial input
_LONGEST_MTT = 40.0
_BEFORE = 3
_SIMILAR = 4.0
"""By how much the noise after smoothing is underrated: near voxels share their noise."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that was found, on the grid of the study's array.

    ``maps``: cbf ml/100 g/min, cbv ml/100 g, mtt, tmax, ttp and delay s.  ``times`` are those of
    the curves of ``artery``, ``vein`` and ``tissue_curve``.
    """

    study: Study
    is_ct: bool
    before: Map
    brain: Mask
    tissue: Mask
    whole: bool
    maps: dict[str, Map]
    times: Floats
    artery: Vessel
    vein: Vessel | None
    scale: float
    bolus: Bolus
    motion: motion.Motion | None
    line: symmetry.Midline
    lesion: Lesion
    regions: list[Region]
    noise: float
    tissue_curve: Floats
    lesion_curve: Floats | None


def analysed(
    study: Study,
    settings: PerfusionSettings,
    artery_at: Mask | None = None,
    report: Report | None = None,
) -> Analysis:
    """All maps of a study.  ``artery_at``: voxels of the arterial input, where it is given.

    Raises `ImageProblem`.
    """
    tell = report or (lambda *_: None)
    is_ct = study.modality != "MR"
    tell(0, 5, "灌注 perfusion")
    array, moved = motion.undone(study, is_ct) if settings.motion else (study.array, None)
    tell(1, 5, "灌注 perfusion")
    start = array[:_BEFORE].mean(axis=0)
    where = tissue.on_ct(start, study.grid.spacing) if is_ct else tissue.on_mr(start)
    if moved is not None and moved.corrected.any():
        where = tissue.inner(where)
    reduced, times, bolus = _contrast(study, array, where.brain, is_ct, settings)
    raw = reduced.curves()
    artery = (
        vessels.artery(raw, times, where.brain, bolus.start)
        if artery_at is None
        else vessels.given(raw, times, where.brain, artery_at)
    )
    curves.check_arrival(bolus, artery.peak, is_ct)
    vein = vessels.vein(raw, times, where.brain, artery, bolus.start)
    scale = vessels.scale(artery, vein, times) if settings.venous_scaling else 1.0
    tell(2, 5, "灌注 perfusion")
    noise = reduced.noise
    if settings.denoise:
        scores, left = smoothing.smoothed(
            reduced.scores, where.brain, noise, reduced.certain, study.grid.spacing
        )
        reduced = Reduced(scores, reduced.basis, left, reduced.certain)
    tell(3, 5, "灌注 perfusion")
    maps = _maps(reduced, artery.curve * scale, times, where.brain, settings)
    tell(4, 5, "灌注 perfusion")
    peaks = _volume(raw.max(axis=1), where.brain)
    vascular = (peaks > _VESSEL_PEAK * artery.peak * scale) | (maps["cbv"] > VESSEL_CBV)
    measured = where.parenchyma & ~vascular
    line = symmetry.midline(start, where.brain, study.grid)
    found = lesion(
        maps,
        measured,
        line.left(measured.shape),
        study.voxel_ml,
        settings,
    )
    listed = regions(maps, measured, line, _front(study), found, study.voxel_ml)
    smooth = reduced.curves()
    ill = found.hypoperfused[where.brain]
    sound = measured[where.brain] & ~ill
    tell(5, 5, "灌注 perfusion")
    return Analysis(
        study,
        is_ct,
        start,
        where.brain,
        measured,
        where.whole,
        maps,
        times,
        artery,
        vein,
        scale,
        bolus,
        moved,
        line,
        found,
        listed,
        noise,
        smooth[sound].mean(axis=0).astype(float) if sound.any() else np.zeros(len(times)),
        smooth[ill].mean(axis=0).astype(float) if ill.any() else None,
    )


def _contrast(
    study: Study, array: NDArray[np.float32], brain: Mask, is_ct: bool, settings: PerfusionSettings
) -> tuple[Reduced, Floats, Bolus]:
    """The curves of all voxels of the brain on common times, and the bolus."""
    target = curves.common_times(study.times)
    signals = array[:, brain].T
    if not is_ct:
        signals = curves.logarithm(signals, study.echo_time)
    bolus = curves.bolus(signals, study.times.mean(axis=0))
    of_slice = np.repeat(np.arange(len(brain)), brain.sum(axis=(1, 2)))
    patterns, group = np.unique(study.times, axis=0, return_inverse=True)
    group = group.ravel()[of_slice]
    if len(patterns) == 1:
        made = curves.without_noise(signals, patterns[0], target, settings.denoise)
    else:
        made = _joined(signals, patterns, group, target, settings.denoise)
    return curves.from_baseline(made, target, bolus.start), target, bolus


def _joined(
    signals: Curves, patterns: Floats, group: NDArray[np.int64], target: Floats, denoise: bool
) -> Reduced:
    """Slices of different times: each kind brought to common times, then all reduced as one."""
    even = np.empty((len(signals), len(target)), np.float32)
    noises = []
    for number, times in enumerate(patterns):
        rows = np.flatnonzero(group == number)
        if len(rows):
            part = curves.without_noise(signals[rows], times, target, denoise)
            even[rows] = part.curves()
            noises.append(part.noise)
    whole = curves.without_noise(even, target, target, denoise)
    return Reduced(whole.scores, whole.basis, float(np.median(noises)), whole.certain)


def _maps(
    reduced: Reduced, inflow: Floats, times: Floats, brain: Mask, settings: PerfusionSettings
) -> dict[str, Map]:
    step = float(times[1] - times[0])
    if settings.method == "bayes":
        found = model.fitted(reduced, inflow, step, reduced.noise * _SIMILAR)
    else:
        found = deconvolution.deconvolved(reduced, inflow, step, settings.oscillation)
    smooth = reduced.curves()
    flow, volume = found.peak * 60 * settings.factor, found.area * settings.factor
    transit = np.where(flow > 0.1, 60 * volume / np.maximum(flow, 0.1), 0)
    values = {
        "cbf": flow,
        "cbv": volume,
        "mtt": np.minimum(transit, _LONGEST_MTT),
        "tmax": found.tmax,
        "ttp": times[smooth.argmax(axis=1)],
        "delay": _delay(smooth, inflow, times),
    }
    return {name: _volume(one, brain) for name, one in values.items()}


def _delay(smooth: Curves, inflow: Floats, times: Floats) -> NDArray[np.float32]:
    """How much later than in the artery a curve comes to a tenth of its peak, s."""
    arrived = np.array([_tenth(inflow[None].astype(np.float32), times)[0]])
    found: NDArray[np.float32] = np.maximum(_tenth(smooth, times) - arrived, 0).astype(np.float32)
    return found


def _tenth(curve: Curves, times: Floats) -> Floats:
    height = curve.max(axis=1)
    top = curve.argmax(axis=1)
    index = np.arange(len(times))
    low = (curve < 0.1 * height[:, None]) & (index < top[:, None])
    last = np.where(low, index, 0).max(axis=1)
    here = np.arange(len(curve))
    following = np.minimum(last + 1, len(times) - 1)
    rise = np.maximum(curve[here, following] - curve[here, last], 1e-9)
    part = np.clip((0.1 * height - curve[here, last]) / rise, 0, 1)
    found: Floats = times[last] + part * (times[following] - times[last])
    return found


def _volume(values: NDArray[np.generic], brain: Mask) -> Map:
    made = np.zeros(brain.shape, np.float32)
    made[brain] = values
    return made


def _front(study: Study) -> NDArray[np.float64]:
    """How far in front (−y of the patient) each voxel lies, mm."""
    rows, columns = np.indices(study.grid.shape[1:])
    step = study.grid.step
    plane = -(step[1, 1] * rows + step[1, 2] * columns)
    if np.ptp(plane) < 1:
        plane = -rows.astype(float)
    return np.broadcast_to(plane, study.grid.shape)
