"""Weights as graph nodes: compressed constants that the CPU plugin multiplies by as they are."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from openvino import Model, Node, Shape, Tensor, Type
from openvino import opset16 as op
from openvino.op import Constant

from serving.ir.formats import Format, Plain, Precision
from serving.ir.head_choice import Choice, Chooser
from serving.ir.matrix import Floats, Matrix, Reader, Stored
from serving.ir.quantize import Quantized, WeightInvalid, kept, quantize_rows
from serving.ir.scheme import QuantizationError, Scheme
from serving.ir.weight_file import WeightFile

_INT8 = Scheme(8)
_ROWS = 1024


class Weights:
    """Reads a checkpoint's matrices and gives them as nodes."""

    def __init__(
        self,
        reader: Reader,
        precision: Precision,
        file: WeightFile,
        done: Callable[[str, int], None],
        wide: frozenset[str] = frozenset(),
        chooser: Chooser | None = None,
    ) -> None:
        """``done(name, weights)`` is called after every matrix.

        ``wide``: names of projections that keep eight bits (see `serving.ir.sensitivity`).
        ``chooser``: chooses the head's form, where ``precision`` leaves it open.
        """
        self._reader = reader
        self._precision = precision
        self._wide = wide
        self._chooser = chooser
        self._chosen: Choice | None = None
        self._named: dict[str, int] = {}
        self._file = file
        self._done = done

    @property
    def parts_head(self) -> bool:
        """See `Precision.parts_head`."""
        return self._precision.parts_head

    @property
    def chooses_head(self) -> bool:
        """Whether `choose_head` is to be called before `head`."""
        return self._chooser is not None

    def choose_head(self, body: Model, matrix: Matrix) -> None:
        """Choose the head's form by what ``body``, the graph below it, gives."""
        if self._chooser is not None:
            rows, columns = matrix.shape
            read = functools.partial(matrix.stored, self._reader)
            self._chosen = self._chooser.choose(body, read, (rows, columns))
            self._precision = replace(self._precision, head=self._chosen.kind)

    def linear(self, matrix: Matrix) -> Node:
        """A projection's weight [rows, columns] as float32."""
        wide = matrix.names[0] in self._wide
        return self._node(matrix, _INT8 if wide else self._precision.linear(matrix.shape[1]))

    def experts(self, matrix: Matrix, count: int) -> Node:
        """The weights [experts, rows, columns] of ``count`` experts that lie below one another."""
        rows, columns = matrix.shape
        wide = matrix.names[0] in self._wide
        form = _INT8 if wide else self._precision.experts(columns)
        return self._node(matrix, form, (count, rows // count, columns))

    def plain(self, matrix: Matrix) -> Node:
        """A small matrix [rows, columns] as float32, never in codes: a router, whose choice hangs
        on small differences, or the decay of a state."""
        return self._node(matrix, self._precision.plain_form)

    def embedding(self, matrix: Matrix) -> Node:
        """The embedding [vocabulary, hidden] as float32."""
        return self._node(matrix, self._precision.embedding_form(matrix.shape[1]))

    def head(self, matrix: Matrix) -> Node:
        """The head [vocabulary, hidden] as float32."""
        return self._node(matrix, self._precision.head_form(matrix.shape[1]), chosen=self._chosen)

    def vector(self, matrix: Matrix) -> Floats:
        """A norm's weight or a bias, float32."""
        values = matrix.read(self._reader)
        self._check_finite(values, matrix, 0)
        self._done(matrix.names[0], values.size)
        return values

    def _node(
        self,
        matrix: Matrix,
        form: Format,
        shape: tuple[int, ...] = (),
        chosen: Choice | None = None,
    ) -> Node:
        """``shape``: what the graph wants, where it is not that of the matrix.  ``chosen``: codes
        that are there already."""
        rows, columns = matrix.shape
        shape = shape or matrix.shape
        if isinstance(form, Scheme):
            try:
                codes = self._quantized(matrix, form) if chosen is None else chosen.codes
                node = self._compressed(codes, shape)
            except WeightInvalid as error:
                place = matrix.where(self._reader, error.row)
                raise QuantizationError(f"{place} {error.fault}") from error
        else:
            node = self._plain(matrix, form, shape)
        node.set_friendly_name(self._unused(matrix.names[0]))
        self._done(matrix.names[0], rows * columns)
        return node

    def _quantized(self, matrix: Matrix, form: Scheme) -> Quantized:
        """What was chosen elsewhere, where it is there and as narrow as is wanted."""
        codes = matrix.codes(self._reader) if form.bits == 4 else None
        if codes is not None and (found := kept(codes)) is not None:
            return found
        rows, columns = matrix.shape
        return quantize_rows(lambda part: matrix.stored(self._reader, part), (rows, columns), form)

    def _unused(self, name: str) -> str:
        """A name of the graph: one tensor may hold the rows of several matrices."""
        self._named[name] = count = self._named.get(name, 0) + 1
        return name if count == 1 else f"{name}/{count}"

    def _plain(self, matrix: Matrix, form: Plain, shape: tuple[int, ...]) -> Node:
        kinds: dict[Plain, type[np.generic]] = {
            "f32": np.float32,
            "f16": np.float16,
            "bf16": np.uint16,
        }
        stored = np.empty(matrix.shape, kinds[form])
        for start in range(0, matrix.shape[0], _ROWS):
            part = slice(start, min(start + _ROWS, matrix.shape[0]))
            values = (matrix.stored if form == "f16" else matrix.rows)(self._reader, part)
            self._check_finite(values, matrix, start)
            with np.errstate(over="ignore"):
                stored[part] = _bfloat16(values) if form == "bf16" else values
        if form == "f16" and not np.isfinite(stored).all():
            raise QuantizationError(
                f"{', '.join(matrix.names)}: a weight is too large for float16; use bf16."
            )
        kept = self._file.keep(stored.reshape(shape))
        if form == "f32":
            return Constant(Tensor(kept, shared_memory=True), shared_memory=True)
        kind = Type.bf16 if form == "bf16" else Type.f16
        constant = Constant(Tensor(kept, Shape(list(shape)), kind), shared_memory=True)
        return op.convert(constant, "f32")

    def _check_finite(self, values: Stored, matrix: Matrix, start: int) -> None:
        """Of rows of the matrix from ``start`` on."""
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if not finite.all():
            place = matrix.where(self._reader, start + int(np.argmin(finite)))
            raise QuantizationError(
                f"{place} has a weight that is infinite or no number; the file is damaged."
            )

    def _compressed(self, weights: Quantized, whole: tuple[int, ...]) -> Node:
        """Constant → Convert → [Subtract] → Multiply → [Reshape] → Convert.

        This is the pattern of compressed weights that OpenVINO's CPU plugin keeps compressed in
        MatMul and Gather.
        """
        *rows, columns = whole
        groups = weights.scale.shape[1]
        shape = [*rows, groups, columns // groups] if groups > 1 else [*rows, columns]
        per_group = [*rows, groups, 1] if groups > 1 else [*rows, 1]
        names = {(4, True): Type.i4, (4, False): Type.u4, (8, True): Type.i8, (8, False): Type.u8}
        kind = names[weights.scheme.bits, weights.scheme.symmetric]
        node: Node = op.convert(self._packed(weights.codes, shape, kind), "f16")
        if weights.zero_point is not None:
            origin = self._packed(weights.zero_point, per_group, kind)
            node = op.subtract(node, op.convert(origin, "f16"))
        scale = self._file.keep(weights.scale.reshape(per_group))
        node = op.multiply(node, Constant(Tensor(scale, shared_memory=True), shared_memory=True))
        if groups > 1:
            node = op.reshape(node, np.array(whole, np.int64), special_zero=False)
        return op.convert(node, "f32")

    def _packed(self, codes: Any, shape: list[int], kind: Type) -> Node:
        kept = self._file.keep(codes.view(np.uint8).reshape(-1))
        if kind in (Type.i8, Type.u8):
            kept = kept.view(np.int8 if kind == Type.i8 else np.uint8).reshape(shape)
            return Constant(Tensor(kept, shared_memory=True), shared_memory=True)
        return Constant(Tensor(kept, Shape(shape), kind), shared_memory=True)


def _bfloat16(values: Floats) -> np.ndarray[Any, Any]:
    """The upper half of each float32, rounded to nearest even (as IEEE 754 rounds)."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
