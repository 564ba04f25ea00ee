"""A conversion gives a folder that serves, or nothing but a sentence."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai
import pytest
from complete_checkpoint import write_complete
from converted import EXACT, Running
from reference import Reference

from serving.ir import serialization
from serving.ir.convert import ConversionError, convert, load
from serving.ir.formats import Precision
from serving.ir.weight_file import WeightFile
from serving.models import manifest
from serving.models.manifest import sha256_of

ROOT = Path(__file__).parents[3]
KILLED = """
import os, signal, sys
from pathlib import Path
from serving.ir.convert import convert
source, target, stage = sys.argv[1:]
def report(done, total, what):
    if what == stage and done * 2 >= total:
        os.kill(os.getpid(), signal.SIGKILL)
convert(Path(source), Path(target), progress=report)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_complete(tmp_path / "source", shards=3, dtype="float16")


def left(target: Path) -> list[str]:
    """What lies beside the target, hidden or not."""
    return sorted(path.name for path in target.parent.iterdir() if path.name != "source")


def refused(source: Path, target: Path, **options: Any) -> str:
    with pytest.raises(ConversionError) as caught:
        convert(source, target, **options)
    assert "\n" not in str(caught.value)
    assert not manifest.is_prepared(target)
    return str(caught.value)


def test_the_folder_holds_all_that_serving_needs(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "model"
    made = convert(source, target, name="ours", licence="MIT", demo_only=True)
    assert manifest.read(target) == made
    assert (made.name, made.licence, made.demo_only) == ("ours", "MIT", True)
    assert made.architecture == "qwen2"
    assert made.context_length == 2048
    assert made.control_tokens == ("<|endoftext|>", "<|im_end|>", "<|im_start|>")
    assert len(made.end_token_ids) >= 2
    expected = {"openvino_model", "openvino_tokenizer", "openvino_detokenizer"}
    files = {f"{name}.{kind}" for name in expected for kind in ("xml", "bin")}
    assert set(made.files) == files | {"generation_config.json", "architecture.json"}
    assert {path.name for path in target.iterdir()} == {*made.files, manifest.FILE_NAME}
    assert all(sha256_of(target / name) == digest for name, digest in made.files.items())
    ends = json.loads((target / "generation_config.json").read_text())["eos_token_id"]
    assert ends == list(made.end_token_ids)
    assert left(target) == ["model"]


def test_it_generates_what_the_reference_does(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "model"
    convert(source, target, Precision("fp32"))
    tokenizer = openvino_genai.Tokenizer(str(target))
    prompt = tokenizer.encode("咳嗽3天", add_special_tokens=False).input_ids.data[0]
    answer = Running(target / manifest.MODEL_FILE, load(source)[1], EXACT).greedy(prompt, 12)
    assert Reference(source).shortfall(prompt, answer).max() < 1e-3
    config = openvino_genai.GenerationConfig(max_new_tokens=12, apply_chat_template=False)
    config.ignore_eos = True
    pipeline = openvino_genai.LLMPipeline(str(target), "CPU", **EXACT)
    found = pipeline.generate(openvino.Tensor(prompt[np.newaxis]), config)
    assert found.tokens[0] == answer


def test_the_ir_says_what_it_was_made_from_and_how(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "model"
    precision = Precision("int4", 32, symmetric=False, int8_share=0.3)
    convert(source, target, precision)
    model = openvino.Core().read_model(target / manifest.MODEL_FILE)
    said = {key: str(value) for key, value in model.get_rt_info(["bedside"]).value.items()}
    shards = sorted(source.glob("*.safetensors"))
    assert {said[f"sha256 {file.name}"] for file in shards} == {sha256_of(f) for f in shards}
    assert said["source"] == "source"
    assert said["family"] == "qwen2"
    assert precision.words().items() <= said.items()
    assert precision.words().items() <= manifest.read(target).settings.items()
    constants = [node for node in model.get_ops() if node.get_type_name() == "Constant"]
    kinds = {node.get_element_type().get_type_name() for node in constants}
    assert {"u4", "i8"} <= kinds


def test_a_folder_with_one_gguf_file_is_that_file(tiny_gguf_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    shutil.copy(tiny_gguf_file, folder)
    from_folder, from_file = (
        convert(folder, tmp_path / "a"),
        convert(tiny_gguf_file, tmp_path / "b"),
    )
    # The names of a graph's nodes, in the XML, are new in each process and each conversion.
    for name in ("openvino_model.bin", "openvino_tokenizer.bin", "generation_config.json"):
        assert from_folder.files[name] == from_file.files[name]
    assert from_folder.control_tokens == from_file.control_tokens
    assert from_folder.source_sha256 == from_file.source_sha256


def test_one_source_hash_stands_for_all_shards(source: Path, tmp_path: Path) -> None:
    first = convert(source, tmp_path / "a").source_sha256
    assert convert(source, tmp_path / "b").source_sha256 == first
    single = write_complete(tmp_path / "source1", dtype="float16")
    made = convert(single, tmp_path / "c")
    assert made.source_sha256 == sha256_of(single / "model.safetensors") != first


def test_progress_counts_every_weight_once(source: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    convert(source, tmp_path / "model", progress=lambda *step: told.append(step))
    counts = [(done, total) for done, total, what in told if what == "converting weights"]
    assert [done for done, _ in counts] == sorted(done for done, _ in counts)
    architecture = load(source)[1]
    weights = sum(int(np.prod(matrix.shape)) for matrix in architecture.matrices)
    assert counts[-1] == (weights, weights)
    assert len(counts) == len(architecture.matrices)
    assert {what for _, _, what in told} >= {"writing", "checking"}


def test_a_target_that_is_there_is_not_touched(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "mine").write_text("a")
    assert "is there already" in refused(source, target)
    assert [path.name for path in target.iterdir()] == ["mine"]


def test_a_target_that_is_made_meanwhile_is_not_replaced(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "model"

    def other(done: int, total: int, what: str) -> None:
        target.mkdir(exist_ok=True)
        (target / "theirs").write_text("a")

    assert "meanwhile" in refused(source, target, progress=other)
    assert left(target) == ["model"]
    assert [path.name for path in target.iterdir()] == ["theirs"]


def cut(source: Path) -> str:
    file = sorted(source.glob("*.safetensors"))[1]
    os.truncate(file, file.stat().st_size - 100)
    return file.name


def lose(source: Path) -> str:
    file = sorted(source.glob("*.safetensors"))[2]
    file.unlink()
    return file.name


def widen(source: Path) -> str:
    return reconfigured(source, intermediate_size=200, named="gate_proj.weight")


def estrange(source: Path) -> str:
    return reconfigured(source, model_type="gpt_neox", named="gpt_neox")


def unsay(source: Path) -> str:
    (source / "config.json").unlink()
    return "config.json"


def silence(source: Path) -> str:
    (source / "tokenizer.json").unlink()
    return "tokenizer.json"


def garble(source: Path) -> str:
    (source / "tokenizer.json").write_text('{"model": {"type": "BPE"}}')
    return "tokenizer.json"


def reconfigured(source: Path, *, named: str, **fields: Any) -> str:
    path = source / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    return named


@pytest.mark.parametrize("damage", [cut, lose, widen, estrange, unsay, silence, garble])
def test_bad_input_is_named_and_leaves_nothing(source: Path, tmp_path: Path, damage: Any) -> None:
    named = damage(source)
    target = tmp_path / "model"
    assert named in refused(source, target)
    assert left(target) == []


def test_a_weight_that_is_no_number_is_named(source: Path, tmp_path: Path) -> None:
    checkpoint, _ = load(source)
    name = "model.layers.1.mlp.down_proj.weight"
    place = checkpoint._place(name)  # type: ignore[attr-defined]
    with place.file.open("r+b") as file:
        file.seek(place.offset)
        file.write(np.array([np.nan], np.float16).tobytes())
    assert name in refused(source, tmp_path / "model")
    assert left(tmp_path / "model") == []


def test_a_folder_that_cannot_be_made_is_a_sentence(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    assert "file" in refused(source, tmp_path / "file" / "model")


def test_a_full_disk_is_seen_before_work_begins(source: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 1_000))
    said = refused(source, tmp_path / "model")
    assert "0.0 GB free" in said
    assert str(tmp_path) in said
    assert left(tmp_path / "model") == []


def test_a_model_larger_than_memory_is_refused_before_work_begins(
    source: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        ConversionError, match=r"takes about 1\.1 GB of memory; this machine has 1\.0"
    ):
        convert(source, tmp_path / "out", memory=1_000_000_000)
    assert not list(tmp_path.glob("out*"))
    convert(source, tmp_path / "out", memory=2_000_000_000)


def test_a_disk_that_fills_up_under_the_weights(source: Path, tmp_path: Path, monkeypatch) -> None:
    written = 0

    def write(self: WeightFile, data: memoryview) -> None:
        nonlocal written
        written += len(data)
        if written > 50_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        while data:
            data = data[self._file.write(data) :]

    monkeypatch.setattr(WeightFile, "_write", write)
    assert "takes no more" in refused(source, tmp_path / "model")
    assert written > 50_000
    assert left(tmp_path / "model") == []


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """The system refuses to write a file beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_weights_that_the_system_does_not_take(source: Path, tmp_path: Path) -> None:
    with file_limit(60_000):
        said = refused(source, tmp_path / "model", precision=Precision("fp16"))
    assert "takes no more" in said
    assert "ulimit" in said
    assert left(tmp_path / "model") == []


def test_a_model_that_the_system_does_not_take(source: Path, tmp_path: Path, monkeypatch) -> None:
    serialize = openvino.serialize

    def limited(model: Any, path: Path, weights: Path) -> None:
        with file_limit(10_000):
            serialize(model, path, weights)

    monkeypatch.setattr(serialization.openvino, "serialize", limited)
    said = refused(source, tmp_path / "model", precision=Precision("fp16"))
    assert "openvino_model.xml: The disk" in said
    assert left(tmp_path / "model") == []


def test_a_tokenizer_that_the_system_does_not_take(source: Path, tmp_path: Path) -> None:
    with file_limit(2_000):
        said = refused(source, tmp_path / "model")
    assert "takes no more" in said
    assert left(tmp_path / "model") == []


@pytest.mark.parametrize("stage", ["converting weights", "writing", "checking"])
def test_a_kill_leaves_nothing_that_loads_and_nothing_in_the_way(
    source: Path, tmp_path: Path, stage: str
) -> None:
    target = tmp_path / "model"
    command = [sys.executable, "-c", KILLED, str(source), str(target), stage]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert not target.exists()
    assert len(left(target)) == 1
    assert all(name.startswith(".") for name in left(target))
    convert(source, target)
    assert manifest.is_prepared(target)
    assert left(target) == ["model"]


def test_an_interruption_leaves_nothing(source: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int, what: str) -> None:
        if what == "writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "model", progress=interrupt)
    assert left(tmp_path / "model") == []
