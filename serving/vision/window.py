"""A network over a volume in windows that overlap, their scores joined with Gaussian weights.

The weights are greatest in a window's middle, where it sees most around a voxel, so that seams do
not show.  Memory is that of one row of windows: the scores of slices that no later window touches
are turned into classes and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.vision.problem import Cancelled

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]
Size = tuple[int, int, int]
Scores = Callable[[Iterable[Floats]], Iterator[Floats]]
"""Windows [slice, row, column] → scores [class, slice, row, column] of each, in their order; what
was given is to be used before the next is asked for."""

_DEVIATION = 0.125
"""Of a window's size; as nnU-Net and MONAI have it."""

_LEAST = 1e-3
"""Of the greatest weight, so that a corner that one window alone sees still counts."""


def weights(size: Size) -> Floats:
    """The weight of every voxel of a window; the greatest is 1."""
    lines = []
    for count in size:
        place = np.arange(count) - (count - 1) / 2
        lines.append(np.exp(-0.5 * (place / (_DEVIATION * count)) ** 2))
    whole = lines[0][:, None, None] * lines[1][:, None] * lines[2]
    found: Floats = np.maximum(whole / whole.max(), _LEAST).astype(np.float32)
    return found


def starts(length: int, window: int, overlap: float) -> list[int]:
    """Where windows begin along one axis, so that all of it is covered and none reaches beyond.

    ``overlap``: of a window, shared with the next at least.
    """
    if length <= window:
        return [0]
    step = max(int(window * (1 - overlap)), 1)
    count = -(-(length - window) // step) + 1
    return [round(number * (length - window) / (count - 1)) for number in range(count)]


class Streams:
    """A compiled graph at work on several windows at once."""

    def __init__(self, compiled: Any, streams: int) -> None:
        """``compiled`` has one input [1, 1, …] and one output of fixed size."""
        self._requests = [compiled.create_infer_request() for _ in range(streams)]
        self._shape = tuple(compiled.input(0).get_shape())

    def scores(self, windows: Iterable[Floats]) -> Iterator[Floats]:
        """See `Scores`."""
        idle = list(self._requests)
        running: list[Any] = []
        try:
            for part in windows:
                if not idle:
                    yield from self._done(running, idle)
                request = idle.pop()
                running.append(request)
                request.start_async([part.reshape(self._shape)])
            while running:
                yield from self._done(running, idle)
        finally:
            for request in running:
                request.wait()

    def _done(self, running: list[Any], idle: list[Any]) -> Iterator[Floats]:
        request = running.pop(0)
        request.wait()
        idle.append(request)
        made = np.asarray(request.get_output_tensor(0).data[0], np.float32)
        yield made[:, None] if len(self._shape) == 4 else made


def labels(
    scores: Scores,
    volume: Floats,
    window: Size,
    overlap: float,
    fill: float,
    *,
    report: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Labels:
    """The class with the greatest score at each voxel of ``volume`` [slice, row, column].

    A volume smaller than a window is filled up with ``fill``.

    Raises:
        Cancelled: ``cancelled`` said so; it is asked before every window.
    """
    shape = volume.shape
    padded = _padded(volume, window, fill)
    found: Labels = np.empty(padded.shape, np.uint8)
    weight = weights(window)
    rows = [starts(n, w, overlap) for n, w in zip(padded.shape, window, strict=True)]
    total = len(rows[0]) * len(rows[1]) * len(rows[2])
    done = 0
    sums: Floats | None = None
    places = [(z, y, x) for z in rows[0] for y in rows[1] for x in rows[2]]

    def parts() -> Iterator[Floats]:
        for z, y, x in places:
            if cancelled():
                raise Cancelled
            part = padded[z : z + window[0], y : y + window[1], x : x + window[2]]
            yield np.ascontiguousarray(part)

    answers = scores(parts())
    for number, z in enumerate(rows[0]):
        for y, x in _places(rows[1], rows[2]):
            made = next(answers)
            if sums is None:
                sums = np.zeros((len(made), window[0], *padded.shape[1:]), np.float32)
            # Divided by the sum of weights or not, the greatest score is the same.
            sums[:, :, y : y + window[1], x : x + window[2]] += made * weight
            done += 1
            if report is not None:
                report(done, total, "分割 segment")
        assert sums is not None
        following = rows[0][number + 1] if number + 1 < len(rows[0]) else z + window[0]
        ready = following - z
        found[z:following] = sums[:, :ready].argmax(axis=0)
        _shift(sums, ready)
    return found[: shape[0], : shape[1], : shape[2]]


def _places(rows: Sequence[int], columns: Sequence[int]) -> Iterator[tuple[int, int]]:
    return ((y, x) for y in rows for x in columns)


def _padded(volume: Floats, window: Size, fill: float) -> Floats:
    more = [(0, max(w - n, 0)) for n, w in zip(volume.shape, window, strict=True)]
    if not any(after for _, after in more):
        return volume
    return np.pad(volume, more, constant_values=np.float32(fill))


def _shift(sums: Floats, by: int) -> None:
    """Forget the first ``by`` slices and make room for as many."""
    rest = sums.shape[1] - by
    if rest:
        sums[:, :rest] = sums[:, by:].copy()
    sums[:, rest:] = 0
