"""Four-bit codes that lose least of a product, where it is known what will be multiplied.

What rounding a weight does to a product depends on what stands beside it: inputs go together, so
one weight's error can be made up for by the others of its row.  A row is rounded column by column,
and what a column lost is spread over those that are still to come, as far as the inputs' second
moment says that they can carry it.  Scales are searched as elsewhere, for each group when its turn
comes.  Source of the method: Frantar et al., GPTQ (2022).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from serving.ir.fitter import Fitter, threads
from serving.ir.matrix import Floats
from serving.ir.quantize import Quantized, Rows, WeightInvalid, stored_codes
from serving.ir.scale_search import Block
from serving.ir.scheme import Scheme

# Share of the mean variance that is added to each input's: few texts do not tell all directions.
_DAMPING = 0.01
_ROWS = 1024


def fit_rows(
    read: Rows, shape: tuple[int, int], scheme: Scheme, moment: NDArray[np.float64]
) -> Quantized:
    """Codes of the weights that ``read`` gives some rows at a time, as `quantize.quantize_rows`.

    ``moment`` [columns, columns]: the mean of x x' over the inputs x of the product.

    Raises:
        QuantizationError: the shape does not fit the scheme, or a weight is infinite, no number, or
            too large for a float16 scale.
    """
    rows, columns = shape
    groups = scheme.groups(columns)
    within = columns // groups
    spread = _spread(moment)
    codes = np.empty((rows, columns // 2), np.uint8)
    scale = np.empty((rows, groups), np.float16)
    zero = np.empty((rows, groups), np.uint8)
    block = Block(_ROWS, within, scheme.bits, scheme.symmetric, wide=scheme.group == 0, half=False)
    idle: SimpleQueue[Fitter] = SimpleQueue()
    workers = threads()
    for _ in range(workers):
        idle.put(Fitter(block))

    def convert(start: int) -> None:
        part = slice(start, min(start + _ROWS, rows))
        fitter = idle.get()
        try:
            # Columns are what is gone through, so they lie together.
            left = np.ascontiguousarray(read(part).T, np.float32)
            found = _rounded(left, spread, fitter, within, start)
        finally:
            idle.put(fitter)
        codes[part], scale[part], zero[part] = stored_codes(found[0]), found[1], found[2]

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(convert, range(0, rows, _ROWS)):
            pass
    if scheme.symmetric:
        # Signed codes are the same, counted from the middle.
        return Quantized(codes ^ np.uint8(0x88), scale, None, shape, scheme)
    origin = stored_codes(np.pad(zero.reshape(-1), (0, zero.size % 2)))
    return Quantized(codes, scale, origin, shape, scheme)


def _spread(moment: NDArray[np.float64]) -> Floats:
    """Upper triangle: how much of a column's error each later column takes over."""
    size = len(moment)
    damped = moment + np.eye(size) * (_DAMPING * np.trace(moment) / size or 1.0)
    return np.linalg.cholesky(np.linalg.inv(damped)).T.astype(np.float32)


def _rounded(
    left: Floats, spread: Floats, fitter: Fitter, within: int, first: int
) -> tuple[NDArray[np.uint8], NDArray[np.float16], NDArray[np.uint8]]:
    """Codes [rows, columns], scales and zero points [rows, groups] of ``left`` [columns, rows],
    which is used up.  ``first``: the first row's number, for what is said of it."""
    columns, rows = left.shape
    codes = np.empty((rows, columns), np.uint8)
    scales, zeros = [], []
    for begin in range(0, columns, within):
        end = begin + within
        group = left[begin:end]
        found = fitter.fit(np.ascontiguousarray(group.T))
        if found.bad.size:
            fault = "has a weight that is infinite, no number, or too large for a float16 scale."
            raise WeightInvalid(first + int(found.bad[0]), fault)
        # The fitter uses its memory again.
        scale, zero = found.scale.astype(np.float32), np.array(found.zero)
        errors = np.empty_like(group)
        for at in range(within):
            place = begin + at
            code = np.clip(np.rint(group[at] / scale + zero), 0, 15)
            errors[at] = (group[at] - (code - zero) * scale) / spread[place, place]
            group[at + 1 :] -= spread[place, place + 1 : end, np.newaxis] * errors[at]
            codes[:, place] = code
        left[end:] -= spread[begin:end, end:].T @ errors
        scales.append(scale.astype(np.float16))
        zeros.append(zero.astype(np.uint8))
    return codes, np.stack(scales, 1), np.stack(zeros, 1)
