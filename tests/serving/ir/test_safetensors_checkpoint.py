"""Shards are read as they were written, and damage is named."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_checkpoint import GEOMETRIES, encode, write_checkpoint, write_safetensors

from serving.ir.checkpoint import CheckpointError
from serving.ir.convert import load
from serving.ir.inspection import inspect
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint
from serving.models.manifest import sha256_of

EMBEDDING = "model.embed_tokens.weight"


def sharded(folder: Path, shards: int = 3) -> Path:
    return write_checkpoint(folder, "qwen2", shards=shards)


def raw(folder: Path, tensors: dict[str, Any], dtype: Any = "float32") -> SafetensorsCheckpoint:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    write_safetensors(folder / "model.safetensors", tensors, dtype)
    return SafetensorsCheckpoint(folder)


def rewrite_header(file: Path, change: Any) -> None:
    """Replace a file's header by what ``change`` makes of it."""
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = change(json.loads(data[8 : 8 + length]))
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_numbers_come_back_as_they_were_stored(tmp_path: Path, dtype: Any) -> None:
    values = np.random.default_rng(1).standard_normal((7, 5)).astype(np.float32)
    found = raw(tmp_path, {"a": encode(values, dtype), "b": encode(values[0], dtype)}, dtype)
    tolerance = {"float32": 0, "float16": 2**-11, "bfloat16": 2**-8}[dtype]
    read = found.read("a")
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, values, rtol=tolerance)
    assert (dtype == "float32") == np.array_equal(read, values)
    np.testing.assert_array_equal(found.read("a", slice(2, 4)), read[2:4])
    np.testing.assert_array_equal(found.read("a", np.array([6, 0])), read[[6, 0]])
    np.testing.assert_array_equal(found.read("b"), read[0])
    assert found.names() == ["a", "b"]
    assert found.kind("a") == {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}[dtype]


def test_every_shard_is_read_and_hashed(tmp_path: Path) -> None:
    found = SafetensorsCheckpoint(sharded(tmp_path))
    files = {found.file(name) for name in found.names()}
    assert len(files) == 3
    assert found.digests() == {file.name: sha256_of(file) for file in files}
    assert found.bytes == sum(file.stat().st_size for file in files)
    assert load(tmp_path)[1].family == "qwen2"


def test_attributes_that_a_mac_keeps_beside_a_file_are_let_be(tmp_path: Path) -> None:
    folder = sharded(tmp_path, 1)
    (folder / "._model.safetensors").write_bytes(b"\x00\x05\x16\x07" + bytes(60))
    assert load(folder)[1].family == "qwen2"
    assert set(SafetensorsCheckpoint(folder).digests()) == {"model.safetensors"}
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="holds no"):
        load(folder)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_may_begin_with_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    folder = sharded(tmp_path)
    for name in ("config.json", "model.safetensors.index.json"):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert load(folder)[1].family == "qwen2"


def test_eight_bit_numbers_are_found_while_reading(tmp_path: Path) -> None:
    folder = sharded(tmp_path, 1)
    tensor = "model.layers.0.mlp.up_proj.weight"

    def eight(header: dict) -> dict:
        begin, end = header[tensor]["data_offsets"]
        header[tensor] |= {
            "dtype": "F8_E4M3",
            "data_offsets": [begin, begin + (end - begin) // 4],
        }
        return header

    rewrite_header(folder / "model.safetensors", eight)
    with pytest.raises(CheckpointError, match=rf"{tensor} is of type F8_E4M3"):
        load(folder)
    (said,) = inspect(folder).problems[:1]
    assert "F8_E4M3" in said


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    lost = sorted(sharded(tmp_path).glob("*.safetensors"))[1]
    lost.unlink()
    with pytest.raises(CheckpointError, match=lost.name):
        SafetensorsCheckpoint(tmp_path)


def test_a_missing_shard_without_an_index_leaves_a_named_tensor_missing(tmp_path: Path) -> None:
    sharded(tmp_path)
    (tmp_path / "model.safetensors.index.json").unlink()
    sorted(tmp_path.glob("*.safetensors"))[-1].unlink()
    with pytest.raises(CheckpointError, match=r"tensor model\.\S+ is missing"):
        load(tmp_path)


@pytest.mark.parametrize("left", [0, 4, 8, 100, 3000, -1])
def test_a_shard_cut_short_is_named(tmp_path: Path, left: int) -> None:
    file = sorted(sharded(tmp_path).glob("*.safetensors"))[-1]
    data = file.read_bytes()
    file.write_bytes(data[:left])
    with pytest.raises(CheckpointError, match=file.name):
        SafetensorsCheckpoint(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": []}', '{"weight_map": 3}'])
def test_a_damaged_index_is_named(tmp_path: Path, text: str) -> None:
    (sharded(tmp_path) / "model.safetensors.index.json").write_text(text)
    with pytest.raises(CheckpointError, match="index"):
        SafetensorsCheckpoint(tmp_path)


def test_an_index_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    other = sharded(tmp_path / "other", 1) / "model.safetensors"
    folder = sharded(tmp_path / "folder")
    index = {"weight_map": {EMBEDDING: f"../other/{other.name}"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="is missing"):
        SafetensorsCheckpoint(folder)


def test_a_wrong_shape_names_the_tensor_and_both_shapes(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "llama")
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"vocab_size": 512}))
    with pytest.raises(CheckpointError, match=r"model\.embed_tokens\.weight.*\[331, 128\].*\[512"):
        load(folder)


