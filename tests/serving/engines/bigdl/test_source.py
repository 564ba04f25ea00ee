"""What a checkpoint folder is read as, and how a bad one is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tiny_checkpoint import write_checkpoint

from serving.engine import EngineUnavailable
from serving.engines.bigdl.source import open_source


def change(folder: Path, **fields: Any) -> Path:
    """Change fields of ``config.json``; None removes one."""
    file = folder / "config.json"
    config = json.loads(file.read_text()) | fields
    file.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return folder


def test_a_published_glm_is_read_in_native_words(tmp_path: Path) -> None:
    source = open_source(write_checkpoint(tmp_path, "chatglm3", shards=2))
    assert (source.family, source.config["model_type"]) == ("chatglm3", "glm")
    assert source.context_length == 2048
    assert source.end_token_ids == (2,)
    order = source.order()
    assert json.loads(json.dumps(order)) == order
    file, tensor, start, stop = order["tensors"]["model.layers.1.self_attn.k_proj.bias"]
    assert Path(file).is_file()
    assert tensor == "transformer.encoder.layers.1.self_attention.query_key_value.bias"
    assert (start, stop) == (128, 192)


def test_nothing_that_names_code_is_passed_on(tmp_path: Path) -> None:
    folder = change(write_checkpoint(tmp_path, "llama"), auto_map={"AutoModelForCausalLM": "x.Y"})
    assert not {"auto_map", "architectures"} & set(open_source(folder).config)


def test_a_head_that_is_the_embedding_is_named(tmp_path: Path) -> None:
    source = open_source(write_checkpoint(tmp_path, "qwen2", tied=True))
    assert source.tensors["lm_head.weight"].tensor == "model.embed_tokens.weight"
    assert source.config["tie_word_embeddings"] is False


def test_end_tokens_come_from_both_files(tmp_path: Path) -> None:
    folder = change(write_checkpoint(tmp_path, "llama"), eos_token_id=7)
    (folder / "generation_config.json").write_text('{"eos_token_id": [9, 7]}')
    assert open_source(folder).end_token_ids == (7, 9)


def test_a_rotation_is_told_in_both_spellings(tmp_path: Path) -> None:
    rope = {"rope_type": "linear", "factor": 2.0, "rope_theta": 5e5, "partial_rotary_factor": 0.5}
    folder = change(write_checkpoint(tmp_path, "glm"), rope_theta=None, rope_parameters=rope)
    config = open_source(folder).config
    assert (config["rope_theta"], config["rope_scaling"]) == (5e5, rope)


def test_the_fingerprint_changes_with_the_checkpoint(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "llama")
    first = open_source(folder).fingerprint
    assert open_source(folder).fingerprint == first
    os.utime(folder / "model.safetensors", ns=(1, 1))
    touched = open_source(folder).fingerprint
    assert touched != first
    change(folder, rope_theta=5e5)
    assert open_source(folder).fingerprint not in (first, touched)


@pytest.mark.parametrize(
    ("family", "fields", "words"),
    [
        ("llama", {"model_type": "mamba"}, "mamba"),
        ("llama", {"quantization_config": {"bits": 4}}, "quantised already"),
        ("chatglm", {"vocab": 1}, "chatglm"),
        ("chatglm3", {"ffn_hidden_size": None}, "ffn_hidden_size"),
        ("chatglm3", {"rmsnorm": False}, "rmsnorm"),
        ("chatglm3", {"num_layers": 3}, "missing"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(
    tmp_path: Path, family: str, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(EngineUnavailable, match=words):
        open_source(change(write_checkpoint(tmp_path, family), **fields))


def test_a_damaged_folder_is_refused_by_file(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "llama")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(EngineUnavailable, match=r"model\.safetensors is cut short"):
        open_source(folder)
    for other in (tmp_path / "nowhere", file):
        with pytest.raises(EngineUnavailable, match="is no folder"):
            open_source(other)
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineUnavailable, match=r"config\.json is missing"):
        open_source(tmp_path / "empty")
    (folder / "config.json").write_text("{")
    with pytest.raises(EngineUnavailable, match="not valid JSON"):
        open_source(folder)
