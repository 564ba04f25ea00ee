"""Which projections lose most at four bits, so that a share of them can keep eight.

A projection is judged by the weights alone: the squared error of its codes over the square of its
weights, on a sample of its rows, as data-free mixed precision does it elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from serving.ir.architecture import Architecture
from serving.ir.matrix import Matrix, Reader
from serving.ir.quantize import dequantize, quantize
from serving.ir.scheme import Scheme

_SAMPLE = 64


def widest(
    architecture: Architecture,
    reader: Reader,
    scheme: Callable[[int], Scheme],
    share: float,
    done: Callable[[int, int], None],
) -> frozenset[str]:
    """First tensor names of the projections that keep eight bits.

    ``share`` (0 to 1) is of all projection weights; ``scheme(columns)`` is the four-bit form.  The
    most sensitive are taken until the share is reached.
    """
    if share <= 0:
        return frozenset()
    matrices = architecture.projections
    losses = []
    for number, matrix in enumerate(matrices):
        losses.append(_loss(matrix, reader, scheme(matrix.shape[1])))
        done(number + 1, len(matrices))
    sizes = [float(np.prod(matrix.shape)) for matrix in matrices]
    left = share * sum(sizes)
    chosen = set()
    for index in np.argsort(losses)[::-1]:
        if left < sizes[index] / 2:
            break
        chosen.add(matrices[index].names[0])
        left -= sizes[index]
    return frozenset(chosen)


def _loss(matrix: Matrix, reader: Reader, scheme: Scheme) -> float:
    rows = matrix.shape[0]
    step = max(1, rows // _SAMPLE)
    sample = np.concatenate(
        [matrix.rows(reader, slice(row, row + 1)) for row in range(0, rows, step)]
    )
    error = dequantize(quantize(sample, scheme)) - sample
    return float(np.square(error).sum() / max(float(np.square(sample).sum()), 1e-30))
