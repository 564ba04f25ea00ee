"""Runs the search for scales on a block of weights, and rounds them to codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from serving.hardware import topology
from serving.ir.matrix import Floats
from serving.ir.scale_search import LARGEST, SMALLEST, Block, rounding, search

_MOST_THREADS = 16
_compiling = Lock()


@dataclass(frozen=True)
class Fit:
    """What was found for some groups of weights.

    ``codes``: int8 from the middle where they are symmetric, uint8 from 0 else [groups, within].
    ``scale``: float16 [groups], never 0.  ``zero``: whole numbers, float32 [groups].  ``bad``: the
    groups with a weight that is no finite number, or too large for a float16 scale.
    """

    codes: NDArray[Any]
    scale: NDArray[np.float16]
    zero: Floats
    bad: NDArray[np.int64]


class Fitter:
    """Finds codes for up to ``block.groups`` groups; for one thread at a time."""

    def __init__(self, block: Block) -> None:
        """What ``block`` says of ``half`` does not count: the weights tell."""
        self._block = block
        self._requests: dict[bool, tuple[Any, Any]] = {}

    def fit(self, weights: NDArray[Any]) -> Fit:
        """The codes of weights [groups, within] of any floating type."""
        half = weights.dtype == np.float16
        if half not in self._requests:
            models = _compiled(replace(self._block, half=half))
            self._requests[half] = tuple(model.create_infer_request() for model in models)
        search, rounding = self._requests[half]
        count, block = len(weights), search.get_input_tensor(0)
        with np.errstate(over="ignore"):
            block.data[:count] = weights
        block.data[count:] = 0
        search.infer()
        scale, zero, largest, first = (search.get_output_tensor(n).data for n in range(4))
        with np.errstate(over="ignore", invalid="ignore"):
            most = largest * np.float32(2 ** (1 - self._block.bits))
            bad = ~((most <= LARGEST) & np.isfinite(first))
            kept = _as_float16(scale)
        rounding.set_input_tensor(0, block)
        rounding.get_input_tensor(1).data[:] = kept
        rounding.get_input_tensor(2).data[:] = zero
        rounding.infer()
        codes = rounding.get_output_tensor(0).data
        return Fit(codes[:count], kept[:count], zero[:count], np.flatnonzero(bad[:count]))


def threads() -> int:
    """Cores that this process may use, as far as more of them help."""
    return min(len(topology.usable()), _MOST_THREADS)


def _as_float16(scale: Floats) -> NDArray[np.float16]:
    """Neither 0 nor infinite, with their sign."""
    size = np.clip(np.abs(scale), SMALLEST, LARGEST).astype(np.float16)
    return np.copysign(size, scale).astype(np.float16)


def _compiled(block: Block) -> tuple[Any, Any]:
    with _compiling:
        return _compile(block)


@lru_cache(maxsize=64)
def _compile(block: Block) -> tuple[Any, Any]:
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads(),
        "NUM_STREAMS": threads(),
        "ENABLE_CPU_PINNING": False,
    }
    core = openvino.Core()
    return tuple(core.compile_model(make(block), "CPU", options) for make in (search, rounding))
