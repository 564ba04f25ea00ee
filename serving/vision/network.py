"""An opened model at work: a volume in, a class for every voxel out.

A row of convolutions is computed layer by layer, which is exact whatever the pieces; any other
graph in windows that overlap.  Either way memory has a bound that is not the volume's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from serving.hardware import topology
from serving.vision import chain, layerwise, precision, window
from serving.vision.compiled import Precision, compile_model
from serving.vision.folder import Opened, fixed_window
from serving.vision.layer_graph import FLOATS, HALVES, Numbers
from serving.vision.problem import VisionProblem
from serving.vision.window import Labels, Size

Floats = NDArray[np.float32]
Report = Callable[[int, int, str], None]
Wanted = Literal["auto", "f32", "bf16", "int8"]

BUDGET = 2 * 1024**3
"""Bytes for the values of a layer; with what is beside them a process stays under 3 GiB."""

_SAMPLE = 96
_SLICES = 8
_MULTIPLE = 32  # what networks with pooling can halve often enough
_WINDOW = 96
_THREADS_OF_A_STREAM = 4
"""A window's work is too little for all cores of a large processor: several windows at once."""


class Network:
    """One model; safe to use by one thread at a time."""

    def __init__(
        self,
        opened: Opened,
        wanted: Wanted = "auto",
        *,
        threads: int = 0,
        kept: Path | None = None,
        budget: int = BUDGET,
    ) -> None:
        """``threads``: 0 for all that this process may use.  ``kept``: see `precision.chosen`.

        Raises:
            VisionProblem: the precision is none that this processor or the model has.
        """
        if wanted == "bf16" and "bf16" not in precision.possible():
            raise VisionProblem(
                "此处理器不支持 bf16，请用 --precision auto。",
                "bf16 needs a processor with AMX or AVX-512 BF16; use --precision auto.",
            )
        if wanted == "int8" and opened.eight_bits is None:
            raise VisionProblem(
                "该模型没有 INT8，请先运行 bedside model quantise-vision，或用 --precision auto。",
                "The model has no INT8; run `bedside model quantise-vision`, or use auto.",
            )
        self.opened = opened
        self.stages = chain.stages_of(opened.model) if opened.description.dimensions == 3 else None
        self.way: str = "" if wanted == "auto" else wanted
        """How it computes: a precision, or ``bf16:3``: all but the first three layers in bfloat16;
        empty before the first image where it is to be measured."""
        self._threads = threads
        self._kept = kept
        self._budget = budget
        self._compiled: dict[tuple[Size, Precision], window.Scores] = {}

    @property
    def precision(self) -> str:
        """What `way` is in short."""
        return self.way.partition(":")[0]

    def labels(
        self,
        volume: Floats,
        background: float | None = None,
        *,
        report: Report | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Labels:
        """The class of each voxel of ``volume`` [slice, row, column], scaled as the model needs it.

        ``background``: a value of voxels outside of the body, which need no work of their own.

        Raises:
            Cancelled: ``cancelled`` said so.
            VisionProblem: the graph cannot be run on such a window.
        """
        way = self.way or self._choose(volume, background)
        if self.stages is not None:
            return self._in_layers(volume, background, way, report, cancelled)
        size = self.given_at_once(volume.shape)
        lowest = float(volume.min(initial=0)) if background is None else background
        return window.labels(
            self._scores(size, _named(way)),
            volume,
            size,
            self.opened.description.overlap,
            lowest,
            report=report,
            cancelled=cancelled,
        )

    def given_at_once(self, shape: tuple[int, ...]) -> Size:
        """What is given to the graph at once."""
        fixed = fixed_window(self.opened)
        if fixed is not None:
            return fixed
        said = self.opened.description
        if said.window is not None:
            return said.window
        whole = [-(-size // _MULTIPLE) * _MULTIPLE for size in shape]
        if said.dimensions == 2:
            return 1, whole[1], whole[2]
        return min(_WINDOW, whole[0]), min(_WINDOW, whole[1]), min(_WINDOW, whole[2])

    def _choose(self, volume: Floats, background: float | None) -> str:
        """Measure, unless it was; on the part of the image with most in it."""
        layers = layerwise.layers(self.stages) if self.stages is not None else 0

        def prober(name: Precision) -> Callable[[], object]:
            if self.stages is not None:
                return layerwise.probe(self.stages, name, self._threads)
            size = self.given_at_once(volume.shape)
            scores = self._scores(size, name)
            empty = np.zeros(size, np.float32)
            return lambda: list(scores([empty]))

        def labels(way: str) -> Labels:
            edges = _SAMPLE, _SAMPLE, _SAMPLE
            if self.stages is None:
                # Less than a window would have too few voxels of each class to tell.
                size = self.given_at_once(volume.shape)
                edges = max(size[0], _SLICES), max(size[1], _SAMPLE), max(size[2], _SAMPLE)
            part = _middle(volume, background, edges)
            other = Network(self.opened, "f32", threads=self._threads, budget=self._budget)
            other.way = way
            return other.labels(part, background)

        def variants(name: Precision) -> list[str]:
            # The first layers in float32: what they round, all that follow build on.
            return [f"{name}:{count}" for count in range(2, layers - 1, 2)]

        self.way = precision.chosen(
            self.opened.digest,
            precision.Trial(prober, labels, variants),
            self.opened.description.max_loss,
            self._kept,
            self.opened.eight_bits is not None and self.stages is None,
        )
        return self.way

    def _in_layers(
        self,
        volume: Floats,
        background: float | None,
        way: str,
        report: Report | None,
        cancelled: Callable[[], bool],
    ) -> Labels:
        assert self.stages is not None
        numbers = _numbers(way)
        reach = np.sum([stage.reach for stage in self.stages], axis=0)
        parts = _parts(
            volume.shape,
            (int(reach[0]), int(reach[1]), int(reach[2])),
            lambda shape: layerwise.bytes_needed(self.stages or [], shape, numbers) <= self._budget,
        )
        found = np.zeros(volume.shape, np.uint8)
        for number, (inner, outer) in enumerate(parts):

            def tell_progress(done: int, total: int, what: str, before: int = number) -> None:
                if report is not None:
                    report(before * total + done, len(parts) * total, what)

            made = layerwise.labels(
                self.stages,
                volume[outer],
                background,
                numbers,
                threads=self._threads,
                report=tell_progress,
                cancelled=cancelled,
            )
            inside = tuple(
                slice(a.start - b.start, a.stop - b.start)
                for a, b in zip(inner, outer, strict=True)
            )
            found[inner] = made[inside]
        return found

    def _scores(self, size: Size, name: Precision) -> window.Scores:
        """What gives the scores of windows of ``size``, compiled once."""
        found = self._compiled.get((size, name))
        if found is None:
            flat = self.opened.description.dimensions == 2
            graph: Any = self.opened.eight_bits if name == "int8" else self.opened.model
            threads = self._threads or len(topology.usable())
            streams = max(threads // _THREADS_OF_A_STREAM, 1)
            try:
                model = graph.clone()
                model.reshape([1, 1, *size[1:]] if flat else [1, 1, *size])
                compiled = compile_model(model, name, self._threads, streams)
                made = tuple(compiled.output(0).get_shape())[2:]
            except RuntimeError:
                raise VisionProblem(
                    f"模型不能处理 {size} 大小的窗，请在 vision.yaml 设置 window。",
                    f"The graph does not take a window of {size}; set window in vision.yaml.",
                ) from None
            if made != (size[1:] if flat else size):
                raise VisionProblem(
                    "模型的输出与输入大小不同，无法逐体素分割。",
                    "The model's output is not as large as its input.",
                )
            found = self._compiled[size, name] = window.Streams(compiled, streams).scores
        return found


def _named(way: str) -> Precision:
    """The precision of a way of computing."""
    for name in ("bf16", "int8"):
        if way.partition(":")[0] == name:
            return name
    return "f32"


def _numbers(way: str) -> Numbers:
    name, _, floats = way.partition(":")
    if name != "bf16":
        return FLOATS
    return Numbers(int(floats)) if floats.isdecimal() else HALVES


Slices = tuple[slice, slice, slice]


def _parts(
    shape: tuple[int, ...], reach: Size, fits: Callable[[tuple[int, ...]], bool]
) -> list[tuple[Slices, Slices]]:
    """Boxes that make up ``shape``, each with the box around it that its answer depends on."""
    whole = slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2])
    found: list[tuple[Slices, Slices]] = []
    waiting: list[Slices] = [whole]
    while waiting:
        inner = waiting.pop(0)
        ranges = [
            slice(max(one.start - far, 0), min(one.stop + far, size))
            for one, far, size in zip(inner, reach, shape, strict=True)
        ]
        outer = ranges[0], ranges[1], ranges[2]
        sizes = [one.stop - one.start for one in inner]
        longest = int(np.argmax(sizes))
        if fits(tuple(one.stop - one.start for one in outer)) or sizes[longest] <= 16:
            found.append((inner, outer))
            continue
        middle = (inner[longest].start + inner[longest].stop) // 2
        for start, stop in ((inner[longest].start, middle), (middle, inner[longest].stop)):
            cut = list(inner)
            cut[longest] = slice(start, stop)
            waiting.append((cut[0], cut[1], cut[2]))
    return found


def _middle(volume: Floats, background: float | None, edges: Size) -> Floats:
    """A block around the middle of what is not background."""
    if background is None:
        centre = np.array(volume.shape) // 2
    else:
        places = [
            np.flatnonzero((volume != background).any(axis=tuple({0, 1, 2} - {axis})))
            for axis in range(3)
        ]
        centre = np.array([int(one.mean()) if len(one) else 0 for one in places])
    cut = []
    for at, size, edge in zip(centre, volume.shape, edges, strict=True):
        start = int(np.clip(at - edge // 2, 0, max(size - edge, 0)))
        cut.append(slice(start, min(start + edge, size)))
    return np.ascontiguousarray(volume[tuple(cut)])
