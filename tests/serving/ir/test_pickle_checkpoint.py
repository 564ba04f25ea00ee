"""A pickle becomes safetensors tensor by tensor, or a sentence; nothing in it is run."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tiny_checkpoint import encode, write_checkpoint

from serving.ir import pickle_checkpoint
from serving.ir.checkpoint import CheckpointError
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.convert import load
from serving.ir.pickle_checkpoint import rewrite
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint

OLD_LAYOUT = "made before 2020"


class Tensor:
    """What the rewriting asks of a tensor, over numpy; bfloat16 as its 16 bits."""

    layout = "strided"

    def __init__(self, values: Any, dtype: str) -> None:
        self.values = values
        self.dtype = f"torch.{dtype}"
        self.shape = values.shape

    def numel(self) -> int:
        return int(self.values.size)

    def element_size(self) -> int:
        return int(self.values.itemsize)

    def detach(self) -> Tensor:
        return self

    def contiguous(self) -> Tensor:
        return Tensor(np.ascontiguousarray(self.values), self.dtype.removeprefix("torch."))

    def reshape(self, size: int) -> Tensor:
        return Tensor(self.values.reshape(size), self.dtype.removeprefix("torch."))

    def view(self, kind: Any) -> Tensor:
        return Tensor(self.values.view(kind), "uint8")

    def numpy(self) -> Any:
        return self.values


class Torch(ModuleType):
    """A stand-in for PyTorch that keeps what would be pickled in memory, by file."""

    Tensor = Tensor
    strided = "strided"
    uint8 = np.uint8

    def __init__(self) -> None:
        super().__init__("torch")
        self.files: dict[Path, Any] = {}
        self.loads: list[tuple[str, bool]] = []

    def save(self, content: Any, path: Path) -> None:
        path.write_bytes(b"\x80\x04")
        self.files[path] = content

    def load(self, path: Path, map_location: str, weights_only: bool, mmap: bool = False) -> Any:
        assert weights_only
        self.loads.append((path.name, mmap))
        content = self.files[path]
        if isinstance(content, Exception):
            raise content
        if not isinstance(content, dict):
            return content
        if OLD_LAYOUT in content:
            if mmap:
                raise RuntimeError("mmap can only be used with the zip format")
            return {name: value for name, value in content.items() if name != OLD_LAYOUT}
        return dict(content)


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Torch:
    fake = Torch()
    monkeypatch.setitem(sys.modules, "torch", fake)
    return fake


def tensors(folder: Path, dtype: Any) -> dict[str, Tensor]:
    checkpoint = SafetensorsCheckpoint(folder)
    return {n: Tensor(encode(checkpoint.read(n), dtype), dtype) for n in checkpoint.names()}


def pickled(torch: Torch, original: Path, folder: Path, dtype: Any, shards: int = 2) -> Path:
    """The checkpoint ``original`` as PyTorch's own files."""
    folder.mkdir()
    (folder / "config.json").write_bytes((original / "config.json").read_bytes())
    content = tensors(original, dtype)
    names = sorted(content)
    if shards == 1:
        torch.save(content, folder / "pytorch_model.bin")
        return folder
    weight_map = {}
    for number in range(shards):
        file = f"pytorch_model-{number + 1:05d}-of-{shards:05d}.bin"
        part = names[number::shards]
        torch.save({name: content[name] for name in part}, folder / file)
        weight_map |= dict.fromkeys(part, file)
    index = {"weight_map": weight_map}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    return folder


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("shards", [1, 3])
def test_every_tensor_is_what_it_was(torch: Torch, tmp_path: Path, dtype: Any, shards: int) -> None:
    original = write_checkpoint(tmp_path / "original", "chatglm2", dtype=dtype)
    folder = pickled(torch, original, tmp_path / "old", dtype, shards)
    with pytest.raises(CheckpointError, match="bedside model rewrite"):
        open_checkpoint(folder)
    told: list[tuple[int, int, str]] = []
    made = rewrite(folder, progress=lambda *step: told.append(step))
    assert made == folder / "model.safetensors"
    (checkpoint, _), (expected, _) = load(folder), load(original)
    assert checkpoint.names() == expected.names()
    for name in expected.names():
        np.testing.assert_array_equal(checkpoint.read(name), expected.read(name))
        assert checkpoint.kind(name) == expected.kind(name)
    assert told[-1][0] == told[-1][1] > 0
    assert len(told) == len(expected.names())
    assert not list(folder.glob(".*"))


def test_another_folder_gets_all_that_conversion_needs(torch: Torch, tmp_path: Path) -> None:
    original = write_checkpoint(tmp_path / "original", "llama")
    folder = pickled(torch, original, tmp_path / "old", "float32")
    (folder / "tokenizer.model").write_bytes(b"pieces")
    made = rewrite(folder, tmp_path / "new")
    names = {path.name for path in made.parent.iterdir()}
    assert names == {"model.safetensors", "config.json", "tokenizer.model"}
    assert load(made.parent)[1].family == "llama"
    assert not (folder / "model.safetensors").exists()


