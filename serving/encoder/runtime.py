"""An encoder at work: rows of token ids in batches of like length, on the processor's own numbers.

Rows are sorted by length and cut into batches of about as many tokens as fit the cache; each batch
is as long as its longest row.  Several threads may call at once: each takes an inference request
from a pool and puts it back.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from serving.encoder import products, vocabulary
from serving.encoder.convert import is_converted
from serving.encoder.graph import HIDDEN, IDS, MASK
from serving.encoder.head import RelationScores, SpanScores
from serving.encoder.products import Products
from serving.encoder.shape import (
    HeadShape,
    RelationShape,
    Shape,
    SpanShape,
    head_shape_of,
    shape_of,
)
from serving.encoder.vocabulary import Vocabulary
from serving.hardware import cpu
from serving.ir.checkpoint import read_config
from serving.ir.matrix import Floats
from serving.models.manifest import MODEL_FILE, WEIGHTS_FILE, sha256_of

Compute = Literal["auto", "f32", "bf16"]
_BF16 = frozenset({"amx_bf16", "avx512_bf16"})
_PARTS = ("pairs", "starts", "stops")
_TRIAL_ROWS = 16
_TRIAL_SECONDS = 0.4
_CHOICE_TOKENS = 126


@dataclass(frozen=True, slots=True)
class Placement:
    """How a model is spread over the processor: requests at once, threads for all of them (0: every
    core), and tokens in a batch."""

    streams: int = 1
    threads: int = 0
    tokens: int = 2_048


class ModelUnavailable(Exception):
    """The folder holds no model that can be run here; the message says what to do."""


class BertRuntime:
    """One compiled encoder, with a head or without."""

    def __init__(
        self,
        folder: Path,
        compute: Compute = "auto",
        placement: Placement | None = None,
        kept: Path | None = None,
    ) -> None:
        """Load and compile (some tenths of a second; the first time of an INT8 model, twice that).

        ``compute``: numbers of the products that are not INT8 in the model itself.  ``auto`` is
        bfloat16 where the processor has AMX for it, and leaves INT8 out where that is quicker here;
        ``kept``: the file for what was measured of that, see `serving.encoder.products`.

        Raises:
            ModelUnavailable: a file is missing, or OpenVINO cannot read or compile the model.
            CheckpointError: ``config.json`` or ``vocab.txt`` is wrong.
        """
        import openvino

        if not is_converted(folder):
            raise ModelUnavailable(
                f"{folder} is no converted encoder: {MODEL_FILE}, its weights, config.json or "
                "vocab.txt is missing. Make one with: bedside train export SRC --out DIR"
            )
        self.folder = folder
        config = read_config(folder)
        where = str(folder / "config.json")
        self.shape: Shape = shape_of(config, where)
        self.head: HeadShape | None = head_shape_of(config, where)
        self.vocabulary: Vocabulary = vocabulary.read(folder, config.get("vocabulary"))
        self.compute = _numbers(compute)
        self._core: Any = openvino.Core()
        try:
            self._model: Any = self._core.read_model(folder / MODEL_FILE)
            _check_outputs(self._model, self.head, folder)
            self.products: Products = "int8"
            if compute == "auto" and products.has_eight_bits(self._model):
                self._choose_products(kept)
            self.place(placement or Placement())
        except RuntimeError as error:
            raise ModelUnavailable(
                f"{folder / MODEL_FILE} cannot be read or compiled by OpenVINO; make the folder "
                "again."
            ) from error

    @property
    def span(self) -> SpanShape | None:
        """The span head, if that is the head."""
        return self.head if isinstance(self.head, SpanShape) else None

    @property
    def relation(self) -> RelationShape | None:
        """The relation head, if that is the head."""
        return self.head if isinstance(self.head, RelationShape) else None

    @property
    def longest(self) -> int:
        """Tokens of a row, special tokens left out."""
        return self.shape.max_position_embeddings - 2

    def spans(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, SpanScores]]:
        """(which row, its scores) for rows of token ids without special tokens, batch by batch.

        Raises:
            ModelUnavailable: the model has no span head.
        """
        if self.span is None:
            raise ModelUnavailable(f"{self.folder} is an encoder without a span head.")
        for chosen, outputs in self._batches(rows):
            parts = [outputs[name] for name in _PARTS]
            for place, index in enumerate(chosen):
                yield index, SpanScores.of_row(parts, place, len(rows[index]))

    def relations(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, RelationScores]]:
        """(which row, its scores) for rows of token ids without special tokens, batch by batch.

        Raises:
            ModelUnavailable: the model has no relation head.
        """
        if self.relation is None:
            raise ModelUnavailable(f"{self.folder} is an encoder without a relation head.")
        for chosen, outputs in self._batches(rows):
            for place, index in enumerate(chosen):
                tables = (
                    SpanScores.of_row(
                        [outputs[grid + name] for name in _PARTS], place, len(rows[index])
                    )
                    for grid in self.relation.grids
                )
                yield index, RelationScores(*tables)

    def hidden(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, Floats]]:
        """(which row, its vectors [length, hidden]) of an encoder, special tokens taken off.

        Raises:
            ModelUnavailable: the model has a head on it.
        """
        if self.head is not None:
            raise ModelUnavailable(f"{self.folder} gives scores of its head, not vectors.")
        for chosen, outputs in self._batches(rows):
            for place, index in enumerate(chosen):
                yield index, outputs[HIDDEN][place, 1 : len(rows[index]) + 1]

    def measure(self, choices: Sequence[Placement]) -> dict[Placement, float]:
        """Tokens per second of each placement, on rows as long as the model reads.

        The fastest stays in use.
        """
        rows = [[self.vocabulary.unknown] * min(self.longest, 254)] * _TRIAL_ROWS
        paces: dict[Placement, float] = {}
        for choice in choices:
            self.place(choice)
            self._consume(rows)
            done, started = 0, time.perf_counter()
            while (taken := time.perf_counter() - started) < _TRIAL_SECONDS:
                self._consume(rows)
                done += sum(map(len, rows))
            paces[choice] = done / taken
        self.place(max(paces, key=lambda choice: paces[choice]))
        return paces

    def _choose_products(self, kept: Path | None) -> None:
        stored, floats = self._model, products.in_floats(self._model)
        if floats is None:
            return
        models = {"int8": stored, "float": floats}
        rows = [[self.vocabulary.unknown] * min(self.longest, _CHOICE_TOKENS)] * 2

        def use(choice: Products) -> None:
            self.products, self._model = choice, models[choice]

        def run(choice: Products) -> Callable[[], object]:
            use(choice)
            compiled = self._compile(Placement())
            request = compiled.create_infer_request()
            return lambda: request.infer(self._inputs(rows))

        digest = sha256_of(self.folder / WEIGHTS_FILE) if kept is not None else ""
        use(products.quicker(digest, run, kept))

    def _consume(self, rows: Sequence[Sequence[int]]) -> None:
        for _ in self._batches(rows):
            pass

    def place(self, placement: Placement) -> None:
        """Compile the model anew for this placement; not while rows are being read."""
        self._compiled: Any = self._compile(placement)
        self.placement = replace(placement)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(placement.streams):
            self._idle.put(self._compiled.create_infer_request())

    def _compile(self, placement: Placement) -> Any:
        import openvino.properties as property
        import openvino.properties.hint as hint

        options: dict[Any, Any] = {
            hint.inference_precision(): "bf16" if self.compute == "bf16" else "f32",
            property.streams.num(): placement.streams,
        }
        if placement.threads:
            options[property.inference_num_threads()] = placement.threads
            # Several processes would all be pinned to the first cores.
            options[hint.enable_cpu_pinning()] = False
        if self.products == "float":
            # Else the plugin quantises them all the same, by its own ranges.
            options[hint.dynamic_quantization_group_size()] = 0
        return self._core.compile_model(self._model, "CPU", options)

    def _batches(
        self, rows: Sequence[Sequence[int]]
    ) -> Iterator[tuple[list[int], dict[str, NDArray[np.float32]]]]:
        pool = self._idle
        work = [
            (chosen, self._inputs([rows[index] for index in chosen])) for chosen in self._cut(rows)
        ]
        running: list[tuple[list[int], Any]] = []
        # As many at once as there are streams and as other callers leave.
        try:
            for chosen, given in work:
                if running and (len(running) >= self.placement.streams or pool.empty()):
                    yield self._done(pool, *running.pop(0))
                request = pool.get()
                running.append((chosen, request))
                request.start_async(given, share_inputs=False)
            while running:
                yield self._done(pool, *running.pop(0))
        finally:
            for _, request in running:
                request.wait()
                pool.put(request)

    @staticmethod
    def _done(
        pool: queue.SimpleQueue[Any], chosen: list[int], request: Any
    ) -> tuple[list[int], dict[str, NDArray[np.float32]]]:
        try:
            request.wait()
            outputs = {
                port.any_name: np.array(request.get_tensor(port).data)
                for port in request.model_outputs
            }
        finally:
            pool.put(request)
        return chosen, outputs

    def _cut(self, rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Indexes of the rows of each batch, long rows first."""
        order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))
        place = 0
        while place < len(order):
            longest = len(rows[order[place]]) + 2
            if longest > self.shape.max_position_embeddings:
                raise ValueError(f"a row of {longest - 2} tokens; at most {self.longest} fit")
            count = max(1, self.placement.tokens // longest)
            yield order[place : place + count]
            place += count

    def _inputs(self, rows: Sequence[Sequence[int]]) -> dict[str, NDArray[np.int64]]:
        longest = max(map(len, rows)) + 2
        ids = np.full((len(rows), longest), self.vocabulary.pad, np.int64)
        mask = np.zeros((len(rows), longest), np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row) + 2] = [self.vocabulary.first, *row, self.vocabulary.last]
            mask[place, : len(row) + 2] = 1
        return {IDS: ids, MASK: mask}


