"""What is taken for a checkpoint, and what is said of everything else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_gguf
from tiny_checkpoint import write_checkpoint

from serving.ir.architecture import ArchitectureUnknown
from serving.ir.checkpoint import CheckpointError, as_float32, read_config
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.convert import load
from serving.ir.description import describe
from serving.ir.gguf_checkpoint import GgufCheckpoint
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    return str(caught.value)


def test_a_folder_of_safetensors_and_a_gguf_file_are_opened(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "folder", "qwen2")
    assert isinstance(open_checkpoint(folder), SafetensorsCheckpoint)
    file = tiny_gguf.write(tmp_path / "model.gguf")
    assert isinstance(open_checkpoint(file), GgufCheckpoint)


def test_a_folder_with_one_gguf_file_means_that_file(tmp_path: Path) -> None:
    file = tiny_gguf.write(tmp_path / "model.gguf")
    assert open_checkpoint(tmp_path).path == file
    tiny_gguf.write(tmp_path / "other.gguf")
    assert "several GGUF files" in refused(tmp_path)


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "absent") in refused(tmp_path / "absent")
    assert str(tmp_path) in refused(tmp_path)
    text = tmp_path / "notes.txt"
    text.write_text("a")
    assert "notes.txt" in refused(text)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model-00001-of-00007.bin", "m.pt"])
def test_a_pickle_is_refused_with_the_command_that_rewrites_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04")
    said = refused(tmp_path)
    assert f"bedside model rewrite {tmp_path}" in said
    assert "bedside[train]" in said


def test_safetensors_win_over_a_pickle_beside_them(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "llama")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    assert isinstance(open_checkpoint(folder), SafetensorsCheckpoint)


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "\ufeff[1]"])
def test_a_configuration_that_is_no_object_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_config(tmp_path)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        read_config(tmp_path)


def change(folder: Path, **fields: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    return folder


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "bitsandbytes"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 3}}, "gptq, 3 bits"),
        ({"quantization_bit": 4}, "quantization_bit"),
    ],
)
def test_a_checkpoint_that_is_quantised_already_is_refused(
    tmp_path: Path, fields: dict[str, object], named: str
) -> None:
    folder = change(write_checkpoint(tmp_path, "chatglm2"), **fields)
    with pytest.raises(CheckpointError, match=named):
        load(folder)


def test_a_wrong_shape_and_a_wrong_field_are_named_with_their_file(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "llama")
    config = json.loads((folder / "config.json").read_text())
    change(folder, vocab_size=config["vocab_size"] + 1)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: the tensor .*embed_tokens"):
        load(folder)
    change(folder, vocab_size=None)
    with pytest.raises(ArchitectureUnknown, match=f"{folder}.*lacks the field 'vocab_size'"):
        load(folder)


def test_an_adapter_is_told_from_a_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="with --adapter"):
        load(tmp_path)


def test_settings_that_quantise_nothing_are_no_reason(tmp_path: Path) -> None:
    folder = change(
        write_checkpoint(tmp_path, "chatglm2"), quantization_bit=0, quantization_config=None
    )
    assert load(folder)[1].family == "chatglm2"


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "bert"},
        {},
        {"architectures": ["MistralForCausalLM"]},
        {"model_type": "chatglm", "position_encoding_2d": True},
        {"model_type": "llama", "hidden_size": "wide", "num_attention_heads": 2},
        {"model_type": "llama", "hidden_size": None, "num_attention_heads": 2},
        {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 0},
        {"model_type": ["llama"]},
        {"model_type": "chatglm", "padded_vocab_size": None},
        {"model_type": "chatglm", "padded_vocab_size": "wide"},
    ],
)
def test_an_unknown_or_incomplete_architecture_is_one_sentence(config: dict[str, object]) -> None:
    with pytest.raises(ArchitectureUnknown, match=r"config\.json|the configuration"):
        describe(config)


FULL = {
    "model_type": "qwen2",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_hidden_layers": 1,
    "vocab_size": 300,
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_act", "gelu"),
        ("use_sliding_window", True),
        ("layer_types", ["full_attention", "sliding_attention"]),
        ("layer_types", ["chunked_attention"]),
        ("mlp_bias", True),
        ("rope_scaling", {"rope_type": "dynamic", "factor": 2.0}),
        ("rope_scaling", {"rope_type": "llama3"}),
        ("rope_scaling", "linear"),
        ("rope_theta", [1]),
        ("num_key_value_heads", "two"),
        ("num_key_value_heads", 3),
        ("num_hidden_layers", -1),
        ("vocab_size", 0),
        ("intermediate_size", None),
    ],
)
def test_what_the_graph_does_not_do_is_named_and_not_ignored(field: str, value: object) -> None:
    describe(FULL)
    with pytest.raises(ArchitectureUnknown, match="qwen2"):
        describe(FULL | {field: value})


@pytest.mark.parametrize(
    ("fields", "context", "magnitude"),
    [
        ({}, 40_960, 1.1386),
        ({"max_position_embeddings": 131_072}, 131_072, 1.1386),
        ({"rope_scaling": {"mscale": 1.0, "mscale_all_dim": 1.0}}, 131_072, 1.0),
        ({"rope_parameters": {"full_attention": {"factor": 2.0}}}, 65_536, 1.0693),
        ({"original_max_position_embeddings": 16_384}, 65_536, 1.1386),
    ],
)
def test_yarn_stretches_the_context(fields: dict, context: int, magnitude: float) -> None:
    yarn = {"type": "yarn", "factor": 4.0}
    if fields:
        yarn["original_max_position_embeddings"] = 32_768
    config = FULL | {"max_position_embeddings": 40_960, "rope_scaling": yarn} | fields
    for name in ("rope_scaling", "rope_parameters"):
        given = config.get(name, {})
        nested = given.get("full_attention")
        config[name] = {"full_attention": yarn | nested} if nested else yarn | given
    if "rope_parameters" not in fields:
        del config["rope_parameters"]
    found = describe(config)
    assert found.context_length == context
    assert found.rotary.magnitude == pytest.approx(magnitude, abs=1e-4)


def test_layers_of_full_attention_may_be_listed() -> None:
    assert describe(FULL | {"layer_types": ["full_attention"]}).layer_count == 1


def test_the_list_of_known_architectures_is_told() -> None:
    with pytest.raises(
        ArchitectureUnknown, match=r"'phi'.*chatglm3.*glm4.*qwen3.*bedside\[export\]"
    ):
        describe({"model_type": "phi"})


def test_the_family_can_be_said_where_the_configuration_does_not(tmp_path: Path) -> None:
    folder = change(write_checkpoint(tmp_path, "chatglm3"), _name_or_path="/srv/mine")
    assert load(folder)[1].family == "chatglm3"
    assert load(folder, "chatglm2")[1].family == "chatglm2"
    with pytest.raises(ArchitectureUnknown):
        load(folder, "gpt2")


def test_bfloat16_is_the_upper_half_of_a_float() -> None:
    values = np.array([1.0, -2.5, 3.0e38, 1.0e-40, 0.0], np.float32)
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    expected = (bits.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(as_float32(bits, "BF16"), expected)
    assert as_float32(bits, "BF16")[1] == -2.5
