"""Transit times and delays averaged over their posterior, instead of any residue function.

As Boutelier et al. (IEEE Trans Med Imaging 2012; 31: 1381) and Mouridsen et al. (NeuroImage 2006;
33: 570): tissue is the arterial input, delayed, through a distribution of transit times; here a
gamma distribution with the shapes 1 (exponential residue), 3 and 30 (nearly a box).  On a grid of
delay, MTT and shape the flow has a best value in closed form; the posterior over the grid, with the
noise known, gives the means.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.tasks.perfusion.curves import Reduced
from assistant.tasks.perfusion.deconvolution import Residues
from assistant.tasks.perfusion.study import Floats

Scores = NDArray[np.float32]

DELAYS = np.arange(-2.0, 16.01, 0.5)
TRANSITS = np.geomspace(1.5, 30.0, 22)
SHAPES = (1.0, 3.0, 30.0)
_FINE = 0.1
_BLOCK = 2048
_SAMPLE, _ROUNDS, _EVEN = 8192, 4, 0.2


def fitted(reduced: Reduced, artery: Floats, step: float, noise: float) -> Residues:
    """The posterior means.  ``noise``: of a score of ``reduced`` (after smoothing)."""
    atoms, delays, transits = _atoms(artery, step)
    projected = (atoms @ np.linalg.pinv(reduced.basis.astype(np.float64))).astype(np.float32)
    gram = np.maximum((projected**2).sum(axis=1), 1e-12)
    count = len(reduced.scores)
    made = Residues(*(np.zeros(count, np.float32) for _ in range(4)))
    precision = np.float32(0.5 / max(noise, 1e-9) ** 2)
    inverse, late = (1 / transits).astype(np.float32), delays.astype(np.float32)
    prior = _prior(reduced.scores, projected, gram, precision)
    for low in range(0, count, _BLOCK):
        rows = slice(low, low + _BLOCK)
        weight, flow = _posterior(reduced.scores[rows], projected, gram, precision, prior)
        made.tmax[rows] = np.maximum(weight @ late, 0)
        volume = weight * flow
        made.area[rows] = volume.sum(axis=1)
        made.peak[rows] = volume @ inverse
    return made


def _prior(
    scores: Scores, projected: Scores, gram: Scores, precision: np.float32
) -> NDArray[np.float32]:
    """The logarithm of how often each atom fits in this study: an empirical prior, with a share
    that is equal for all, so that what is rare may still be found."""
    sample = scores[:: max(1, len(scores) // _SAMPLE)]
    even = np.float32(1 / len(gram))
    prior = np.full(len(gram), even, np.float32)
    for _ in range(_ROUNDS):
        total = np.zeros(len(gram), np.float64)
        for low in range(0, len(sample), _BLOCK):
            part = sample[low : low + _BLOCK]
            total += _posterior(part, projected, gram, precision, np.log(prior))[0].sum(axis=0)
        prior = (_EVEN * even + (1 - _EVEN) * total / total.sum()).astype(np.float32)
    found: NDArray[np.float32] = np.log(prior)
    return found


def _posterior(
    scores: Scores,
    projected: Scores,
    gram: Scores,
    precision: np.float32,
    prior: NDArray[np.float32],
) -> tuple[Scores, Scores]:
    """(voxels, atoms): the weights of the atoms, and the blood volume that each would have."""
    match = scores @ projected.T
    flow = np.maximum(match, 0) / gram
    gain = flow * match * precision + prior
    gain -= gain.max(axis=1, keepdims=True)
    weight = np.exp(np.maximum(gain, -60))
    weight /= weight.sum(axis=1, keepdims=True)
    return weight, flow


def _atoms(artery: Floats, step: float) -> tuple[Floats, Floats, Floats]:
    """Curves of a blood volume of 1 for every delay, transit time and shape."""
    from scipy.stats import gamma

    length = len(artery)
    times = np.arange(length) * step
    fine = np.arange(0, times[-1] + 20, _FINE)
    inflow = np.interp(fine, times, artery)
    curves, delays, transits = [], [], []
    for shape in SHAPES:
        for transit in TRANSITS:
            residue = gamma.sf(fine, shape, scale=transit / shape) / transit
            residue[0] *= 0.5
            through = np.convolve(inflow, residue)[: len(fine)] * _FINE
            for delay in DELAYS:
                curves.append(np.interp(times - delay, fine, through, left=0.0))
                delays.append(delay)
                transits.append(transit)
    return np.array(curves), np.array(delays), np.array(transits)
