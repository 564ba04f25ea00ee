"""What is wrong with a mixture or a hybrid is told by file, tensor or field, before anything is
written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from complete_checkpoint import write_complete
from tiny_checkpoint import encode, write_safetensors

from serving.ir.convert import ConversionError, convert


def changed(folder: Path, family: str, field: str, value: Any) -> Path:
    source = write_complete(folder / "source", family, layers=4)
    config = json.loads((source / "config.json").read_text())
    config[field] = value
    (source / "config.json").write_text(json.dumps(config))
    return source


def refused(source: Path, folder: Path) -> str:
    target = folder / "model"
    with pytest.raises(ConversionError) as told:
        convert(source, target)
    assert not target.exists()
    return str(told.value)


def test_an_expert_that_is_missing_is_named_with_its_tensor(tmp_path: Path) -> None:
    source = changed(tmp_path, "qwen3_moe", "num_experts", 7)
    told = refused(source, tmp_path)
    assert "model.layers.0.mlp" in told
    assert "config.json" in told or "missing" in told


def test_an_expert_that_its_shard_lacks_is_named_with_the_shard(tmp_path: Path) -> None:
    source = write_complete(tmp_path / "source", "qwen3_moe", layers=2, shards=2)
    lost = "model.layers.1.mlp.experts.5.up_proj.weight"
    index = json.loads((source / "model.safetensors.index.json").read_text())
    shard = source / index["weight_map"][lost]
    content = shard.read_bytes()
    # Under another name of the same length, which nothing asks for.
    shard.write_bytes(content.replace(lost.encode(), lost.replace("up_proj", "xx_proj").encode()))
    assert f"{shard}: the tensor {lost} is missing" in refused(source, tmp_path)


def test_a_router_of_another_size_is_named(tmp_path: Path) -> None:
    source = write_complete(tmp_path / "source", "qwen3_moe", layers=1)
    file = source / "model.safetensors"
    from reference_weights import read_weights

    tensors = {
        name: encode(array.astype(np.float32), "float32")
        for name, array in read_weights(source).items()
    }
    tensors["model.layers.0.mlp.gate.weight"] = tensors["model.layers.0.mlp.gate.weight"][:4]
    write_safetensors(file, tensors, "float32")
    told = refused(source, tmp_path)
    assert str(file) in told
    assert "model.layers.0.mlp.gate.weight has the shape [4, 64]" in told


@pytest.mark.parametrize(
    ("family", "field", "value", "told"),
    [
        ("qwen3_moe", "num_experts_per_tok", 9, "9 of 6 experts"),
        ("glm4_moe", "n_group", 4, "n_group 4 is not supported"),
        ("qwen3_5", "layer_types", ["linear_attention"], "names 1 of 4 layers"),
        ("qwen3_5", "layer_types", ["mamba"] * 4, "layer_types mamba are not supported"),
        ("qwen3_5", "linear_num_key_heads", 3, "3 key heads cannot serve 4 value heads"),
        ("qwen3_5", "linear_value_head_dim", 32, "heads of 16 for keys and 32 for values"),
        ("qwen3_moe", "quantization_config", {"quant_method": "mxfp4"}, "(mxfp4)"),
    ],
)
def test_a_configuration_that_the_graph_does_not_do_is_refused(
    tmp_path: Path, family: str, field: str, value: Any, told: str
) -> None:
    assert told in refused(changed(tmp_path, family, field, value), tmp_path)
