"""What is kept lies in the file, and is found there again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.ir import weight_file
from serving.ir.weight_file import WeightFile


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 300), min_size=1, max_size=8))
def test_arrays_lie_where_the_file_says(tmp_path_factory, sizes: list[int]) -> None:
    path = tmp_path_factory.mktemp("weights") / "model.bin"
    arrays = [np.random.default_rng(size).integers(0, 255, size).astype(np.int32) for size in sizes]
    with WeightFile(path) as file:
        kept = [file.keep(array) for array in arrays]
        offsets = [file.offset(array.ctypes.data) for array in kept]
        for array, same in zip(arrays, kept, strict=True):
            np.testing.assert_array_equal(array, same)
        apart = np.zeros(4)
        assert file.offset(apart.ctypes.data) is None
        inner = kept[0][len(kept[0]) // 2 :]
        assert file.offset(inner.ctypes.data) == len(kept[0]) // 2 * 4
        file.flush()
    raw = path.read_bytes()
    assert len(raw) == sum(-(-array.nbytes // 64) * 64 for array in arrays)
    for array, offset in zip(arrays, offsets, strict=True):
        assert offset is not None
        assert offset % 64 == 0
        assert raw[offset : offset + array.nbytes] == array.tobytes()


def test_numbers_of_any_shape_and_order_are_appended(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float16).reshape(3, 4)
    with WeightFile(tmp_path / "model.bin") as file:
        assert file.append(np.asfortranarray(values)) == 0
        assert file.append(np.float32(1.5) * np.ones(())) == 64
    raw = (tmp_path / "model.bin").read_bytes()
    assert raw[:24] == values.tobytes()
    assert np.frombuffer(raw[64:72])[0] == 1.5


def test_a_thousand_arrays_hold_few_descriptors(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with WeightFile(tmp_path / "model.bin") as file:
        kept = [file.keep(np.full(70, number, np.int32)) for number in range(1000)]
        assert len(os.listdir("/proc/self/fd")) < before + 10
        assert all((array == number).all() for number, array in enumerate(kept))


def test_an_array_larger_than_what_is_mapped_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_file, "_STRETCH", 1 << 12)
    arrays = [np.full(size, size, np.float32) for size in (10, 3000, 10, 1000, 900)]
    with WeightFile(tmp_path / "model.bin") as file:
        kept = [file.keep(array) for array in arrays]
        offsets = [file.offset(array.ctypes.data) for array in kept]
        for array, same in zip(arrays, kept, strict=True):
            np.testing.assert_array_equal(array, same)
    raw = (tmp_path / "model.bin").read_bytes()
    for array, offset in zip(arrays, offsets, strict=True):
        assert offset is not None
        assert raw[offset : offset + array.nbytes] == array.tobytes()
