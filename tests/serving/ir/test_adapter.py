"""A checkpoint with a LoRA adapter gives what the merged weights give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from complete_checkpoint import write_complete
from converted import EXACT, Running
from lora_files import ROOT, drawn, write_adapter
from reference import Reference
from tiny_checkpoint import write_checkpoint, write_safetensors

from serving.ir.adapter import AdaptedCheckpoint
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.convert import ConversionError, convert
from serving.ir.formats import Precision
from serving.models import manifest

ATTENTION = "model.layers.1.self_attn"
MODULES = [f"{ATTENTION}.{part}_proj" for part in "qkvo"] + ["model.layers.0.mlp.down_proj"]


def merged(source: Path, scale: float, modules: list[str], rank: int = 4) -> Reference:
    """The model with W + s B A, by numpy."""
    reference = Reference(source)
    for module in modules:
        weight = reference.weights[f"{module}.weight"]
        down = drawn(module + "A", rank, weight.shape[1]) / np.float32(9)
        change = drawn(module + "B", weight.shape[0], rank).astype(np.float64) @ down
        reference.weights[f"{module}.weight"] = weight + scale * change
    return reference


def logits(folder: Path, ids: list[int]) -> Any:
    facts = type("Facts", (), {})()
    return Running(folder / manifest.MODEL_FILE, facts, EXACT).step([ids])[0]


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        ({}, 2.0),
        ({"use_rslora": True, "lora_alpha": 4}, 2.0),
        ({"lora_alpha": 6, "alpha_pattern": {"self_attn.q_proj": 6}}, 1.5),
    ],
)
def test_a_converted_model_has_what_was_learned(
    tmp_path: Path, settings: dict[str, Any], scale: float
) -> None:
    source = write_complete(tmp_path / "source")
    adapter = write_adapter(tmp_path / "tuned", source, MODULES, **settings)
    made = convert(source, tmp_path / "model", Precision("fp32"), adapter=adapter)
    ids = list(range(7, 27))
    expected = merged(source, scale, MODULES).logits(ids)
    assert np.abs(expected - Reference(source).logits(ids)).max() > 0.5
    np.testing.assert_allclose(logits(tmp_path / "model", ids), expected, rtol=0, atol=2e-4)
    assert made.settings["adapter"] == "tuned"


def test_the_models_identity_covers_the_adapter(tmp_path: Path) -> None:
    source = write_complete(tmp_path / "source")
    adapter = write_adapter(tmp_path / "tuned", source, MODULES)
    plain = convert(source, tmp_path / "plain")
    assert convert(source, tmp_path / "model", adapter=adapter).source_sha256 != plain.source_sha256


def test_rows_of_dora_have_the_length_that_was_learned(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source", "qwen2")
    adapter = write_adapter(tmp_path / "tuned", source, MODULES[:1], lengths=True)
    base = open_checkpoint(source)
    name = f"{MODULES[0]}.weight"
    read = AdaptedCheckpoint(base, adapter).read(name)
    length = np.abs(drawn(MODULES[0] + "m", len(read))) + 0.5
    np.testing.assert_allclose(np.linalg.norm(read, axis=1), length, rtol=1e-5)
    direction = merged(source, 2.0, MODULES[:1]).weights[name]
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    np.testing.assert_allclose(read / length[:, None], direction, atol=1e-5)


def test_some_rows_are_those_rows_of_the_whole(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source", "qwen3_moe")
    modules = ["model.layers.0.mlp.experts.3.up_proj", "model.embed_tokens"]
    whole = ["lm_head.weight"]
    adapted = AdaptedCheckpoint(
        open_checkpoint(source), write_adapter(tmp_path / "tuned", source, modules, whole=whole)
    )
    order = np.array([5, 1, 5])
    for name in ("model.embed_tokens.weight", f"{modules[0]}.weight", "lm_head.weight"):
        every = adapted.read(name)
        assert not np.array_equal(every, open_checkpoint(source).read(name))
        np.testing.assert_allclose(adapted.read(name, slice(2, 6)), every[2:6], atol=1e-6)
        np.testing.assert_allclose(adapted.read(name, order), every[order], atol=1e-6)
    table = open_checkpoint(source).read("model.embed_tokens.weight")
    left = drawn("model.embed_tokensA", 4, len(table)).T
    right = drawn("model.embed_tokensB", table.shape[1], 4).T / np.float32(9)
    np.testing.assert_allclose(
        adapted.read("model.embed_tokens.weight"), table + 2 * left @ right, atol=1e-4
    )


def refused(source: Path, adapter: Path) -> str:
    target = source.parent / "model"
    with pytest.raises(ConversionError) as told:
        convert(source, target, adapter=adapter)
    assert not target.exists()
    return str(told.value)


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other", "qwen2", hidden=96)
    adapter = write_adapter(tmp_path / "tuned", other, MODULES)
    told = refused(write_complete(tmp_path / "source"), adapter)
    assert "it was trained on another model" in told
    glm = write_checkpoint(tmp_path / "glm", "chatglm3")
    module = "transformer.encoder.layers.0.self_attention.query_key_value"
    told = refused(tmp_path / "source", write_adapter(tmp_path / "second", glm, [module]))
    assert f"{module}.weight" in told
    assert "does not have" in told


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"peft_type": "IA3"}, "peft_type 'IA3' is not supported"),
        ({"peft_type": "PREFIX_TUNING"}, "is not supported (LORA is)"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out is not supported"),
        ({"use_dora": True}, "use_dora and the module"),
    ],
)
def test_what_is_no_lora_of_ours_is_refused(
    tmp_path: Path, setting: dict[str, Any], told: str
) -> None:
    source = write_complete(tmp_path / "source")
    adapter = write_adapter(tmp_path / "tuned", source, MODULES)
    config = json.loads((adapter / "adapter_config.json").read_text()) | setting
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    assert told in refused(source, adapter)


def test_damage_is_told_by_file_and_tensor(tmp_path: Path) -> None:
    source = write_complete(tmp_path / "source")
    adapter = write_adapter(tmp_path / "tuned", source, MODULES[:1])
    file = adapter / "adapter_model.safetensors"
    half = f"{ROOT}{MODULES[0]}.lora_A.weight"
    write_safetensors(file, {half: drawn("x", 4, 64)}, "float32")
    assert f"of the module {MODULES[0]} one half is missing" in refused(source, adapter)
    bad = drawn("x", 4, 64)
    bad[1, 1] = np.nan
    write_safetensors(file, {half: bad}, "float32")
    assert f"{file}: the tensor {half} has a weight that is infinite" in refused(source, adapter)
    file.write_bytes(file.read_bytes()[:40])
    assert str(file) in refused(source, adapter)
    file.unlink()
    assert str(file) in refused(source, adapter)
    (adapter / "adapter_config.json").write_text("{")
    assert "is not valid JSON" in refused(source, adapter)


@pytest.mark.train
@pytest.mark.parametrize(
    "settings",
    [
        {"r": 4, "lora_alpha": 16},
        {"r": 8, "use_rslora": True, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 3}},
        {"r": 4, "use_dora": True},
        {"r": 4, "modules_to_save": ["lm_head"]},
    ],
    ids=["plain", "patterns", "dora", "whole-head"],
)
def test_logits_and_greedy_ids_are_those_of_peft(tmp_path: Path, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    transformers = pytest.importorskip("transformers")
    source = write_complete(tmp_path / "source")
    torch.manual_seed(0)
    base = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    config = peft.LoraConfig(
        target_modules=["q_proj", "v_proj", "o_proj", "up_proj"],
        init_lora_weights=False,
        **settings,
    )
    tuned = peft.get_peft_model(base, config).eval()
    with torch.no_grad():
        for name, values in tuned.named_parameters():
            if "lora_" in name and "magnitude" not in name:
                values.normal_(0, 0.1)
            elif "modules_to_save" in name:
                values.add_(torch.randn_like(values) * 0.1)
    tuned.save_pretrained(tmp_path / "tuned")
    convert(source, tmp_path / "model", Precision("fp32"), adapter=tmp_path / "tuned")
    ids = list(range(7, 39))
    with torch.no_grad():
        expected = tuned(torch.tensor([ids])).logits[0].numpy()
        answer = tuned.generate(
            torch.tensor([ids]), max_new_tokens=24, min_new_tokens=24, do_sample=False
        )[0, len(ids) :].tolist()
    np.testing.assert_allclose(logits(tmp_path / "model", ids), expected, rtol=0, atol=2e-4)
    facts = type("Facts", (), {})()
    running = Running(tmp_path / "model" / manifest.MODEL_FILE, facts, EXACT)
    assert running.greedy(ids, 24) == answer