def test_one_file_can_be_named(torch: Torch, tmp_path: Path) -> None:
    original = write_checkpoint(tmp_path / "original", "llama")
    folder = pickled(torch, original, tmp_path / "old", "float32", shards=1)
    file = (folder / "pytorch_model.bin").rename(folder / "weights.pth")
    torch.files[file] = torch.files.pop(folder / "pytorch_model.bin")
    assert rewrite(file) == folder / "model.safetensors"
    assert load(folder)[1].family == "llama"


def test_files_are_mapped_where_their_layout_allows(torch: Torch, tmp_path: Path) -> None:
    original = write_checkpoint(tmp_path / "original", "llama")
    folder = pickled(torch, original, tmp_path / "old", "float32", shards=1)
    torch.files[folder / "pytorch_model.bin"][OLD_LAYOUT] = True
    rewrite(folder)
    assert [mapped for _, mapped in torch.loads] == [True, False] * 2
    np.testing.assert_array_equal(
        load(folder)[0].read("model.norm.weight"), load(original)[0].read("model.norm.weight")
    )


def test_views_of_other_tensors_are_written_as_they_read(torch: Torch, tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    views = {"a": Tensor(values.T, "float32"), "b": Tensor(values[:, 1], "float32")}
    torch.save(views, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text("{}")
    rewrite(tmp_path)
    found = SafetensorsCheckpoint(tmp_path)
    np.testing.assert_array_equal(found.read("a"), values.T)
    np.testing.assert_array_equal(found.read("b"), values[:, 1])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"a": [1, 2]}, "entry a is a list"),
        ({"a": {"b": 1}}, "entry a is a dict"),
        ({3: None}, "entry 3"),
        ([1], "a list, not tensors"),
        ({"a": Tensor(np.zeros(2, np.complex64), "complex64")}, "complex64"),
        ({}, "no tensor"),
        (RuntimeError("not a zip"), "damaged"),
        (EOFError(), "damaged"),
    ],
)
def test_anything_but_tensors_is_refused(
    torch: Torch, tmp_path: Path, content: Any, named: str
) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=named):
        rewrite(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["pytorch_model.bin"]


def test_a_sparse_tensor_is_refused(torch: Torch, tmp_path: Path) -> None:
    sparse = Tensor(np.zeros(2, np.float32), "float32")
    sparse.layout = "sparse_coo"
    torch.save({"a": sparse}, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="tensor a"):
        rewrite(tmp_path)


def test_a_tensor_that_is_in_two_files_is_refused(torch: Torch, tmp_path: Path) -> None:
    for name in ("pytorch_model-1.bin", "pytorch_model-2.bin"):
        torch.save({"a": Tensor(np.zeros(2, np.float32), "float32")}, tmp_path / name)
    with pytest.raises(CheckpointError, match=r"pytorch_model-2\.bin.*a is in.*pytorch_model-1"):
        rewrite(tmp_path)


def test_a_missing_file_is_named(torch: Torch, tmp_path: Path) -> None:
    original = write_checkpoint(tmp_path / "original", "llama")
    folder = pickled(torch, original, tmp_path / "old", "float32", shards=2)
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(CheckpointError, match="pytorch_model-00002-of-00002"):
        rewrite(folder)


def test_a_folder_without_a_pickle_is_named(torch: Torch, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no PyTorch checkpoint"):
        rewrite(tmp_path)


def test_what_is_there_is_not_replaced(torch: Torch, tmp_path: Path) -> None:
    original = write_checkpoint(tmp_path / "original", "llama")
    folder = pickled(torch, original, tmp_path / "old", "float32")
    (folder / "model.safetensors").write_text("mine")
    with pytest.raises(CheckpointError, match="there already"):
        rewrite(folder)
    assert (folder / "model.safetensors").read_text() == "mine"


def test_without_torch_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CheckpointError, match=r"pip install 'bedside\[train\]'"):
        rewrite(tmp_path)


def test_a_disk_that_is_full_leaves_nothing(
    torch: Torch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = write_checkpoint(tmp_path / "original", "llama")
    folder = pickled(torch, original, tmp_path / "old", "float32")
    before = sorted(folder.iterdir())

    def full(stream: Any, data: memoryview) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pickle_checkpoint, "_put", full)
    with pytest.raises(CheckpointError, match="No space left"):
        rewrite(folder)
    assert sorted(folder.iterdir()) == before


class Harmful:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


@pytest.mark.train
def test_real_files_are_rewritten_and_code_in_them_is_not_run(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    original = write_checkpoint(tmp_path / "original", "chatglm2", dtype="bfloat16")
    expected = SafetensorsCheckpoint(original)
    content = {n: torch.from_numpy(expected.read(n)).bfloat16() for n in expected.names()}
    for zipped in (True, False):
        folder = tmp_path / f"zipped-{zipped}"
        folder.mkdir()
        (folder / "config.json").write_bytes((original / "config.json").read_bytes())
        path = folder / "pytorch_model.bin"
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        rewrite(folder)
        found = SafetensorsCheckpoint(folder)
        for name in expected.names():
            np.testing.assert_array_equal(found.read(name), expected.read(name))
    harmful = tmp_path / "harmful"
    harmful.mkdir()
    torch.save({"a": Harmful(tmp_path / "made")}, harmful / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="more than weights"):
        rewrite(harmful)
    assert not (tmp_path / "made").exists()
