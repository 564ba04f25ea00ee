"""Looking at a model tells what it is, converted or not, whole or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_gguf
from complete_checkpoint import GEOMETRY, write_complete
from tiny_checkpoint import write_checkpoint
from tokenizer_samples import sentencepiece_model

from serving.ir.checkpoint import CheckpointError
from serving.ir.convert import convert
from serving.ir.formats import Precision
from serving.ir.inspection import inspect
from serving.models import manifest


def test_a_checkpoint_folder_is_described(tmp_path: Path) -> None:
    found = inspect(write_complete(tmp_path, dtype="bfloat16", shards=2))
    assert (found.layout, found.family, found.context_length) == ("safetensors", "qwen2", 2048)
    assert found.geometry == {
        "layers": 2,
        "hidden": 64,
        "intermediate": 176,
        "heads": 4,
        "kv_heads": 2,
        "head_size": 16,
        "vocabulary": GEOMETRY["vocab"],
    }
    assert found.tensor_types == {"BF16": found.parameters}
    assert "BPE" in found.tokenizer
    assert "tokenizer.json" in found.tokenizer
    assert found.problems == ()
    sizes = found.weight_bytes
    assert sizes["int4"] < sizes["int8"] < sizes["bf16"] == sizes["fp16"] < sizes["fp32"]
    assert found.cache_bytes_per_1k["bf16"] == 1000 * 2 * 2 * 2 * 16 * 2


def test_what_conversion_refuses_is_a_problem(tmp_path: Path) -> None:
    folder = write_complete(tmp_path / "quantised")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq"}
    (folder / "config.json").write_text(json.dumps(config))
    (said,) = inspect(folder).problems
    assert "gptq" in said
    folder = write_complete(tmp_path / "wordless")
    (folder / "tokenizer.json").write_text("{}")
    (said,) = inspect(folder).problems
    assert "tokenizer.json" in said
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.model").write_bytes(sentencepiece_model())
    (said,) = inspect(folder).problems
    assert "has no tokenizer (tokenizer.json)" in said


def test_a_gguf_file_is_described(tmp_path: Path) -> None:
    found = inspect(tiny_gguf.write(tmp_path / "model.gguf"))
    assert (found.layout, found.family, found.context_length) == ("gguf", "qwen2", 4096)
    assert found.tensor_types.keys() == {"Q5_0", "F32"}
    assert "gpt2" in found.tokenizer
    assert "260" in found.tokenizer


def test_a_converted_folder_tells_where_it_comes_from(tmp_path: Path) -> None:
    source = write_complete(tmp_path / "source", dtype="float16")
    before = inspect(source)
    made = convert(source, tmp_path / "model", Precision("int4", 32), licence="MIT")
    found = inspect(tmp_path / "model")
    assert (found.layout, found.family) == ("openvino", "qwen2")
    assert found.provenance["sha256 model.safetensors"] == made.source_sha256
    assert (found.provenance["weights"], found.provenance["group"]) == ("int4", "32")
    assert found.provenance["licence"] == "MIT"
    assert found.context_length == before.context_length
    assert found.cache_bytes_per_1k == before.cache_bytes_per_1k
    shared = {"layers", "kv_heads", "head_size", "vocabulary"}
    assert found.geometry == {key: before.geometry[key] for key in shared}
    # Norms and biases are not counted in what the graph multiplies by.
    assert 0.98 * before.parameters < found.parameters < before.parameters
    assert found.weight_bytes == {
        "int4": (tmp_path / "model" / "openvino_model.bin").stat().st_size
    }
    four_bits = found.tensor_types.get("i4", 0) + found.tensor_types.get("u4", 0)
    assert four_bits > before.parameters / 4
    assert found.problems == ()


def test_what_is_missing_of_a_converted_folder_is_told(tmp_path: Path) -> None:
    convert(write_complete(tmp_path / "source"), tmp_path / "model")
    (tmp_path / "model" / "openvino_detokenizer.bin").unlink()
    assert "openvino_detokenizer.bin" in inspect(tmp_path / "model").problems[0]
    (tmp_path / "model" / manifest.TOKENIZER_FILE).unlink()
    found = inspect(tmp_path / "model")
    assert manifest.TOKENIZER_FILE in found.problems[0]
    assert found.tokenizer == "none"


def test_a_damaged_ir_is_named(tmp_path: Path) -> None:
    convert(write_complete(tmp_path / "source"), tmp_path / "model")
    model = tmp_path / "model" / manifest.MODEL_FILE
    model.write_text(model.read_text()[:2000])
    with pytest.raises(CheckpointError, match=r"openvino_model\.xml"):
        inspect(tmp_path / "model")


def test_missing_tensors_and_tokenizer_are_problems_and_the_rest_is_told(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "qwen2", shards=3)
    (folder / "model.safetensors.index.json").unlink()
    sorted(folder.glob("*.safetensors"))[1].unlink()
    found = inspect(folder)
    assert found.family == "qwen2"
    assert "is missing" in found.problems[0]
    assert any("tokenizer" in problem for problem in inspect_without_gaps(tmp_path / "b"))


def inspect_without_gaps(folder: Path) -> tuple[str, ...]:
    return inspect(write_checkpoint(folder, "qwen2")).problems


def test_an_architecture_that_is_not_ours_is_still_described(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "qwen2")
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"model_type": "gemma"}))
    found = inspect(folder)
    assert found.family == "gemma"
    assert found.parameters == inspect(folder, "qwen2").parameters
    assert "gemma" in found.problems[0]
    assert found.weight_bytes == {}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("tokenizer.model", sentencepiece_model(vocab_size=700), "sentencepiece, 700"),
        ("tokenizer.model", b"AA== 0\nAQ== 1\n", "tiktoken"),
        ("ice_text.model", sentencepiece_model(vocab_size=650), "sentencepiece, 650"),
        ("tokenizer.json", b"{}", "unreadable"),
    ],
)
def test_every_kind_of_tokenizer_is_told_apart(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    folder = write_checkpoint(tmp_path, "llama")
    (folder / name).write_bytes(content)
    assert kind in inspect(folder).tokenizer


def test_a_damaged_checkpoint_is_an_error(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "llama")
    (folder / "model.safetensors").write_bytes(b"\0" * 40)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        inspect(folder)
