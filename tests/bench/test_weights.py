import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from bench.peers.weights import weight_bytes

VOCABULARY, HIDDEN = 512, 64


def _compressed(values: np.ndarray) -> openvino.Output:
    scale = ops.constant(np.ones((values.shape[0], 1), dtype=np.float16))
    half = ops.convert(ops.constant(values), "f16")
    return ops.convert(ops.multiply(half, scale), "f32").output(0)


def _model(tied: bool) -> openvino.Model:
    ids = ops.parameter([-1], np.int64)
    table = _compressed(np.ones((VOCABULARY, HIDDEN), dtype=np.int8))
    head = table if tied else _compressed(np.ones((VOCABULARY, HIDDEN), dtype=np.int8))
    found = ops.gather(table, ids, ops.constant(0))
    logits = ops.matmul(found, head, False, True)
    return openvino.Model([ops.result(logits)], [ids], "tiny")


@pytest.mark.parametrize("tied", [False, True])
def test_a_table_counts_only_where_it_is_the_head(tied: bool) -> None:
    # The scales of 512 rows are 1 KiB and below what is counted.
    assert weight_bytes(_model(tied)) == VOCABULARY * HIDDEN
