"""A GGUF file gives the same model as the folder that it was made from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_gguf
from converted import compiled, write
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import dequantize, quantize
from gguf_files import write_gguf
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Reference
from reference_weights import read_weights
from tiny_checkpoint import GEOMETRIES, write_checkpoint

from serving.ir.architecture import ArchitectureUnknown
from serving.ir.checkpoint import CheckpointError
from serving.ir.convert import load
from serving.ir.formats import Precision
from serving.ir.gguf_checkpoint import GgufCheckpoint

CASES = [
    *(("llama", name) for name in ("multi-head", "grouped", "llama3", "linear", "tied")),
    *(("qwen2", name) for name in ("7b-like", "tied")),
    *(("qwen3", name) for name in ("8b-like", "odd-heads")),
    *(("qwen3_moe", name) for name in ("30b-like", "all")),
    *(("chatglm3", name) for name in ("6b-like", "32k", "no-bias")),
    *(("glm", name) for name in GEOMETRIES["glm"]),
    *(("glm4_hf", name) for name in ("9b-like", "odd-heads")),
]


def folder_of(tmp_path: Path, family: str, geometry: str, **more: Any) -> Path:
    return write_checkpoint(tmp_path / "folder", family, **GEOMETRIES[family][geometry] | more)


@pytest.mark.parametrize(("family", "geometry"), CASES)
def test_the_graph_agrees_with_the_reference_of_the_folder(
    tmp_path: Path, family: str, geometry: str
) -> None:
    folder = folder_of(tmp_path, family, geometry)
    file = write_gguf(folder, tmp_path / "model.gguf")
    running = compiled(file, tmp_path)
    ids = np.random.default_rng(0).integers(0, running.architecture.vocabulary, 20)
    expected = Reference(folder).logits(ids)
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(running.step([ids])[0], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q4_0", "Q5_1"])
def test_quantised_tensors_are_read_as_the_package_reads_them(tmp_path: Path, kind: str) -> None:
    folder = folder_of(tmp_path, "llama", "grouped", intermediate=192)
    stored = GGMLQuantizationType[kind]
    found = GgufCheckpoint(write_gguf(folder, tmp_path / "model.gguf", stored))
    name = "model.layers.1.mlp.up_proj.weight"
    original = read_weights(folder)[name].astype(np.float32)
    expected = dequantize(quantize(original, stored), stored)
    assert not np.array_equal(expected, original) or kind == "F16"
    np.testing.assert_array_equal(found.read(name), expected)
    np.testing.assert_array_equal(found.read(name, slice(3, 9)), expected[3:9])
    np.testing.assert_array_equal(found.read(name, np.array([8, 2])), expected[[8, 2]])
    assert found.kind(name) == kind
    assert found.shape(name) == expected.shape


def test_experts_may_be_quantised(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "qwen3_moe", "30b-like")
    file = write_gguf(folder, tmp_path / "model.gguf", GGMLQuantizationType.Q8_0)
    ids = np.random.default_rng(0).integers(0, 300, 20)
    expected = Reference(folder).logits(ids)
    found = compiled(file, tmp_path).step([ids])[0]
    error = np.sqrt(np.square(found - expected).mean() / np.square(expected).mean())
    assert 0.0001 < error < 0.2


def test_four_bits_can_be_made_of_a_quantised_file(tmp_path: Path) -> None:
    """Requantising loses a little more, and no more than a little."""
    folder = folder_of(tmp_path, "qwen2", "7b-like", intermediate=192)
    file = write_gguf(folder, tmp_path / "model.gguf", GGMLQuantizationType.Q8_0)
    running = compiled(file, tmp_path, Precision("int4", 32))
    ids = np.random.default_rng(0).integers(0, 300, 40)
    expected = Reference(folder).logits(ids)
    found = running.step([ids])[0]
    error = np.sqrt(np.square(found - expected).mean() / np.square(expected).mean())
    assert 0.001 < error < 0.35


def test_context_and_epsilon_and_tie_are_read(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "qwen2", "tied")
    file = write_gguf(folder, tmp_path / "model.gguf", extra={"context_length": 321})
    _, architecture = load(file)
    assert architecture.context_length == 321
    assert architecture.norm_epsilon == pytest.approx(1e-5)
    assert architecture.head is None


def refused(path: Path) -> str:
    with pytest.raises((CheckpointError, ArchitectureUnknown)) as caught:
        load(path)
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.2, 0.6, 0.999])
def test_a_file_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    file = tiny_gguf.write(tmp_path / "model.gguf")
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    assert "complete GGUF" in refused(file)


def test_a_missing_tensor_is_named_as_the_file_calls_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "llama", "grouped")
    lost = "blk.1.attn_output.weight"
    file = write_gguf(folder, tmp_path / "model.gguf", leave_out=lost)
    assert lost in refused(file)


def test_a_wrong_shape_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "llama", "grouped")
    file = write_gguf(folder, tmp_path / "model.gguf", extra={"feed_forward_length": 200})
    assert "200" in refused(file)


@pytest.mark.parametrize("field", ["block_count", "attention.head_count", "context_length"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    folder = folder_of(tmp_path, "qwen2", "7b-like")
    file = write_gguf(folder, tmp_path / "model.gguf", extra={field: None})
    assert f"qwen2.{field}" in refused(file)


@pytest.mark.parametrize(
    "extra",
    [{"attention.head_count": 0}, {"block_count": "many"}, {"attention.head_count": "x"}],
)
def test_a_field_that_is_nonsense_is_refused(tmp_path: Path, extra: dict[str, Any]) -> None:
    folder = folder_of(tmp_path, "qwen2", "7b-like")
    refused(write_gguf(folder, tmp_path / "model.gguf", extra=extra))


def test_an_unknown_architecture_is_named_with_those_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    writer = GGUFWriter(str(path), "mamba")
    writer.add_context_length(8)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    said = refused(path)
    assert "'mamba'" in said
    assert "chatglm" in said


def test_a_part_of_several_is_refused_with_what_joins_them(tmp_path: Path) -> None:
    path = tmp_path / "model-00001-of-00003.gguf"
    writer = GGUFWriter(str(path), "llama")
    writer.add_uint16("split.count", 3)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert "gguf-split" in refused(path)


@settings(max_examples=60, deadline=None)
@given(
    place=st.integers(4, 2000), junk=st.binary(min_size=1, max_size=8), keep=st.integers(0, 90000)
)
def test_no_damage_ends_in_anything_but_its_own_error(
    tiny_gguf_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
    place: int,
    junk: bytes,
    keep: int,
) -> None:
    data = bytearray(tiny_gguf_file.read_bytes())
    data[place : place + len(junk)] = junk
    path = tmp_path_factory.mktemp("fuzz") / "model.gguf"
    path.write_bytes(data[:keep] if keep < 40000 else data)
    with suppress(CheckpointError):
        load(path)


def test_the_ir_of_a_file_and_of_its_folder_hold_the_same_weights(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "llama", "grouped")
    file = write_gguf(folder, tmp_path / "model.gguf")
    made = []
    for source, name in ((folder, "a"), (file, "b")):
        (tmp_path / name).mkdir()
        model, _ = write(source, tmp_path / name, Precision("int8"))
        made.append(model.with_suffix(".bin").read_bytes())
    assert made[0] == made[1]