def placements(cores: int) -> list[Placement]:
    """What is worth measuring on ``cores`` cores: one request on all of them, or one a core."""
    streams = sorted({1, cores} if cores <= 8 else {1, cores // 4, cores // 2, cores})
    return [
        Placement(streams=count, threads=cores, tokens=tokens)
        for count in streams
        for tokens in (512, 2_048)
    ]


def _numbers(compute: Compute) -> Literal["f32", "bf16"]:
    flags = cpu.flags()
    if compute == "bf16" and not flags & _BF16:
        raise ModelUnavailable(
            "compute bf16 needs a processor with AMX or AVX-512 BF16, and this one has neither; "
            "use compute auto."
        )
    # By AVX-512 alone, products of small encoders in bfloat16 were measured slower than in float32.
    return "bf16" if compute == "bf16" or (compute == "auto" and "amx_bf16" in flags) else "f32"


def _check_outputs(model: Any, head: HeadShape | None, folder: Path) -> None:
    names = {output.any_name for output in model.outputs}
    grids = {} if head is None else head.grids
    wanted = {grid + part for grid in grids for part in _PARTS} or {HIDDEN}
    if not wanted <= names:
        raise ModelUnavailable(
            f"{folder / MODEL_FILE} gives {', '.join(sorted(names))}, but config.json asks for "
            f"{', '.join(sorted(wanted))}; the files are of two models."
        )
    for grid, labels in grids.items():
        given = model.output(f"{grid}starts").partial_shape[1]
        if given.is_static and given.get_length() != labels:
            raise ModelUnavailable(
                f"{folder}: the model scores {given.get_length()} types, but config.json names "
                f"{labels}; the files are of two models."
            )
