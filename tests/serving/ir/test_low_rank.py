"""An adapter beside the graph's projections adds what merging it adds, for every layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import pytest
from converted import write
from lora_files import write_adapter
from tiny_checkpoint import write_checkpoint

from serving.ir import base_shape, low_rank
from serving.ir.adapter import AdaptedCheckpoint
from serving.ir.architecture import layer_linears
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.description import describe
from serving.ir.safetensors_checkpoint import read_tensors

MODULES = {
    "qwen2": ["model.layers.1.self_attn.k_proj", "model.layers.0.mlp.up_proj"],
    "chatglm3": [
        "transformer.encoder.layers.0.self_attention.query_key_value",
        "transformer.encoder.layers.1.mlp.dense_h_to_4h",
    ],
    "glm": ["model.layers.0.self_attn.q_proj", "model.layers.1.mlp.gate_up_proj"],
    "chatglm": ["transformer.layers.1.attention.query_key_value"],
    "glm4_moe_lite": ["model.layers.1.self_attn.kv_b_proj", "model.layers.1.self_attn.o_proj"],
    "qwen3_moe": ["model.layers.0.self_attn.v_proj"],
}


@pytest.mark.parametrize("family", MODULES)
def test_it_adds_what_merging_adds(family: str, tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source", family)
    folder = write_adapter(tmp_path / "tuned", source, MODULES[family])
    base = open_checkpoint(source)
    adapted = AdaptedCheckpoint(base, folder)
    architecture = describe(base.config)
    products = low_rank.beside(architecture, folder)
    changed = 0
    for index in range(architecture.layer_count):
        for linear in layer_linears(architecture.layer(index)):
            difference = linear.weight.read(adapted) - linear.weight.read(base)
            of = products.pop(base_shape.product_name(linear.weight), None)
            added = np.zeros_like(difference) if of is None else of.up @ of.down
            np.testing.assert_allclose(added, difference, atol=1e-5)
            changed += of is not None
    assert not products
    assert changed == len(MODULES[family])


def test_products_are_named_once_in_the_graph(tmp_path: Path) -> None:
    for family in ("glm4_moe_lite", "qwen3_5"):
        path, architecture = write(
            write_checkpoint(tmp_path / family, family), _folder(tmp_path / f"{family}-model")
        )
        found = [
            node.get_friendly_name()
            for node in openvino.Core().read_model(path).get_ops()
            if node.get_type_name() == "MatMul" and node.get_friendly_name().endswith("/product")
        ]
        wanted = [
            base_shape.product_name(linear.weight)
            for index in range(architecture.layer_count)
            for linear in layer_linears(architecture.layer(index))
        ]
        assert sorted(found) == sorted(wanted)
        assert not [(a, b) for a in wanted for b in wanted if a != b and a in b]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_what_is_written_is_what_was_there(tmp_path: Path) -> None:
    down, up = np.full((2, 3), 1.5, np.float32), np.full((4, 2), -0.25, np.float32)
    for numbers, factor in (("f32", 1), ("f16", 1), ("f16", 1e6)):
        file = tmp_path / "a.safetensors"
        low_rank.write(file, {"x/0/product": low_rank.LowRank(down * factor, up)}, numbers)  # type: ignore[arg-type]
        read = read_tensors(file)
        np.testing.assert_array_equal(
            read["base_model.model.x/0/product.lora_A.weight"], down * factor
        )
        np.testing.assert_array_equal(read["base_model.model.x/0/product.lora_B.weight"], up)
        assert file.stat().st_size < 400


def test_the_hash_is_of_shapes_and_sizes(tmp_path: Path) -> None:
    def digest(name: str, **geometry: int) -> str:
        source = write_checkpoint(tmp_path / name, "qwen2", **geometry)
        return base_shape.base_digest(describe(open_checkpoint(source).config))

    assert digest("a") == digest("b", context=512)
    assert len({digest("c"), digest("d", layers=3), digest("e", intermediate=160)}) == 3
