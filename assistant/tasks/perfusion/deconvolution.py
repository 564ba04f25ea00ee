"""Block-circulant deconvolution with control of oscillation, insensitive to delay.

Wu et al., Magn Reson Med 2003; 50: 164–174: the arterial input as a circulant matrix of twice the
length; singular values below a share of the greatest are left out, and the share is the least at
which the residue function of a voxel oscillates no more than is allowed.  The singular values of a
circulant matrix are the amplitudes of its Fourier transform, so that one transform serves all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.tasks.perfusion.curves import Reduced, extension
from assistant.tasks.perfusion.study import Floats

SHARES = (*np.round(np.geomspace(0.01, 0.6, 18), 4), 0.95)
_BLOCK = 16_384
_EARLY = 0.75
"""Of the doubled length: a maximum behind this is one before time 0."""


@dataclass(frozen=True, slots=True)
class Residues:
    """What the residue function of each voxel says: its greatest value (1/s), when that is (s, with
    parts of a step), its area, and the share of singular values that was left out."""

    peak: NDArray[np.float32]
    tmax: NDArray[np.float32]
    area: NDArray[np.float32]
    share: NDArray[np.float32]


def inverses(artery: Floats, step: float) -> list[NDArray[np.float32]]:
    """For each of `SHARES` a matrix (2 × length, length) from a curve to its residue function."""
    length = len(artery)
    extend = extension(length)
    long = extend @ artery
    # Piecewise linear curves (Wu et al., equation 7): each sample with its neighbours.
    weighed = (np.roll(long, 1) + 4 * long + np.roll(long, -1)) / 6 * step
    spectrum = np.fft.fft(weighed)
    size = np.abs(spectrum)
    found = []
    for share in SHARES:
        kept = size >= share * size.max()
        inverse = np.where(kept, 1 / np.where(kept, spectrum, 1), 0)
        columns = np.fft.ifft(inverse[:, None] * np.fft.fft(extend, axis=0), axis=0).real
        found.append(columns.astype(np.float32))
    return found


def deconvolved(reduced: Reduced, artery: Floats, step: float, allowed: float) -> Residues:
    """The residue functions of all voxels.  ``artery``: on the times of the curves."""
    matrices = [np.ascontiguousarray(m @ reduced.basis.T).T for m in inverses(artery, step)]
    count = len(reduced.scores)
    made = Residues(*(np.zeros(count, np.float32) for _ in range(4)))
    for low in range(0, count, _BLOCK):
        _block(reduced.scores, slice(low, min(low + _BLOCK, count)), matrices, step, allowed, made)
    return made


def _block(
    scores: NDArray[np.float32],
    where: slice,
    matrices: list[NDArray[np.float32]],
    step: float,
    allowed: float,
    made: Residues,
) -> None:
    rows = np.arange(where.start, where.stop)
    for number, matrix in enumerate(matrices):
        residue = scores[rows] @ matrix
        last = number == len(matrices) - 1
        calm = np.ones(len(rows), bool) if last else oscillation(residue) <= allowed
        done = rows[calm]
        _read(residue[calm], done, step, made)
        made.share[done] = SHARES[number]
        rows = rows[~calm]
        if not len(rows):
            return


def oscillation(residue: NDArray[np.float32]) -> NDArray[np.float32]:
    """Oscillation index of residue functions (voxels, samples): Wu et al. 2003, equation 10."""
    bends = np.abs(residue[:, 2:] - 2 * residue[:, 1:-1] + residue[:, :-2]).sum(axis=1)
    top = np.maximum(residue.max(axis=1), 1e-12)
    found: NDArray[np.float32] = bends / top / residue.shape[1]
    return found


def _read(
    residue: NDArray[np.float32], rows: NDArray[np.int64], step: float, made: Residues
) -> None:
    long = residue.shape[1]
    at = residue.argmax(axis=1)
    here = np.arange(len(residue))
    top = residue[here, at]
    left, right = residue[here, at - 1], residue[here, (at + 1) % long]
    bend = left - 2 * top + right
    part = np.where(bend < -1e-12, 0.5 * (left - right) / np.where(bend < -1e-12, bend, 1), 0)
    time = np.where(at > _EARLY * long, at - long, at) + np.clip(part, -0.5, 0.5)
    made.peak[rows] = np.maximum(top, 0)
    made.tmax[rows] = np.maximum(time, 0) * step
    made.area[rows] = np.maximum(residue.sum(axis=1) * step, 0)
