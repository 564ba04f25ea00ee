"""Rows of a stacked matrix are those of its tensors, in their order, however they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.ir.matrix import Floats, Matrix, Order, Segment, stack, whole


class Table:
    """Tensors in memory; remembers what was asked for."""

    def __init__(self, **tensors: Any) -> None:
        self.tensors = {name: np.asarray(value, np.float32) for name, value in tensors.items()}

    def expect(self, name: str, shape: tuple[int, ...]) -> None:
        if self.tensors[name].shape != shape:
            raise LookupError(name)

    def stored(self, name: str, rows: slice | Order | None = None) -> Floats:
        return self.tensors[name] if rows is None else self.tensors[name][rows]


def numbered(rows: int, columns: int, first: int = 0) -> Floats:
    return (first + np.arange(rows * columns, dtype=np.float32)).reshape(rows, columns)


TABLE = Table(a=numbered(5, 3), b=numbered(4, 3, 100), c=np.arange(6.0))
ORDER = np.array([3, 1, 0, 2], np.int64)
STACKED = stack(whole("a", 5, 3), Matrix((Segment("b", (4, 3), ORDER),)), whole("a", 5, 3))
EXPECTED = np.concatenate([numbered(5, 3), numbered(4, 3, 100)[ORDER], numbered(5, 3)])


@given(st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda pair: pair[0] < pair[1]))
def test_any_rows_are_those_of_the_whole(pair: tuple[int, int]) -> None:
    part = slice(*pair)
    np.testing.assert_array_equal(STACKED.rows(TABLE, part), EXPECTED[part])


def test_shape_and_names_count_a_reordered_segment_once() -> None:
    assert STACKED.shape == (14, 3)
    assert STACKED.names == ("a", "b")
    np.testing.assert_array_equal(STACKED.read(TABLE), EXPECTED)


def test_a_part_of_a_tensors_rows_gives_a_smaller_matrix() -> None:
    part = Matrix((Segment("a", (5, 3), np.array([4, 2], np.int64)),))
    assert part.shape == (2, 3)
    np.testing.assert_array_equal(part.read(TABLE), numbered(5, 3)[[4, 2]])


def test_a_vector_is_read_in_its_order() -> None:
    vector = Matrix((Segment("c", (6,), np.array([5, 0], np.int64)), Segment("c", (6,))))
    assert vector.shape == (8,)
    np.testing.assert_array_equal(vector.read(TABLE), [5, 0, 0, 1, 2, 3, 4, 5])


def test_every_segment_is_checked() -> None:
    STACKED.check(TABLE)
    with pytest.raises(LookupError, match="b"):
        stack(whole("a", 5, 3), whole("b", 4, 2)).check(TABLE)
