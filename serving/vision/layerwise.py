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

import numpy as np
from numpy.typing import NDArray

from serving.vision.chain import Stage
from serving.vision.compiled import Precision, Scratch
from serving.vision.layer_graph import FLOATS, SLICES, Layer, Numbers
from serving.vision.layer_plan import Job, planned
from serving.vision.layer_values import Values
from serving.vision.problem import Cancelled
from serving.vision.region import Tissue
from serving.vision.surround import surrounds

Labels = NDArray[np.uint8]
Report = Callable[[int, int, str], None]

_COMPILING = 50_000, 1_000_000
"""Bounds of how many voxels of a layer are computed in the time of one more compilation."""

_PROBE = 96, 96


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
    plan = planned(groups, tissue, _compiling(groups, numbers.of(len(groups) // 2), threads))
    around = surrounds(groups, plan, volume.shape, background or 0.0, numbers, threads)
    total = sum(one.size[0] * one.size[1] for jobs in plan for one in jobs)
    done = 0
    values = Values(volume, groups, numbers.of(0))
    scratch = _scratch(groups, plan)
    for number, (group, jobs) in enumerate(zip(groups, plan, strict=True)):
        last = number == len(groups) - 1
        layer = Layer(group, numbers.of(number), numbers.of(number + 1), threads, last, scratch)
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
    layer = Layer(_heaviest(_grouped(stages)), precision, precision, threads, False, Scratch())
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
    layer = Layer(_heaviest(groups), precision, precision, threads, False, Scratch())
    started = time.perf_counter()
    piece = layer.piece(_PROBE)
    compiled = time.perf_counter()
    piece.run()
    seconds = max(time.perf_counter() - compiled, 1e-6)
    voxels = (compiled - started) / seconds * SLICES * _PROBE[0] * _PROBE[1]
    return min(max(voxels, _COMPILING[0]), _COMPILING[1])


def _heaviest(groups: Sequence[Sequence[Stage]]) -> Sequence[Stage]:
    return max(groups, key=lambda one: one[0].kernel.size)


def _scratch(groups: Sequence[Sequence[Stage]], plan: Sequence[Sequence[Job]]) -> Scratch:
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
