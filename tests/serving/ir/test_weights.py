"""A weight as a graph node multiplies as what was stored, in every form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset16 as op

from serving.ir.formats import Precision
from serving.ir.matrix import Floats, Matrix, Order, Segment, whole
from serving.ir.quantize import dequantize, quantize
from serving.ir.scheme import QuantizationError, Scheme
from serving.ir.weight_file import WeightFile
from serving.ir.weights import Weights

ROWS, COLUMNS = 48, 256
RANDOM = np.random.default_rng(3)
WEIGHT = RANDOM.standard_normal((ROWS, COLUMNS)).astype(np.float32)
EXACT = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
PRECISIONS = [
    *(Precision("int4", group, symmetric) for group in (0, 32, 64, 128) for symmetric in (0, 1)),
    *(Precision(kind) for kind in ("int8", "fp16", "bf16", "fp32")),
]


class Tensors:
    """A checkpoint of tensors in memory."""

    def __init__(self, **tensors: Floats) -> None:
        self.tensors = tensors

    def expect(self, name: str, shape: tuple[int, ...]) -> None:
        assert self.tensors[name].shape == shape

    def file(self, name: str) -> Path:
        return Path(f"{name}.safetensors")

    def codes(self, name: str) -> None:
        return None

    def stored(self, name: str, rows: slice | Order | None = None) -> Floats:
        return self.tensors[name] if rows is None else self.tensors[name][rows]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[WeightFile]:
    with WeightFile(tmp_path / "weights.bin") as opened:
        yield opened


def made(
    precision: Precision, file: WeightFile, *, wide: bool = False, **tensors: Floats
) -> Weights:
    names = frozenset(tensors) if wide else frozenset()
    return Weights(Tensors(**tensors), precision, file, lambda name, count: None, names)


def product(node: Any) -> Floats:
    """What the CPU plugin makes of every row: the identity times the weight, transposed back."""
    rows = op.parameter([-1, COLUMNS], openvino.Type.f32)
    model = openvino.Model([op.matmul(rows, node, False, True)], [rows], "product")
    compiled = openvino.Core().compile_model(model, "CPU", EXACT)
    return np.array(compiled(np.eye(COLUMNS, dtype=np.float32))[0]).T


def stored(values: Floats, precision: Precision) -> Floats:
    """The weights that the form keeps, by the codes' own reader or by rounding."""
    form = precision.linear(COLUMNS)
    if isinstance(form, Scheme):
        return dequantize(quantize(values, form))
    if form == "bf16":
        # Halves round to even: adding to the low bits and cutting them, as IEEE 754 says it.
        exact = values.astype(np.float64)
        step = 2.0 ** (np.floor(np.log2(np.abs(exact))) - 7)
        return (np.round(exact / step) * step).astype(np.float32)
    return values.astype(np.float16 if form == "f16" else np.float32).astype(np.float32)


@pytest.mark.parametrize("precision", PRECISIONS, ids=lambda p: "-".join(p.words().values()))
def test_a_projection_multiplies_as_what_is_stored(precision: Precision, file: WeightFile) -> None:
    node = made(precision, file, w=WEIGHT).linear(whole("w", ROWS, COLUMNS))
    expected = stored(WEIGHT, precision)
    assert precision.weights == "fp32" or not np.array_equal(expected, WEIGHT)
    np.testing.assert_allclose(product(node), expected, rtol=2e-6, atol=1e-7)


def test_rows_come_from_every_tensor_in_the_order_that_is_asked_for(file: WeightFile) -> None:
    order = np.arange(ROWS)[::-1].astype(np.int64)
    matrix = Matrix((Segment("b", WEIGHT.shape, order), Segment("a", WEIGHT.shape)))
    node = made(Precision("fp32"), file, a=WEIGHT, b=2 * WEIGHT).linear(matrix)
    expected = np.concatenate([2 * WEIGHT[::-1], WEIGHT])
    np.testing.assert_allclose(product(node), expected, rtol=1e-6)


def test_a_wide_projection_keeps_eight_bits(file: WeightFile) -> None:
    node = made(Precision("int4"), file, wide=True, w=WEIGHT).linear(whole("w", ROWS, COLUMNS))
    expected = dequantize(quantize(WEIGHT, Scheme(8)))
    np.testing.assert_allclose(product(node), expected, rtol=2e-6, atol=1e-7)


def test_head_and_embedding_have_forms_of_their_own(file: WeightFile) -> None:
    precision = Precision("int4", 32, head="fp32", embedding="int4")
    weights = made(precision, file, w=WEIGHT)
    matrix = whole("w", ROWS, COLUMNS)
    np.testing.assert_allclose(product(weights.head(matrix)), WEIGHT, rtol=1e-6)
    expected = dequantize(quantize(WEIGHT, Scheme(4, 32, symmetric=False)))
    np.testing.assert_allclose(product(weights.embedding(matrix)), expected, rtol=2e-6, atol=1e-7)


def test_what_is_done_is_told_by_tensor(file: WeightFile) -> None:
    told: list[tuple[str, int]] = []
    weights = Weights(
        Tensors(w=WEIGHT, v=WEIGHT[0]), Precision(), file, lambda *step: told.append(step)
    )
    weights.linear(whole("w", ROWS, COLUMNS))
    np.testing.assert_array_equal(weights.vector(whole("v", COLUMNS)), WEIGHT[0])
    assert told == [("w", ROWS * COLUMNS), ("v", COLUMNS)]


@pytest.mark.parametrize("kind", ["int4", "int8", "fp16", "bf16", "fp32"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_is_refused_by_name(
    kind: Any, value: float, file: WeightFile
) -> None:
    bad = WEIGHT.copy()
    bad[7, 9] = value
    with pytest.raises(QuantizationError, match="broken_tensor"):
        made(Precision(kind), file, broken_tensor=bad).linear(whole("broken_tensor", ROWS, COLUMNS))


def test_a_weight_beyond_float16_is_refused_with_what_to_use(file: WeightFile) -> None:
    large = WEIGHT * np.float32(1e6)
    with pytest.raises(QuantizationError, match=r"large_tensor.*bf16"):
        made(Precision("fp16"), file, large_tensor=large).linear(
            whole("large_tensor", ROWS, COLUMNS)
        )
    node = made(Precision("bf16"), file, large_tensor=large).linear(
        whole("large_tensor", ROWS, COLUMNS)
    )
    np.testing.assert_allclose(product(node), large, rtol=2**-8)
