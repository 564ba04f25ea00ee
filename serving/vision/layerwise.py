"""A row of convolutions over a volume, layer by layer, a few slices at a time.

Every voxel of a layer is computed once: no halo is computed twice, as it would be in tiles, which
for a network that looks 46 voxels far is most of the work.  One layer's values are kept; the next
layer's are written over them, moved by as many slices as it looks ahead, so that nothing is
overwritten that is still to be read.

Layers may compute in different numbers: rounding costs most in the first ones, as all that follow
build on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.vision.chain import Stage
from serving.vision.compiled import Piece, Precision, Scratch, compile_model
from serving.vision.problem import Cancelled
from serving.vision.region import Rect, Tissue, shared_sizes, totals

Labels = NDArray[np.uint8]
Report = Callable[[int, int, str], None]

SLICES = 16
"""Computed at once: enough that the slices around them are few beside them."""

_ROUND = 16
_COMPILING = 50_000, 1_000_000
"""Bounds of how many voxels of a layer are computed in the time of one more compilation."""

_PROBE = 96, 96


@dataclass(frozen=True, slots=True)
class _Job:
    """Slices ``start`` to ``stop`` of one layer; ``size`` is what is computed for ``rect``."""

    start: int
    stop: int
    rect: Rect | None
    needed: Rect | None
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Numbers:
    """In what a row of layers computes: the first ``floats`` in float32, the rest in bfloat16."""

    floats: int = 1_000

    def of(self, layer: int) -> Precision:
        """Of the layer with this number, and of the values that it is given."""
        return "f32" if layer < self.floats else "bf16"


FLOATS, HALVES = Numbers(), Numbers(0)


def layers(stages: Sequence[Stage]) -> int:
    """How many layers there are, those that look at one voxel only counted to the one before."""
    return len(_grouped(stages))


def bytes_needed(stages: Sequence[Stage], shape: Sequence[int], numbers: Numbers) -> int:
    """About how much memory `labels` takes for a volume of ``shape``."""
    channels = max(int(stage.kernel.shape[0]) for stage in stages[:-1] or stages)
    extra = sum(stage.reach[0] for stage in stages)
    # What the first layer makes is kept as the second takes it.
    voxel = channels * (2 if numbers.of(1) == "bf16" else 4)
    return int((shape[0] + extra) * shape[1] * shape[2] * voxel)


def labels(
    stages: Sequence[Stage],
    volume: NDArray[np.float32],
    background: float | None,
    numbers: Numbers = FLOATS,
    *,
    threads: int = 0,
    report: Report | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Labels:
    """The greatest class of every voxel of ``volume`` [slice, row, column].

    ``background``: the value of voxels that need no answer of their own; they get the class that
    an image of nothing else has.  None computes everything.

    Raises:
        Cancelled: ``cancelled`` said so; it is asked after every few slices.
    """
    mask = np.ones(volume.shape, bool) if background is None else volume != background
    tissue = Tissue(mask)
    constant = np.array([background or 0.0], np.float32)
    for stage in stages:
        constant = stage.constant(constant)
    found: Labels = np.full(volume.shape, int(np.argmax(constant)), np.uint8)
    groups = _grouped(stages)
    plan = _plan(groups, tissue, _compiling(groups, numbers.of(len(groups) // 2), threads))
    around = _empty(groups, plan, volume.shape, background or 0.0, numbers, threads)
    total = sum(one.size[0] * one.size[1] for jobs in plan for one in jobs)
    done = 0
    values = _Values(volume, groups, numbers.of(0))
    scratch = _scratch(groups, plan)
    for number, (group, jobs) in enumerate(zip(groups, plan, strict=True)):
        last = number == len(groups) - 1
        layer = _Layer(group, numbers.of(number), numbers.of(number + 1), threads, last, scratch)
        surround = around[number] if number < len(around) else None
        for job in jobs:
            if cancelled():
                raise Cancelled
            made = values.computed(layer, job) if job.rect is not None else None
            if not last:
                values.store(layer, job, made, surround)
            elif made is not None and job.rect is not None:
                rect, height, width = job.rect, *job.rect.size
                found[job.start : job.stop, rect.y0 : rect.y1, rect.x0 : rect.x1] = made[
                    : job.stop - job.start, :height, :width, 0
                ]
            done += job.size[0] * job.size[1]
            if report is not None:
                report(done, total, "分割 segment")
        values.advance(layer)
    return found


def probe(stages: Sequence[Stage], precision: Precision, threads: int = 0) -> Callable[[], object]:
    """What computes a piece of the layer with most work, to measure a precision by."""
    layer = _Layer(_heaviest(_grouped(stages)), precision, precision, threads, False, Scratch())
    return layer.piece(_PROBE).run


def _grouped(stages: Sequence[Stage]) -> list[list[Stage]]:
    """Stages that look at one voxel only belong to the one before."""
    groups: list[list[Stage]] = []
    for stage in stages:
        if groups and stage.reach == (0, 0, 0):
            groups[-1].append(stage)
        else:
            groups.append([stage])
    return groups


def _compiling(groups: Sequence[Sequence[Stage]], precision: Precision, threads: int) -> float:
    """How many voxels are computed here while one more size is compiled: some tenths of a second
    to measure, and on a slow processor much is won."""
    layer = _Layer(_heaviest(groups), precision, precision, threads, False, Scratch())
    started = time.perf_counter()
    piece = layer.piece(_PROBE)
    compiled = time.perf_counter()
    piece.run()
    seconds = max(time.perf_counter() - compiled, 1e-6)
    voxels = (compiled - started) / seconds * SLICES * _PROBE[0] * _PROBE[1]
    return min(max(voxels, _COMPILING[0]), _COMPILING[1])


def _heaviest(groups: Sequence[Sequence[Stage]]) -> Sequence[Stage]:
    return max(groups, key=lambda one: one[0].kernel.size)


def _scratch(groups: Sequence[Sequence[Stage]], plan: Sequence[Sequence[_Job]]) -> Scratch:
    """Memory for the largest input and output of the plan."""
    given = made = 0
    for group, jobs in zip(groups, plan, strict=True):
        deep, high, wide = group[0].reach
        channels, results = group[0].kernel.shape[1], group[-1].kernel.shape[0]
        for rows, columns in {job.size for job in jobs}:
            size = (SLICES + 2 * deep) * (rows + 2 * high) * (columns + 2 * wide)
            given = max(given, size * channels)
            made = max(made, SLICES * rows * columns * results)
    # Of float32; pages that narrower numbers leave untouched take nothing.
    return Scratch(given * 4, made * 4)


def _plan(groups: Sequence[Sequence[Stage]], tissue: Tissue, compiling: float) -> list[list[_Job]]:
    before, after = totals([group[0].reach for group in groups])
    depth, height, width = tissue.shape
    low, high = tissue.slices
    plan = []
    for behind, ahead in zip(before, after, strict=True):
        first, end = max(low - ahead[0], 0), min(high + ahead[0], depth)
        parts = [
            (start, min(start + SLICES, end))
            for start in range(first, end if high > low else first, SLICES)
        ]
        rects = [tissue.to_compute(start, stop, behind, ahead) for start, stop in parts]
        if any(2 * far + 1 > n for far, n in zip(behind, tissue.shape, strict=True)):
            # No voxel is out of reach of every edge.
            rects = [(needed, needed) for _, needed in rects]
        sizes = [_rounded(one, height, width) for one, _ in rects]
        chosen = shared_sizes([one for one in sizes if one[0]], compiling / SLICES)
        plan.append(
            [
                _Job(start, stop, rect, needed, chosen.get(size, size))
                for (start, stop), (rect, needed), size in zip(parts, rects, sizes, strict=True)
            ]
        )
    return plan


def _rounded(rect: Rect | None, height: int, width: int) -> tuple[int, int]:
    if rect is None:
        return 0, 0
    rows, columns = (-(-one // _ROUND) * _ROUND for one in rect.size)
    return min(rows, height), min(columns, width)


@dataclass(frozen=True, slots=True)
class _Surround:
    """A layer's values for an image of nothing but background, by the distance from the edges.

    ``values`` [slice, row, column, channel] are of an image just so large that its middle voxel is
    beyond the reach of every edge.
    """

    values: NDArray[Any]
    shape: tuple[int, ...]

    def part(self, slices: slice, rows: slice, columns: slice) -> NDArray[Any]:
        """The values for a part of an image of ``shape``."""
        places = []
        for axis, wanted in enumerate((slices, rows, columns)):
            middle = self.values.shape[axis] // 2
            index = np.arange(wanted.start, wanted.stop)
            from_end = index - self.shape[axis] + self.values.shape[axis]
            places.append(np.maximum(np.minimum(index, middle), from_end))
        found: NDArray[Any] = self.values[np.ix_(*places)]
        return found


def _empty(
    groups: Sequence[Sequence[Stage]],
    plan: Sequence[Sequence[_Job]],
    shape: tuple[int, ...],
    background: float,
    numbers: Numbers,
    threads: int,
) -> list[_Surround]:
    """The surround of every layer up to the last that has one."""
    used = [at for at, jobs in enumerate(plan) if any(one.rect != one.needed for one in jobs)]
    if not used:
        return []
    before, _ = totals([group[0].reach for group in groups])
    far = before[used[-1]]
    size = 2 * far[0] + 1, 2 * far[1] + 1, 2 * far[2] + 1
    values = packed(np.full((*size, 1), background, np.float32), numbers.of(0))
    found = []
    for number, group in enumerate(groups[: used[-1] + 1]):
        kind = numbers.of(number)
        made = graph(group, size, kind, numbers.of(number + 1), False)
        piece = Piece(compile_model(made, kind, threads))
        inside = tuple(slice(r, r + n) for r, n in zip(group[0].reach, size, strict=True))
        piece.given[0][inside] = values
        values = piece.run()[0].copy()
        found.append(_Surround(values, shape))
    return found


def packed(values: NDArray[np.float32], precision: Precision) -> NDArray[Any]:
    """``values`` as they are kept: bfloat16 as the upper half of float32."""
    if precision == "f32":
        return values
    # To the nearest even, as the processor does.
    bits = values.view(np.uint32)
    odd = (bits >> 16) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) >> 16).astype(np.uint16)


class _Layer:
    """One layer (and what follows it voxel by voxel), compiled for the sizes that are asked for."""

    def __init__(
        self,
        stages: Sequence[Stage],
        precision: Precision,
        following: Precision,
        threads: int,
        last: bool,
        scratch: Scratch,
    ) -> None:
        """``following``: the precision of the next layer, which takes what this one makes."""
        self.reach = stages[0].reach
        self.channels = stages[-1].kernel.shape[0]
        self._stages = stages
        self._precision = precision
        self.following = following
        self._threads = threads
        self._last = last
        self._scratch = scratch
        self._pieces: dict[tuple[int, int], Piece] = {}

    def piece(self, size: tuple[int, int]) -> Piece:
        """What computes ``size`` rows and columns of `SLICES` slices."""
        found = self._pieces.get(size)
        if found is None:
            whole = SLICES, *size
            model = graph(self._stages, whole, self._precision, self.following, self._last)
            made = compile_model(model, self._precision, self._threads)
            found = self._pieces[size] = Piece(made, self._scratch)
        return found


class _Values:
    """The values of the layer that was computed last: first the volume itself."""

    def __init__(
        self, volume: NDArray[np.float32], groups: Sequence[Sequence[Stage]], precision: Precision
    ) -> None:
        self._shape = volume.shape
        self._source = packed(volume, precision)[..., None]
        # A volume's slices lie so far down that each layer has room to move up.
        self._room = sum(group[0].reach[0] for group in groups)
        self._down = 0
        self._kept: NDArray[Any] | None = None
        self._moves = False
        """Whether what is read and what is written share their memory."""

    def computed(self, layer: _Layer, job: _Job) -> NDArray[Any]:
        """The layer's values for ``job``, [slice, row, column, channel]."""
        rect = job.rect
        assert rect is not None
        piece = layer.piece(job.size)
        given = piece.given[0]
        starts = (job.start, rect.y0, rect.x0)
        low = [place - reach for place, reach in zip(starts, layer.reach, strict=True)]
        high = [one + size for one, size in zip(low, given.shape[:3], strict=True)]
        inner = [(max(a, 0), min(b, n)) for a, b, n in zip(low, high, self._shape, strict=True)]
        if any(a < 0 or b > n for a, b, n in zip(low, high, self._shape, strict=True)):
            given.fill(0)
        into = tuple(slice(a - at, b - at) for (a, b), at in zip(inner, low, strict=True))
        (z0, z1), (y0, y1), (x0, x1) = inner
        down = self._down
        given[into] = self._source[z0 + down : z1 + down, y0:y1, x0:x1]
        made: NDArray[Any] = piece.run()[0]
        return made

    def store(
        self, layer: _Layer, job: _Job, made: NDArray[Any] | None, surround: _Surround | None
    ) -> None:
        """Keep the values of ``job``: what was computed, and those of an empty image around it."""
        needed, rect = job.needed, job.rect
        if needed is None:
            return
        target = self._target(layer)
        down = self._down_next(layer)
        part = slice(job.start + down, job.stop + down)
        if surround is not None:
            slices = slice(job.start, job.stop)
            for rows, columns in needed.without(rect):
                target[part, rows, columns] = surround.part(slices, rows, columns)
        if rect is not None and made is not None:
            height, width = rect.size
            target[part, rect.y0 : rect.y1, rect.x0 : rect.x1] = made[
                : job.stop - job.start, :height, :width
            ]

    def advance(self, layer: _Layer) -> None:
        """The layer is whole: the next one reads it."""
        self._down = self._down_next(layer)
        if self._kept is not None:
            self._source = self._kept
            self._moves = True

    def _down_next(self, layer: _Layer) -> int:
        return self._down - layer.reach[0] if self._moves else self._room

    def _target(self, layer: _Layer) -> NDArray[Any]:
        kind = np.dtype(np.uint16 if layer.following == "bf16" else np.float32)
        held = self._kept
        if held is None or held.shape[3] != layer.channels or held.itemsize < kind.itemsize:
            depth, height, width = self._shape
            # Pages that nothing is written to take no memory.
            held = np.zeros((depth + self._room, height, width, layer.channels), kind)
            self._moves = False
        elif held.itemsize > kind.itemsize:
            # Each voxel stays in its place and leaves half of it empty, so that nothing is written
            # over what is still to be read.
            held = held.view(kind)[..., : layer.channels]
        self._kept = held
        return held


