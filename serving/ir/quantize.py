"""Weights → INT4 or INT8 codes with a scale a group, as OpenVINO stores them.

Nothing but the weights is looked at.  Codes are ``u4``/``i4`` packed two a byte with the earlier
one in the low nibble, or ``u8``/``i8``; a weight is read back as ``scale * (code - zero_point)``.

Rows are taken in blocks, by one thread more than there are cores, so the memory needed besides
weights and codes is some ten MiB a core whatever the tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ir.fitter import Fitter, threads
from serving.ir.matrix import Codes, Floats
from serving.ir.scale_search import LARGEST, Block
from serving.ir.scheme import QuantizationError, Scheme

Rows = Callable[[slice], NDArray[Any]]

# Weights a block: of less, the way to the graph and back takes longer than what it computes.
_BLOCK = 1 << 19


class WeightInvalid(QuantizationError):
    """One weight cannot: ``row`` of the matrix, and ``fault``, what is wrong with it."""

    def __init__(self, row: int, fault: str) -> None:
        super().__init__(f"Row {row} {fault}")
        self.row, self.fault = row, fault


@dataclass(frozen=True)
class Quantized:
    """Codes and what is needed to read them.

    ``codes``: uint8 [rows, columns / 2] at four bits, int8 or uint8 [rows, columns] at eight.
    ``scale``: float16 [rows, groups], never 0; those of symmetric codes may be negative.
    ``zero_point``: None when symmetric.  At eight bits uint8 [rows, groups]; at four bits the
    same packed flat, uint8 [ceil(rows * groups / 2)], the last nibble 0 where it is not used.
    """

    codes: NDArray[Any]
    scale: NDArray[np.float16]
    zero_point: NDArray[np.uint8] | None
    shape: tuple[int, int]
    scheme: Scheme


def quantize(weight: NDArray[Any], scheme: Scheme, workers: int | None = None) -> Quantized:
    """Codes of ``weight``, floating point [rows, columns].

    Raises:
        QuantizationError: the shape does not fit the scheme, or a weight is infinite, no number,
            or too large for a float16 scale.
    """
    if weight.ndim != 2:
        raise QuantizationError(f"A matrix is needed, not {weight.ndim} dimensions.")
    rows, columns = weight.shape
    return quantize_rows(lambda part: weight[part], (rows, columns), scheme, workers)


def quantize_rows(
    read: Rows, shape: tuple[int, int], scheme: Scheme, workers: int | None = None
) -> Quantized:
    """As :func:`quantize`, for weights that ``read`` gives some rows at a time.

    ``read`` is called by several threads at once with slices of a few rows, each row once.
    """
    rows, columns = shape
    groups = scheme.groups(columns)
    kind = np.int8 if scheme.bits == 8 and scheme.symmetric else np.uint8
    codes: NDArray[Any] = np.empty((rows, columns * scheme.bits // 8), kind)
    scale = np.empty((rows, groups), np.float16)
    zero = None if scheme.symmetric else np.empty((rows, groups), np.uint8)

    within = columns // groups
    block = Block(
        groups=max(groups, _BLOCK // within),
        within=within,
        bits=scheme.bits,
        symmetric=scheme.symmetric,
        wide=scheme.group == 0,
        half=False,
    )
    step = block.groups // groups
    # One more than there are cores, so that none waits for weights.
    workers = workers or threads() + 1
    idle: SimpleQueue[Fitter] = SimpleQueue()
    for _ in range(workers):
        idle.put(Fitter(block))

    def convert(start: int) -> None:
        stop = min(start + step, rows)
        weights = read(slice(start, stop)).reshape(-1, within)
        fitter = idle.get()
        try:
            found = fitter.fit(weights)
            if found.bad.size:
                bad = int(found.bad[0])
                raise WeightInvalid(start + bad // groups, _fault(weights[bad], scheme))
            told = found.codes if scheme.bits == 8 else stored_codes(found.codes)
            codes[start:stop] = told.reshape(stop - start, -1)
            scale[start:stop] = found.scale.reshape(-1, groups)
            if zero is not None:
                zero[start:stop] = found.zero.reshape(-1, groups)
        finally:
            idle.put(fitter)

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(convert, range(0, rows, step)):
            pass
    if zero is not None and scheme.bits == 4:
        zero = stored_codes(np.pad(zero.reshape(-1), (0, zero.size % 2)))
    return Quantized(codes, scale, zero, (rows, columns), scheme)


def kept(codes: Codes) -> Quantized | None:
    """Codes that were chosen elsewhere, as they are; None where a zero point needs a fifth bit."""
    if codes.zero.max(initial=0) > 15:
        return None
    rows, columns = len(codes.packed), 2 * codes.packed.shape[1]
    middle = bool((codes.zero == 8).all())
    scheme = Scheme(4, 0 if codes.group == columns else codes.group, symmetric=middle)
    zero = None
    if not middle:
        zero = stored_codes(np.pad(codes.zero.reshape(-1), (0, codes.zero.size % 2)))
    # Signed codes are the same, counted from the middle.
    packed = codes.packed ^ np.uint8(0x88) if middle else codes.packed
    return Quantized(packed, codes.scale, zero, (rows, columns), scheme)


def some_rows(quantized: Quantized, start: int, stop: int) -> Quantized:
    """Rows ``start`` to ``stop``; ``start`` is even, as two zero points share a byte."""
    groups = quantized.scale.shape[1]
    scale, zero = quantized.scale[start:stop], quantized.zero_point
    if zero is not None:
        per_byte = 8 // quantized.scheme.bits
        flat = zero.reshape(-1)[start * groups // per_byte :]
        zero = flat[: -(-scale.size // per_byte)]
        zero = zero.reshape(scale.shape) if per_byte == 1 else zero
    shape = (len(scale), quantized.shape[1])
    return Quantized(quantized.codes[start:stop], scale, zero, shape, quantized.scheme)


def dequantize(quantized: Quantized) -> Floats:
    """The weights that the codes stand for, float32 [rows, columns]."""
    rows, columns = quantized.shape
    scheme = quantized.scheme
    groups = scheme.groups(columns)
    codes = quantized.codes
    if scheme.bits == 4:
        codes = _unpack(codes)
        if scheme.symmetric:
            codes = (codes ^ 8).astype(np.int8) - np.int8(8)
    weights = codes.astype(np.float32).reshape(rows, groups, -1)
    if quantized.zero_point is not None:
        zero = quantized.zero_point
        if scheme.bits == 4:
            zero = _unpack(zero)[: rows * groups]
        weights -= zero.reshape(rows, groups, 1)
    weights *= quantized.scale.astype(np.float32)[:, :, None]
    return weights.reshape(rows, columns)


def _fault(group: NDArray[Any], scheme: Scheme) -> str:
    if not np.isfinite(group).all():
        return "has a weight that is infinite or no number; the file is damaged."
    largest = LARGEST * 2 ** (scheme.bits - 1)
    return f"has a weight beyond {largest:.0f}, too large for a float16 scale."


def stored_codes(codes: NDArray[Any]) -> NDArray[np.uint8]:
    """Codes of four bits, a byte each: two neighbours a byte, the earlier in the low nibble."""
    pairs = codes.view("<u2") & 0x0F0F
    return (pairs | pairs >> 4).astype(np.uint8)


def _unpack(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Nibbles along the last axis, the low one first."""
    codes = np.empty((*packed.shape, 2), np.uint8)
    np.bitwise_and(packed, 15, out=codes[..., 0])
    np.right_shift(packed, 4, out=codes[..., 1])
    return codes.reshape(*packed.shape[:-1], -1)
