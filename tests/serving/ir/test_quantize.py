"""Codes and scales: what is lost, how it is stored, what is refused."""

from __future__ import annotations

import tracemalloc

import numpy as np
import openvino as ov
import pytest
from gguf import GGMLQuantizationType, quants
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from openvino import opset16 as op
from openvino.op import Constant

from serving.ir.quantize import (
    QuantizationError,
    Quantized,
    Scheme,
    dequantize,
    quantize,
    quantize_rows,
)

Floats = NDArray[np.float32]
FOUR_BITS = [
    Scheme(4, group, symmetric) for group in (0, 32, 64, 128) for symmetric in (True, False)
]
EIGHT_BITS = [Scheme(8), Scheme(8, 0, symmetric=False), Scheme(8, 128), Scheme(8, 32, False)]
SCHEMES = FOUR_BITS + EIGHT_BITS
KINDS = {
    (4, True): ov.Type.i4,
    (4, False): ov.Type.u4,
    (8, True): ov.Type.i8,
    (8, False): ov.Type.u8,
}


def gaussian(rows: int, columns: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal((rows, columns), np.float32) * 0.02


def heavy(rows: int, columns: int, seed: int = 0) -> Floats:
    source = np.random.default_rng(seed)
    return (source.standard_t(3, (rows, columns)) * 0.02).astype(np.float32)


def squared_error(weight: Floats, other: Floats) -> float:
    return float(np.square(weight.astype(np.float64) - other).sum())


def plain(weight: Floats, scheme: Scheme) -> Floats:
    """Rounding by the extreme of each group, the scale kept in float16."""
    rows, columns = weight.shape
    groups = weight.reshape(rows * scheme.groups(columns), -1)
    low, high = groups.min(axis=1, keepdims=True), groups.max(axis=1, keepdims=True)
    span, half = 2**scheme.bits - 1, 2 ** (scheme.bits - 1)
    if scheme.symmetric:
        scale = np.where(-low > high, low, high) / -half
    else:
        low, high = np.minimum(low, 0), np.maximum(high, 0)
        scale = (high - low) / span
    scale = scale.astype(np.float16).astype(np.float32)
    scale[scale == 0] = 1
    first = -half if scheme.symmetric else -np.clip(np.rint(-low / scale), 0, span)
    return (np.clip(np.rint(groups / scale), first, first + span) * scale).reshape(rows, columns)


def weight_node(quantized: Quantized, precision: str) -> ov.Node:
    """The weights as the pattern of nodes that OpenVINO knows as compressed."""
    rows, groups = quantized.scale.shape
    kind = KINDS[quantized.scheme.bits, quantized.scheme.symmetric]

    def constant(data: NDArray[np.generic], shape: list[int]) -> ov.Node:
        raw = np.frombuffer(data.tobytes(), np.uint8)
        return Constant(ov.Tensor(raw, ov.Shape(shape), kind), shared_memory=False)

    columns = quantized.shape[1]
    node = op.convert(constant(quantized.codes, [rows, groups, columns // groups]), precision)
    if quantized.zero_point is not None:
        zero = constant(quantized.zero_point, [rows, groups, 1])
        node = op.subtract(node, op.convert(zero, precision))
    scale = op.constant(quantized.scale.reshape(rows, groups, 1))
    node = op.multiply(node, scale if precision == "f16" else op.convert(scale, precision))
    node = op.reshape(node, np.array([rows, columns]), special_zero=False)
    return node if precision == "f32" else op.convert(node, "f32")


def infer(model: ov.Model, *inputs: Floats) -> Floats:
    options = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
    result: Floats = ov.Core().compile_model(model, "CPU", options)(list(inputs))[0]
    return result


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_openvino_reads_the_same_weights(scheme: Scheme) -> None:
    quantized = quantize(heavy(6, 384), scheme)
    model = ov.Model([weight_node(quantized, "f32")], [])
    np.testing.assert_array_equal(infer(model), dequantize(quantized))


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_openvino_multiplies_by_them_compressed(scheme: Scheme) -> None:
    quantized = quantize(gaussian(64, 256), scheme)
    vectors = op.parameter([-1, 256], np.float32)
    product = op.matmul(vectors, weight_node(quantized, "f16"), False, True)
    inputs = gaussian(3, 256, seed=1)
    found = infer(ov.Model([product], [vectors]), inputs)
    np.testing.assert_allclose(found, inputs @ dequantize(quantized).T, rtol=0, atol=2e-5)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@settings(deadline=None, max_examples=40)
@given(
    weight=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.sampled_from([128, 256])),
        elements=st.floats(-3e4, 3e4, width=32),
    )
)
def test_never_loses_more_than_plain_rounding(scheme: Scheme, weight: Floats) -> None:
    quantized = quantize(weight, scheme)
    groups = scheme.groups(weight.shape[1])
    by_group = weight.reshape(-1, weight.shape[1] // groups)
    # Scales lie 2^-24 apart near zero and 2^-11 of their size elsewhere; sums are single precision.
    spacing = np.abs(by_group).max(axis=1) * 2.0**-11 + 2.0**-20
    slack = by_group.shape[1] * np.square(spacing) + 1e-5 * np.square(by_group).sum(axis=1)
    ours = np.square(weight - dequantize(quantized)).reshape(by_group.shape).sum(axis=1)
    theirs = np.square(weight - plain(weight, scheme)).reshape(by_group.shape).sum(axis=1)
    assert (ours <= theirs + slack).all()


@pytest.mark.parametrize("group", [0, 32, 64, 128])
@pytest.mark.parametrize("make", [gaussian, heavy])
def test_symmetric_four_bits_lose_less_than_q4_0(group: int, make: object) -> None:
    assert callable(make)
    weight = make(64, 256)
    blocks = quants.quantize(weight, GGMLQuantizationType.Q4_0)
    peer = squared_error(weight, quants.dequantize(blocks, GGMLQuantizationType.Q4_0))
    scheme = Scheme(4, group)
    ours = squared_error(weight, dequantize(quantize(weight, scheme)))
    assert ours < squared_error(weight, plain(weight, scheme))
    if scheme.bits_per_weight(256) == 4.5:
        assert ours < 0.95 * peer


@pytest.mark.parametrize("make", [gaussian, heavy])
def test_a_moving_zero_loses_less_at_a_group(make: object) -> None:
    assert callable(make)
    weight = make(64, 1024)
    for group in (0, 32, 64, 128):
        fixed, moving = (
            squared_error(weight, dequantize(quantize(weight, Scheme(4, group, symmetric))))
            for symmetric in (True, False)
        )
        assert moving < fixed
        assert moving < 0.97 * squared_error(weight, plain(weight, Scheme(4, group, False)))


@settings(deadline=None, max_examples=60)
@given(
    codes=hnp.arrays(np.int8, (5, 64), elements=st.integers(-8, 7)),
    scale=hnp.arrays(np.float16, (5, 2), elements=st.floats(2.0**-10, 128, width=16)),
    flip=st.booleans(),
)
def test_weights_on_the_grid_come_back_exactly(
    codes: NDArray[np.int8], scale: NDArray[np.float16], flip: bool
) -> None:
    grid = codes.reshape(5, 2, 32).astype(np.float32)
    grid[:, :, 5] = -8
    weight = (grid * scale[:, :, None].astype(np.float32) * (-1 if flip else 1)).reshape(5, 64)
    np.testing.assert_array_equal(dequantize(quantize(weight, Scheme(4, 32))), weight)


def test_a_shifted_grid_comes_back_exactly() -> None:
    grid = np.random.default_rng(3).integers(0, 16, (8, 4, 32)).astype(np.float32)
    grid[:, :, 0], grid[:, :, 1] = 0, 15
    zero = np.random.default_rng(4).integers(0, 16, (8, 4, 1))
    weight = ((grid - zero) * np.float32(0.125)).reshape(8, 128)
    quantized = quantize(weight, Scheme(4, 32, symmetric=False))
    np.testing.assert_array_equal(dequantize(quantized), weight)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_zero_stays_zero(scheme: Scheme) -> None:
    weight = gaussian(4, 256)
    weight[1] = 0
    weight[2, ::3] = 0
    weight[3] = np.abs(weight[3]) + 1
    weight[3, 7] = 0
    found = dequantize(quantize(weight, scheme))
    assert (found[weight == 0] == 0).all()
    assert np.isfinite(found).all()


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("size", [1e-38, 1e-12, 1e-7, 1e-5, 0.99 * 65504 * 8])
def test_tiny_and_huge_weights(scheme: Scheme, size: float) -> None:
    weight = (gaussian(4, 256) / 0.1).clip(-1, 1) * np.float32(size)
    weight[0, 0], weight[0, 1] = size, -size / 2
    quantized = quantize(weight, scheme)
    assert np.isfinite(quantized.scale).all()
    assert (quantized.scale != 0).all()
    step = max(np.abs(weight).max() / 7, 2.0**-24)
    assert np.abs(dequantize(quantized) - weight).max() <= 2 * step


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_a_weight_that_is_no_number_is_refused(scheme: Scheme, bad: float) -> None:
    weight = gaussian(3000, 128)
    weight[2077, 31] = bad
    with pytest.raises(QuantizationError, match=r"Row 2077 .* infinite or no number"):
        quantize(weight, scheme)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_matrix_of_nothing_else_is_refused_too(workers: int) -> None:
    weight = np.full((20_000, 128), np.nan, np.float16)
    with pytest.raises(QuantizationError, match=r"Row 0 .* infinite or no number"):
        quantize(weight, Scheme(4, 128), workers)


def test_a_weight_beyond_float16_scales_is_refused() -> None:
    weight = gaussian(4, 64)
    weight[3, 40] = -600_000
    with pytest.raises(QuantizationError, match=r"Row 3 .* 524032"):
        quantize(weight, Scheme(4, 32))
    assert np.isfinite(dequantize(quantize(weight, Scheme(8)))).all()


@pytest.mark.parametrize(
    ("scheme", "shape", "advice"),
    [
        (Scheme(4, 128), (2, 96), "use group 32"),
        (Scheme(4, 128), (2, 896 + 64), "use group 64"),
        (Scheme(4, 64), (2, 100), "use group 0"),
        (Scheme(4), (2, 33), "use 8 bits"),
        (Scheme(4), (2, 0), "without weights"),
        (Scheme(4), (2,), "1 dimensions"),
    ],
)
def test_shapes_that_do_not_fit_say_what_does(
    scheme: Scheme, shape: tuple[int, ...], advice: str
) -> None:
    with pytest.raises(QuantizationError, match=advice):
        quantize(np.zeros(shape, np.float32), scheme)


@pytest.mark.parametrize(("bits", "group"), [(3, 32), (16, 0), (4, 16), (4, -1), (4, 256)])
def test_other_schemes_are_refused(bits: int, group: int) -> None:
    with pytest.raises(QuantizationError, match="use"):
        Scheme(bits, group)


def test_bits_a_weight() -> None:
    assert Scheme(4, 32).bits_per_weight(4096) == 4.5
    assert Scheme(4, 64, symmetric=False).bits_per_weight(4096) == 4 + 20 / 64
    assert Scheme(8).bits_per_weight(4096) == 8 + 16 / 4096


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_stored_sizes(scheme: Scheme) -> None:
    quantized = quantize(gaussian(3, 384), scheme)
    groups = scheme.groups(384)
    assert quantized.shape == (3, 384)
    assert quantized.codes.shape == (3, 384 * scheme.bits // 8)
    assert quantized.scale.dtype == np.float16
    assert quantized.scale.shape == (3, groups)
    if scheme.symmetric:
        assert quantized.zero_point is None
    else:
        assert quantized.zero_point is not None
        assert quantized.zero_point.nbytes == -(-3 * groups * scheme.bits // 8)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_rows_read_in_parts_give_the_same_codes(scheme: Scheme) -> None:
    weight = heavy(5000, 128)
    read = []

    def rows(part: slice) -> Floats:
        read.append(part)
        return weight[part]

    whole = quantize(weight, scheme, workers=1)
    parts = quantize_rows(rows, (5000, 128), scheme, workers=3)
    np.testing.assert_array_equal(whole.codes, parts.codes)
    np.testing.assert_array_equal(whole.scale, parts.scale)
    assert sorted(i for part in read for i in range(part.start, part.stop)) == list(range(5000))
    alone = quantize(weight[4990:], scheme)
    np.testing.assert_array_equal(alone.codes, whole.codes[4990:])


def test_weights_of_other_kinds_and_orders() -> None:
    weight = gaussian(48, 64).astype(np.float16)
    expected = quantize(weight.astype(np.float32), Scheme(4, 32))
    for other in (weight, np.asfortranarray(weight), weight.astype(np.float64)):
        np.testing.assert_array_equal(quantize(other, Scheme(4, 32)).codes, expected.codes)


@pytest.mark.parametrize("scheme", [Scheme(4, 128), Scheme(4, 0, False), Scheme(8)], ids=str)
def test_memory_stays_small(scheme: Scheme) -> None:
    weight = gaussian(4096, 2048)
    tracemalloc.start()
    quantized = quantize(weight, scheme, workers=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    kept = quantized.codes.nbytes + quantized.scale.nbytes
    assert peak - kept < 16 << 20
    assert peak - kept < weight.nbytes / 4