def test_a_shape_that_does_not_fill_its_bytes_is_damage(tmp_path: Path) -> None:
    folder = sharded(tmp_path, 1)

    def widen(header: dict[str, Any]) -> dict[str, Any]:
        header[EMBEDDING]["shape"][0] += 1
        return header

    rewrite_header(folder / "model.safetensors", widen)
    with pytest.raises(CheckpointError, match="embed_tokens"):
        SafetensorsCheckpoint(folder)


@pytest.mark.parametrize("kind", ["I32", "F8_E4M3", "U8"])
def test_a_type_that_is_no_plain_weight_is_refused_when_read(tmp_path: Path, kind: str) -> None:
    folder = sharded(tmp_path, 1)

    def relabel(header: dict[str, Any]) -> dict[str, Any]:
        header[EMBEDDING]["dtype"] = kind
        return header

    rewrite_header(folder / "model.safetensors", relabel)
    with pytest.raises(CheckpointError, match=rf"embed_tokens.*{kind}.*unquantised"):
        SafetensorsCheckpoint(folder).read(EMBEDDING)


@pytest.mark.parametrize(
    "header",
    [
        "[]",
        "3",
        "{",
        "[" * 5000,
        '{"a": 3}',
        '{"a": {"dtype": "F32"}}',
        '{"a": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1, 2]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}',
        '{"a": {"dtype": "F32", "shape": [Infinity], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 99999999999]}}',
    ],
)
def test_a_header_that_says_nonsense_is_damage(tmp_path: Path, header: str) -> None:
    folder = sharded(tmp_path, 1)
    rewrite_header(folder / "model.safetensors", lambda _: header)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        SafetensorsCheckpoint(folder)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {"dtype": st.sampled_from(["F32", "I8", 3]) | JSON, "shape": JSON, "data_offsets": JSON}
)


@settings(max_examples=150, deadline=None)
@given(header=st.dictionaries(st.text(min_size=1, max_size=3), ENTRIES | JSON, max_size=3))
def test_no_header_ends_in_anything_but_its_own_error(
    tmp_path_factory: pytest.TempPathFactory, header: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "config.json").write_text("{}")
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(64))
    with suppress(CheckpointError):
        found = SafetensorsCheckpoint(folder)
        for name in found.names():
            found.read(name)


@pytest.mark.parametrize("family", sorted(GEOMETRIES))
def test_buffers_that_a_family_does_not_use_are_let_be(tmp_path: Path, family: str) -> None:
    named = next(iter(GEOMETRIES[family].values())) | {"rotary_buffers": True}
    checkpoint, architecture = load(write_checkpoint(tmp_path, family, **named))
    used = {name for matrix in architecture.matrices for name in matrix.names}
    assert used <= set(checkpoint.names())
    others = ("inv_freq", "model.visual.", "mtp.")
    left = set(checkpoint.names()) - used
    assert all(any(part in name for part in others) for name in left)
