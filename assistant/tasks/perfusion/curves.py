"""From signals to curves of contrast agent: units, baseline, noise, one grid of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.tasks.perfusion.study import Curves, Floats

LONGEST_STEP = 1.0
"""Seconds between points of the common grid: what the oscillation index was fitted for."""

_MOST_COMPONENTS = 12
_MORE = 8
"""Components that show themselves only when noise has been averaged over neighbours."""

_ARRIVED = 0.08  # of the peak of the vessels
_VESSEL = 0.3  # of the height of the highest
_TAIL = 3


@dataclass(frozen=True, slots=True)
class Bolus:
    """Where the contrast agent comes: ``start`` and ``peak`` in seconds, ``strength`` in multiples
    of the noise of a curve."""

    start: float
    peak: float
    strength: float


@dataclass(frozen=True, slots=True)
class Reduced:
    """Curves as ``scores`` (voxels, components) of ``basis`` (components, samples), and the
    standard deviation of the noise in a score."""

    scores: NDArray[np.float32]
    basis: NDArray[np.float32]
    noise: float
    certain: int = 0
    """How many components stand above the noise of a single voxel."""

    def curves(self, rows: NDArray[np.generic] | slice = slice(None)) -> Curves:
        """The curves of some voxels."""
        made: Curves = self.scores[rows] @ self.basis
        return made


def logarithm(signal: NDArray[np.float32], echo_time: float) -> NDArray[np.float32]:
    """−ln S / TE: its change is ΔR2* in 1/s (with TE = 1 where it is not known)."""
    return np.asarray(-np.log(np.maximum(signal, 1e-3)) / (echo_time or 1.0), np.float32)


def bolus(signals: Curves, times: Floats) -> Bolus:
    """Where the contrast agent comes, from the voxels that rise most.

    ``signals``: (voxels, times) which rise with contrast.  Raises `ImageProblem` where none came.
    """
    early = max(2, len(times) // 10)
    change = signals - np.median(signals[:, :early], axis=1, keepdims=True)
    smooth = (change[:, :-2] + change[:, 1:-1] + change[:, 2:]) / 3
    order = np.argsort(smooth.max(axis=1))
    chosen = order[-max(len(order) // 2000, min(len(order), 24)) :]
    wider = order[-max(len(order) // 200, min(len(order), 24)) :]
    noise = float(np.median(np.abs(np.diff(change, axis=1))) / 0.6745 / np.sqrt(2))
    usual = np.median(smooth[chosen], axis=0)
    height = float(np.ptp(usual[: usual.argmax() + 1]))
    # Arteries may be lower than veins, and come first.
    wider = wider[smooth[wider].max(axis=1) > _VESSEL * height]
    arrivals = [_arrival(curve, noise) for curve in smooth[wider]]
    # The smoothing reaches one sample ahead, and its own samples begin one later.
    first = int(np.percentile(arrivals, 5)) if arrivals else 0
    top = int(usual.argmax()) + 1
    return Bolus(float(times[first]), float(times[top]), height / max(noise, 1e-6))


def _arrival(curve: Curves, noise: float) -> int:
    """The last sample before the steep rise of a smoothed curve to its peak."""
    before = curve[: int(curve.argmax()) + 1]
    floor = float(np.median(before[: max(2, len(before) // 3)]))
    level = max(_ARRIVED * (float(before[-1]) - floor), 2 * noise / np.sqrt(3))
    below = np.flatnonzero(before <= floor + level)
    return int(below[-1]) if len(below) else 0


def check_arrival(found: Bolus, height: float, is_ct: bool) -> None:
    """Raise `ImageProblem` where no contrast agent came.  ``height``: of the vessels."""
    if found.strength < 5 or (is_ct and height < 15):
        raise ImageProblem(
            "未见造影剂到达（血管无强化），无法计算灌注；请确认注射与采集时间。",
            "No contrast agent arrived (no vessel enhances); check injection and timing.",
        )


def without_noise(signals: Curves, times: Floats, target: Floats, denoise: bool) -> Reduced:
    """Curves on the times ``target``, kept as the components that stand above the noise.

    The eigenvalues of white noise lie below the edge of Marchenko and Pastur (Veraart et al.,
    NeuroImage 2016; 142: 394), here with as many voxels as there are.  ``signals``: (voxels,
    times); each voxel's mean over time is left out.
    """
    count, length = signals.shape
    centred = signals - signals.mean(axis=1, keepdims=True)
    moment = (centred.T @ centred).astype(np.float64) / count
    values, vectors = np.linalg.eigh(moment)
    values, vectors = values[::-1], vectors[:, ::-1]
    noise2, kept = _edge(values[: length - 1], count)
    kept = length - 1 if not denoise else int(np.clip(kept, 2, _MOST_COMPONENTS))
    more = min(kept + _MORE, length - 1)
    chosen = vectors[:, :more]
    weights = interpolation(times, target)
    basis = (weights @ chosen).T
    scores = centred @ chosen.astype(np.float32)
    return Reduced(scores, basis.astype(np.float32), float(np.sqrt(noise2)), kept)


def _edge(values: Floats, count: int) -> tuple[float, int]:
    """Variance of the noise, and how many eigenvalues stand above it."""
    length = len(values)
    for kept in range(length - 1):
        rest = values[kept:]
        spread = (1 + np.sqrt(len(rest) / count)) ** 2
        # The noise of images is not quite white: some slack above the edge.
        if rest[0] <= rest.mean() * spread * 1.15:
            return float(rest.mean()), kept
    return float(values[-1]), length - 1


def interpolation(times: Floats, target: Floats) -> Floats:
    """A matrix (targets, times): a cubic spline through values at ``times``; flat outside."""
    if len(times) == len(target) and np.allclose(times, target, atol=1e-6):
        return np.eye(len(times))
    from scipy.interpolate import make_interp_spline

    spline = make_interp_spline(times, np.eye(len(times)), k=min(3, len(times) - 1))
    found: Floats = np.asarray(spline(np.clip(target, times[0], times[-1])))
    return found


def common_times(times: Floats) -> Floats:
    """Evenly spaced times in which all slices (slices, times) were seen."""
    steps = np.diff(times, axis=1)
    step = min(float(np.median(steps, axis=1).min()), LONGEST_STEP)
    low, high = float(times[:, 0].min()), float(times[:, -1].max())
    count = min(round((high - low) / step) + 1, 400)
    if np.ptp(times, axis=0).max() < 1e-6 and np.allclose(steps, step, rtol=0.02):
        return np.asarray(times[0], np.float64)
    return np.asarray(low + np.arange(count) * step, np.float64)


def from_baseline(reduced: Reduced, times: Floats, start: float) -> Reduced:
    """The same curves with a mean of 0 until ``start``; linear, so done to the basis."""
    before = times <= max(start, times[min(1, len(times) - 1)])
    basis = reduced.basis - reduced.basis[:, before].mean(axis=1, keepdims=True)
    return Reduced(reduced.scores, basis, reduced.noise, reduced.certain)


def extension(length: int) -> Floats:
    """A matrix (2 × length, length): a curve followed by its own end, faded to zero.

    Padding with zeros would be a jump for a curve whose contrast agent has not left yet.  Artery
    and tissue fade alike, so that what is convolved stays so as long as fading is slow.
    """
    matrix = np.zeros((2 * length, length))
    matrix[:length] = np.eye(length)
    fade = (1 + np.cos(np.pi * np.arange(1, length + 1) / (length + 1))) / 2
    matrix[length:, -_TAIL:] = fade[:, None] / _TAIL
    return matrix
