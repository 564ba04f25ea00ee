"""Transit times and delays averaged over their posterior, instead of any residue function.

As Boutelier et al. (IEEE Trans Med Imaging 2012; 31: 1381) and Mouridsen et al. (NeuroImage 2006;
33: 570): tissue is the arterial input, delayed, through a distribution of transit times; here a
gamma distribution.  On a grid of delay and MTT the flow has a best value in closed form; the
posterior over the grid, with the noise known, gives the means.  The shape of the distribution (1:
an exponential residue; 30: nearly a box) is the one that explains the study best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.tasks.perfusion.curves import Reduced
from assistant.tasks.perfusion.deconvolution import Residues
from assistant.tasks.perfusion.study import Floats

Scores = NDArray[np.float32]

DELAYS = np.arange(-2.0, 16.01, 0.5)
TRANSITS = np.geomspace(1.5, 36.0, 24)
SHAPES = (1.0, 3.0, 30.0)
_FINE = 0.1
_BLOCK = 4096
_SAMPLE, _ROUNDS = 6000, 4
_EVEN = 0.1
"""Share of the prior that is equal for all, so that what is rare may still be found."""


@dataclass(frozen=True, slots=True)
class _Atoms:
    """Curves of a blood volume of 1, in the space of the scores, with delay and MTT of each."""

    curves: Scores
    gram: Scores
    delays: Scores
    transits: Scores


def fitted(reduced: Reduced, artery: Floats, step: float, noise: float) -> Residues:
    """The posterior means.  ``noise``: of a score of ``reduced`` (after smoothing)."""
    scores = reduced.scores
    sample = scores[:: max(1, len(scores) // _SAMPLE)]
    precision = np.float32(0.5 / max(noise, 1e-9) ** 2)
    choices = []
    for shape in SHAPES:
        atoms = _atoms(artery, step, shape, reduced.basis)
        prior, evidence = _prior(sample, atoms, precision)
        choices.append((evidence, atoms, prior))
    # Each voxel has one vote: the sum would be that of a few vessels, which fit nothing.
    votes = np.argmax([evidence for evidence, _, _ in choices], axis=0)
    _, atoms, prior = choices[int(np.bincount(votes).argmax())]
    made = Residues(*(np.zeros(len(scores), np.float32) for _ in range(4)))
    for low in range(0, len(scores), _BLOCK):
        rows = slice(low, low + _BLOCK)
        weight, flow, _ = _posterior(scores[rows], atoms, precision, prior)
        made.tmax[rows] = np.maximum(weight @ atoms.delays, 0)
        volume = weight * flow
        made.area[rows] = volume.sum(axis=1)
        made.peak[rows] = volume @ (1 / atoms.transits)
    return made


def _prior(sample: Scores, atoms: _Atoms, precision: np.float32) -> tuple[Scores, Scores]:
    """The logarithm of how often each atom fits in this study, and of each voxel's evidence."""
    even = 1 / len(atoms.gram)
    prior = np.full(len(atoms.gram), np.log(even), np.float32)
    evidence = np.zeros(len(sample), np.float32)
    for _ in range(_ROUNDS):
        total = np.zeros(len(atoms.gram))
        for low in range(0, len(sample), _BLOCK):
            part = sample[low : low + _BLOCK]
            weight, _, evidence[low : low + _BLOCK] = _posterior(part, atoms, precision, prior)
            total += weight.sum(axis=0)
        prior = np.log(_EVEN * even + (1 - _EVEN) * total / total.sum()).astype(np.float32)
    return prior, evidence


def _posterior(
    scores: Scores, atoms: _Atoms, precision: np.float32, prior: Scores
) -> tuple[Scores, Scores, Scores]:
    """(voxels, atoms): the weights of the atoms, the blood volume that each would have; and of
    each voxel the logarithm of the evidence."""
    match = scores @ atoms.curves.T
    flow = np.maximum(match, 0) / atoms.gram
    gain = flow * match * precision + prior
    top = gain.max(axis=1, keepdims=True)
    weight = np.exp(np.maximum(gain - top, -60))
    total = weight.sum(axis=1, keepdims=True)
    return weight / total, flow, (top + np.log(total))[:, 0]


def _atoms(artery: Floats, step: float, shape: float, basis: NDArray[np.float32]) -> _Atoms:
    from scipy.interpolate import CubicSpline
    from scipy.stats import gamma

    length = len(artery)
    times = np.arange(length) * step
    fine = np.arange(0, times[-1] + 20, _FINE)
    # A peak between two samples is higher than both.
    inflow = CubicSpline(times, artery)(np.minimum(fine, times[-1]))
    curves = []
    for transit in TRANSITS:
        residue = gamma.sf(fine, shape, scale=transit / shape) / transit
        residue[0] *= 0.5
        through = np.convolve(inflow, residue)[: len(fine)] * _FINE
        curves += [np.interp(times - delay, fine, through, left=0.0) for delay in DELAYS]
    # What lies outside the kept components is the same for every curve.
    projected = np.array(curves) @ np.linalg.pinv(basis.astype(np.float64))
    transits = np.repeat(TRANSITS, len(DELAYS))
    delays = np.tile(DELAYS, len(TRANSITS))
    single = (projected, np.maximum((projected**2).sum(axis=1), 1e-12), delays, transits)
    return _Atoms(*(one.astype(np.float32) for one in single))
