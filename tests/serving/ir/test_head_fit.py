"""Codes that are fitted to what they are multiplied with lose less of the product."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from serving.ir.head_fit import fit_rows
from serving.ir.quantize import dequantize, quantize, some_rows
from serving.ir.scheme import QuantizationError, Scheme

ROWS, COLUMNS = 1030, 128
SCHEMES = [Scheme(4, 64, False), Scheme(4, 32, True), Scheme(4, 0, False)]


@pytest.fixture(scope="module")
def weights() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).standard_normal((ROWS, COLUMNS)).astype(np.float32)


@pytest.fixture(scope="module")
def inputs() -> np.ndarray[Any, Any]:
    """Inputs that go together, some of them much larger than others, as hidden states are."""
    random = np.random.default_rng(1)
    mixing = random.standard_normal((COLUMNS, COLUMNS)) * np.exp(random.standard_normal(COLUMNS))
    found: np.ndarray[Any, Any] = random.standard_normal((900, COLUMNS)) @ mixing
    return found


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_products_of_other_inputs_lose_less_than_by_rounding(
    weights: np.ndarray[Any, Any], inputs: np.ndarray[Any, Any], scheme: Scheme
) -> None:
    seen, others = inputs[:600], inputs[600:]
    moment = seen.T @ seen / len(seen)
    fitted = fit_rows(lambda part: weights[part], weights.shape, scheme, moment)
    rounded = quantize(weights, scheme)
    lost = [np.square(others @ (dequantize(q) - weights).T).mean() for q in (fitted, rounded)]
    assert lost[0] < 0.8 * lost[1]


def test_inputs_that_do_not_go_together_are_plain_rounding(weights: np.ndarray[Any, Any]) -> None:
    scheme = SCHEMES[0]
    found = fit_rows(lambda part: weights[part], weights.shape, scheme, np.eye(COLUMNS))
    np.testing.assert_array_equal(found.codes, quantize(weights, scheme).codes)


def test_a_weight_that_is_no_number_is_named_by_its_row(weights: np.ndarray[Any, Any]) -> None:
    broken = weights.copy()
    broken[1027, 5] = np.nan
    with pytest.raises(QuantizationError, match="Row 1027 has a weight"):
        fit_rows(lambda part: broken[part], broken.shape, SCHEMES[0], np.eye(COLUMNS))


@pytest.mark.parametrize("scheme", [*SCHEMES, Scheme(8), Scheme(8, 0, False)], ids=str)
def test_some_rows_are_those_of_the_whole(weights: np.ndarray[Any, Any], scheme: Scheme) -> None:
    whole = quantize(weights[:31], scheme)
    for start, stop in ((0, 31), (4, 9), (30, 40)):
        found = dequantize(some_rows(whole, start, stop))
        np.testing.assert_array_equal(found, dequantize(whole)[start:stop])
