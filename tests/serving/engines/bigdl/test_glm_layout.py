"""A published GLM and its native form are one model: the same logits, and nothing left over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference import Reference
from tiny_checkpoint import write_checkpoint, write_safetensors

from serving.engines.bigdl.glm_layout import LayoutUnsupported, native_config, native_tensors
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint

PROMPT = [5, 77, 300, 2, 141, 9, 9, 250]


def native(published: Path, folder: Path, family: str) -> Path:
    """Write the native form of a checkpoint."""
    checkpoint = SafetensorsCheckpoint(published)
    config = native_config(checkpoint.config, family)
    folder.mkdir()
    # The reference reads the rotation's fields where earlier releases had them.
    (folder / "config.json").write_text(json.dumps(config | config["rope_parameters"]))
    tensors = {
        name: checkpoint.read(piece.tensor)[piece.start : piece.stop]
        for name, piece in native_tensors(checkpoint.config).items()
    }
    write_safetensors(folder / "model.safetensors", tensors, "float32")
    return folder


@pytest.mark.parametrize(
    ("family", "geometry"),
    [
        ("chatglm2", {}),
        ("chatglm3", {"heads": 3, "kv_heads": 1, "head_dim": 64, "hidden": 192, "shards": 3}),
        ("chatglm3", {"rope_ratio": 50, "heads": 8, "kv_heads": 4, "head_dim": 64}),
        ("chatglm3", {"qkv_bias": False, "layers": 3}),
        ("glm4", {"heads": 6, "kv_heads": 2, "head_dim": 64, "hidden": 256, "eps": 1.5625e-07}),
    ],
)
def test_the_native_form_gives_the_same_logits(
    tmp_path: Path, family: str, geometry: dict[str, Any]
) -> None:
    published = write_checkpoint(tmp_path / "published", family, **geometry)
    kind = "glm4-chatglm" if family == "glm4" else family
    ours = Reference(native(published, tmp_path / "native", kind)).logits(PROMPT)
    np.testing.assert_allclose(ours, Reference(published).logits(PROMPT), atol=1e-9)


def test_every_row_of_the_published_tensors_is_used_once(tmp_path: Path) -> None:
    checkpoint = SafetensorsCheckpoint(write_checkpoint(tmp_path / "published", "chatglm3"))
    used: dict[str, int] = dict.fromkeys(checkpoint.names(), 0)
    for piece in native_tensors(checkpoint.config).values():
        rows = checkpoint.shape(piece.tensor)[0]
        used[piece.tensor] += (rows if piece.stop is None else piece.stop) - piece.start
    del used["transformer.rotary_pos_emb.inv_freq"]
    assert used == {name: checkpoint.shape(name)[0] for name in used}


def test_only_the_long_chatglm2_divides_its_positions() -> None:
    published = {
        "hidden_size": 128,
        "ffn_hidden_size": 192,
        "num_layers": 1,
        "num_attention_heads": 4,
        "padded_vocab_size": 300,
        "rope_ratio": 50,
    }
    rope = native_config(published, "chatglm2")["rope_parameters"]
    assert (rope["rope_type"], rope["factor"], rope["rope_theta"]) == ("linear", 50, 10_000)
    rope = native_config(published, "chatglm3")["rope_parameters"]
    assert (rope["rope_type"], rope["rope_theta"]) == ("default", 500_000)


@pytest.mark.parametrize(
    "setting",
    [
        {"rmsnorm": False},
        {"add_bias_linear": True},
        {"apply_residual_connection_post_layernorm": True},
        {"post_layer_norm": False},
        {"pre_seq_len": 128},
    ],
)
def test_what_the_native_layout_cannot_say_is_refused(
    tmp_path: Path, setting: dict[str, Any]
) -> None:
    folder = write_checkpoint(tmp_path / "published", "chatglm3")
    config = json.loads((folder / "config.json").read_text())
    with pytest.raises(LayoutUnsupported, match=next(iter(setting))):
        native_config(config | setting, "chatglm3")
