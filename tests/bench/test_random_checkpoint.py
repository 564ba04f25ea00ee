import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.random_checkpoint import GEOMETRIES, draw, slots, write_safetensors
from bench.random_gguf import for_pairs, gguf_name


def test_both_layouts_of_glm_hold_the_same_bytes(tmp_path: Path) -> None:
    bodies = []
    for name in ("chatglm3-1b", "glm-1b"):
        tiny = replace(
            GEOMETRIES[name], hidden=64, feed_forward=96, layers=2, heads=4, vocabulary=80
        )
        path = tmp_path / name
        write_safetensors(path, list(slots(tiny)), seed=3)
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        assert max(t["data_offsets"][1] for n, t in header.items() if n[0] != "_") == (
            len(data) - 8 - length
        )
        bodies.append(np.sort(np.frombuffer(data[8 + length :], dtype=np.uint16)))
    assert np.array_equal(*bodies)


@pytest.mark.parametrize("name", ["chatglm3-6b", "llama-7b"])
def test_size_of_the_models(name: str) -> None:
    billions = sum(slot.size for slot in slots(GEOMETRIES[name])) / 2e9
    assert billions == pytest.approx({"chatglm3-6b": 6.24, "llama-7b": 6.74}[name], abs=0.01)


def test_a_slice_of_a_tensor_is_drawn_as_in_the_whole() -> None:
    whole = next(slot for slot in slots(GEOMETRIES["chatglm3-1b"]) if slot.drawn_as == "0.qkv")
    parts = [slot for slot in slots(GEOMETRIES["glm-1b"]) if slot.drawn_as == "0.qkv"]
    joined = np.concatenate([block for part in parts for block in draw(part, 1)])
    assert np.array_equal(joined, np.concatenate(list(draw(whole, 1))))


def test_gguf_names_are_unique() -> None:
    for name in ("chatglm3-6b", "llama-7b"):
        names = [gguf_name(slot) for slot in slots(GEOMETRIES[name])]
        assert len(set(names)) == len(names)


def test_pairs_of_rotary_rows_become_neighbours() -> None:
    rows = np.arange(8.0)[:, None]
    assert for_pairs(rows, heads=2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