def graph(
    stages: Sequence[Stage],
    size: tuple[int, int, int],
    precision: Precision,
    following: Precision,
    last: bool,
) -> Any:
    """The stages without padding, for ``size`` voxels of output; values with channels last.

    They are given in ``precision``, and made in that of the ``following`` layer.

    The last one gives the greatest class, so that scores never leave the graph.
    """
    import openvino
    from openvino import Type
    from openvino import opset13 as ops

    kind = Type.bf16 if precision == "bf16" else Type.f32
    given = [n + 2 * r for n, r in zip(size, stages[0].reach, strict=True)]
    source = ops.parameter([1, *given, stages[0].kernel.shape[1]], kind)
    value: Any = ops.convert(source, Type.f32) if kind == Type.bf16 else source
    value = ops.transpose(value, ops.constant(np.array([0, 4, 1, 2, 3])))
    none = [0, 0, 0]
    for stage in stages:
        value = ops.convolution(
            value, ops.constant(stage.kernel), [1, 1, 1], none, none, list(stage.dilation)
        )
        value = ops.add(value, ops.constant(stage.bias.reshape(1, -1, 1, 1, 1)))
        if stage.activation == "relu":
            value = ops.relu(value)
        elif stage.activation == "elu":
            value = ops.elu(value, stage.alpha)
    value = ops.transpose(value, ops.constant(np.array([0, 2, 3, 4, 1])))
    if last:
        best = ops.topk(value, ops.constant(np.int32(1)), 4, "max", "value")
        value = ops.convert(best.output(1), Type.u8)
    elif following == "bf16":
        value = ops.convert(value, Type.bf16)
    return openvino.Model([value], [source], "layer")
