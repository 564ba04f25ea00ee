"""The numpy reference against Transformers' native classes, and what it must hold by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference import Reference, greedy, logits, shortfall
from reference_chatglm import positions, prefix_mask
from reference_layers import Array
from reference_weights import read_weights
from tiny_checkpoint import GEOMETRIES, encode, write_checkpoint
from tiny_families import FAMILIES

NATIVE = (
    "llama",
    "qwen2",
    "qwen3",
    "qwen3_moe",
    "glm4_moe",
    "glm4_moe_lite",
    "qwen3_5",
    "qwen3_5_moe",
    "glm",
    "glm4_hf",
)
PUBLISHED_GLM = ("chatglm2", "chatglm3", "glm4")
LENGTH = 40
_ONE_EXPERT = re.compile(r"\.experts\.\d+\.")


def _cases(*families: str) -> list[Any]:
    return [
        pytest.param(family, geometry, id=f"{family}-{name}")
        for family in families
        for name, geometry in GEOMETRIES[family].items()
        # What sees pictures too is another class; its text part is the same.
        if not geometry.get("with_pictures")
    ]


def _tokens(config: dict[str, Any], length: int, seed: int = 3) -> list[int]:
    """Random tokens; for ChatGLM-6B a prefix that ends in [gMASK], then ``bos`` and an answer."""
    config = config.get("text_config", config)
    vocab = config.get("padded_vocab_size") or config["vocab_size"]
    ids: list[int] = np.random.default_rng(seed).integers(4, vocab - 20, length).tolist()
    if "gmask_token_id" in config:
        middle = length // 2
        ids[middle - 1 : middle + 1] = [config["gmask_token_id"], config["bos_token_id"]]
    return ids


def _distance(left: Array, right: Array) -> float:
    """Largest difference, relative to the largest logit."""
    return float(np.abs(left - right).max() / np.abs(right).max())


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="compares with torch; not installed")


@pytest.fixture
def transformers(torch: Any) -> Any:
    reason = "compares with Transformers' native classes; not installed"
    return pytest.importorskip("transformers", reason=reason)


@contextmanager
def _float64_throughout(torch: Any) -> Iterator[None]:
    """Transformers takes angles, norms and softmax in float32 by name, whatever the weights are.

    Here those names mean float64, so that agreement can be asked for to its rounding.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "float32", torch.float64)
        patch.setattr(torch, "float", torch.float64)
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)
        yield


def _native_logits(
    torch: Any, transformers: Any, config: Any, weights: dict[str, Array], ids: Any, **inputs: Any
) -> Array:
    """Logits in float64 of Transformers' class for ``config`` with exactly these weights."""
    config._attn_implementation = config._experts_implementation = "eager"
    with _float64_throughout(torch), torch.no_grad():
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float64).eval()
        state = {name: torch.tensor(array) for name, array in _fused(weights).items()}
        loaded = model.load_state_dict(state, strict=False)
        tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
        assert set(loaded.missing_keys) == tied
        assert all(name.endswith("rotary_emb.inv_freq") for name in loaded.unexpected_keys)
        given = {name: torch.tensor(array) for name, array in inputs.items()}
        result = model(torch.tensor(ids), use_cache=False, **given)
    return np.asarray(result.logits.numpy())


def _fused(weights: dict[str, Array]) -> dict[str, Array]:
    """With the experts of a layer in one tensor each way, as the native classes keep them."""
    kept = {name: array for name, array in weights.items() if not _ONE_EXPERT.search(name)}
    for place in {name.split("0.gate_proj")[0] for name in weights if ".experts.0.gate" in name}:
        count = sum(name.startswith(place) for name in weights) // 3

        def experts(part: str, place: str = place, count: int = count) -> Array:
            rows = [weights[f"{place}{number}.{part}_proj.weight"] for number in range(count)]
            return np.stack(rows)

        kept[f"{place}gate_up_proj"] = np.concatenate([experts("gate"), experts("up")], axis=1)
        kept[f"{place}down_proj"] = experts("down")
    return kept


@pytest.mark.train
@pytest.mark.parametrize(("family", "geometry"), _cases(*NATIVE))
def test_the_native_class_gives_the_same_logits_to_the_rounding_of_float64(
    torch: Any, transformers: Any, tmp_path: Path, family: str, geometry: dict[str, Any]
) -> None:
    folder = write_checkpoint(tmp_path / "model", family, **geometry)
    reference = Reference(folder)
    ids = _tokens(reference.config, LENGTH)
    config = transformers.AutoConfig.from_pretrained(folder)
    native = _native_logits(torch, transformers, config, reference.weights, [ids])
    assert native.dtype == np.float64
    assert _distance(native[0], reference.logits(ids)) < 1e-12


@pytest.mark.train
@pytest.mark.parametrize("family", NATIVE)
def test_a_left_padded_batch_of_the_native_class_gives_the_rows_of_the_reference(
    torch: Any, transformers: Any, tmp_path: Path, family: str
) -> None:
    folder = write_checkpoint(tmp_path / "model", family)
    reference = Reference(folder)
    batch = np.array([_tokens(reference.config, 12, seed) for seed in range(3)])
    mask = np.ones(batch.shape, int)
    mask[0, :5] = mask[2, :1] = 0
    config = transformers.AutoConfig.from_pretrained(folder)
    places = np.maximum(mask.cumsum(axis=1) - 1, 0)
    native = _native_logits(
        torch,
        transformers,
        config,
        reference.weights,
        batch,
        attention_mask=mask,
        position_ids=places,
    )
    own = logits(folder, batch, attention_mask=mask)
    assert _distance(native[mask > 0], own[mask > 0]) < 1e-12
    assert np.isnan(own[mask == 0]).all()


@pytest.mark.train
@pytest.mark.parametrize(("family", "geometry"), _cases(*NATIVE))
def test_transformers_loads_the_folder_whole_and_generates_the_same_tokens(
    torch: Any, transformers: Any, tmp_path: Path, family: str, geometry: dict[str, Any]
) -> None:
    folder = write_checkpoint(tmp_path / "model", family, **geometry)
    model, loading = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    assert not loading["missing_keys"]
    assert not loading["mismatched_keys"]
    assert all(name.endswith("rotary_emb.inv_freq") for name in loading["unexpected_keys"])
    prompt = _tokens(json.loads((folder / "config.json").read_text()), LENGTH)
    settings = {"do_sample": False, "max_new_tokens": 24, "min_new_tokens": 24}
    answer = model.generate(torch.tensor([prompt]), eos_token_id=-1, pad_token_id=0, **settings)
    assert shortfall(folder, prompt, answer[0, LENGTH:].tolist()).max() < 1e-4


def _in_native_layout(reference: Reference) -> tuple[dict[str, Any], dict[str, Array]]:
    """A published GLM checkpoint's config and weights under Hugging Face's names for ``glm``."""
    published = reference.config
    heads, size = published["num_attention_heads"], published["kv_channels"]
    groups = published["multi_query_group_num"]
    weights = {
        "model.embed_tokens.weight": "transformer.embedding.word_embeddings.weight",
        "model.norm.weight": "transformer.encoder.final_layernorm.weight",
        "lm_head.weight": "transformer.output_layer.weight",
    }
    mapped = {name: reference.weights[source] for name, source in weights.items()}
    for index in range(published["num_layers"]):
        target, source = f"model.layers.{index}", f"transformer.encoder.layers.{index}"
        for name, part in (
            ("input_layernorm", "input_layernorm"),
            ("post_attention_layernorm", "post_attention_layernorm"),
            ("self_attn.o_proj", "self_attention.dense"),
            ("mlp.gate_up_proj", "mlp.dense_h_to_4h"),
            ("mlp.down_proj", "mlp.dense_4h_to_h"),
        ):
            mapped[f"{target}.{name}.weight"] = reference.weights[f"{source}.{part}.weight"]
        for kind in ("weight", "bias") if published["add_qkv_bias"] else ("weight",):
            fused = reference.weights[f"{source}.self_attention.query_key_value.{kind}"]
            rows = np.split(fused, [heads * size, (heads + groups) * size])
            for letter, own_rows in zip("qkv", rows, strict=True):
                mapped[f"{target}.self_attn.{letter}_proj.{kind}"] = own_rows
    ratio = published.get("rope_ratio", 1)
    stretched = published["_name_or_path"].startswith("THUDM/chatglm2")
    config = {
        "vocab_size": published["padded_vocab_size"],
        "hidden_size": published["hidden_size"],
        "intermediate_size": published["ffn_hidden_size"],
        "num_hidden_layers": published["num_layers"],
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "head_dim": size,
        "rms_norm_eps": published["layernorm_epsilon"],
        "attention_bias": published["add_qkv_bias"],
        "pad_token_id": None,
        "eos_token_id": None,
        "rope_parameters": {
            "rope_type": "linear" if stretched else "default",
            "factor": float(ratio),
            "rope_theta": 10000.0 * (1 if stretched else ratio),
            "partial_rotary_factor": 0.5,
        },
    }
    return config, mapped


@pytest.mark.train
@pytest.mark.parametrize(("family", "geometry"), _cases(*PUBLISHED_GLM))
def test_published_glm_weights_give_the_same_logits_in_the_native_glm_class(
    torch: Any, transformers: Any, tmp_path: Path, family: str, geometry: dict[str, Any]
) -> None:
    reference = Reference(write_checkpoint(tmp_path / "model", family, **geometry))
    ids = _tokens(reference.config, LENGTH)
    sizes, weights = _in_native_layout(reference)
    config = transformers.GlmConfig(**sizes)
    native = _native_logits(torch, transformers, config, weights, [ids])
    assert _distance(native[0], reference.logits(ids)) < 1e-12


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "chatglm"])
def test_a_token_does_not_change_what_came_before_it(tmp_path: Path, family: str) -> None:
    reference = Reference(write_checkpoint(tmp_path / "model", family))
    ids = _tokens(reference.config, 10)
    whole = reference.logits(ids)
    np.testing.assert_allclose(reference.logits(ids[:6]), whole[:6], rtol=0, atol=1e-11)
    swapped = reference.logits([ids[1], ids[0], *ids[2:]])
    assert np.abs(swapped[-1] - whole[-1]).max() > 1e-2


@pytest.mark.parametrize("family", FAMILIES)
def test_shards_hold_what_one_file_holds(tmp_path: Path, family: str) -> None:
    whole = write_checkpoint(tmp_path / "whole", family, dtype="bfloat16")
    parts = write_checkpoint(tmp_path / "parts", family, dtype="bfloat16", shards=3)
    assert len(list(parts.glob("model-*-of-00003.safetensors"))) == 3
    left, right = read_weights(whole), read_weights(parts)
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_a_few_units_wide_and_the_seed_decides_them(tmp_path: Path, family: str) -> None:
    first = write_checkpoint(tmp_path / "first", family)
    again = write_checkpoint(tmp_path / "again", family)
    other = write_checkpoint(tmp_path / "other", family, seed=1)
    ids = [_tokens(json.loads((first / "config.json").read_text()), 16)]
    own = logits(first, ids)
    assert 1 < own.std() < 6
    np.testing.assert_array_equal(own, logits(again, ids))
    assert np.abs(own - logits(other, ids)).max() > 1


@pytest.mark.parametrize("family", ["qwen2", "chatglm3", "chatglm"])
def test_greedy_takes_the_likeliest_and_shortfall_says_by_how_much_others_miss(
    tmp_path: Path, family: str
) -> None:
    folder = write_checkpoint(tmp_path / "model", family)
    prompt = _tokens(json.loads((folder / "config.json").read_text()), 12)
    answer = greedy(folder, prompt, 6)
    assert len(answer) == 6
    np.testing.assert_array_equal(shortfall(folder, prompt, answer), np.zeros(6))
    row = logits(folder, [prompt + answer[:2]])[0, -1]
    wrong = int(row.argmin())
    missed = shortfall(folder, prompt, [*answer[:2], wrong])[-1]
    assert missed == pytest.approx(row.max() - row.min(), rel=1e-9)


def test_bfloat16_rounds_to_the_nearest_and_ties_to_even() -> None:
    values = np.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -3.5], np.float32)
    bits = encode(values, "bfloat16").astype(np.uint32) << 16
    rounded = [1.0, 1.0, 1 + 2**-6, 1 + 2**-7, -3.5]
    assert bits.view(np.float32).tolist() == rounded


def test_rope_ratio_stretches_positions_in_chatglm2_and_the_base_in_chatglm3(
    tmp_path: Path,
) -> None:
    rows = {}
    for family in ("chatglm2", "chatglm3"):
        for ratio in (None, 1, 16):
            folder = write_checkpoint(tmp_path / f"{family}-{ratio}", family, rope_ratio=ratio)
            rows[family, ratio] = logits(folder, [list(range(5, 25))])
        np.testing.assert_allclose(rows[family, None], rows[family, 1])
    np.testing.assert_allclose(rows["chatglm2", 1], rows["chatglm3", 1])
    assert np.abs(rows["chatglm2", 16] - rows["chatglm3", 16]).max() > 0.1


@pytest.fixture
def chatglm(tmp_path: Path) -> Reference:
    return Reference(write_checkpoint(tmp_path / "model", "chatglm"))


def test_chatglm_prefix_is_seen_both_ways_and_the_answer_is_causal(chatglm: Reference) -> None:
    ids = _tokens(chatglm.config, 14)
    visible = prefix_mask(chatglm.config, ids)
    assert visible[:, :7].all()
    assert np.array_equal(visible[7:, 7:], np.tril(np.ones((7, 7), bool)))
    assert not visible[:7, 7:].any()
    whole = chatglm.logits(ids)
    np.testing.assert_allclose(chatglm.logits(ids[:10]), whole[:10], rtol=0, atol=1e-11)
    # The last token of the prefix reaches back to the first place.
    other = [*ids[:5], ids[5] + 1, *ids[6:]]
    assert np.abs(chatglm.logits(other)[0] - whole[0]).max() > 1e-3


def test_chatglm_positions_stop_at_the_mask_and_count_in_the_answer(chatglm: Reference) -> None:
    ids = _tokens(chatglm.config, 12)
    first, second = positions(chatglm.config, ids)
    assert first.tolist() == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5]
    assert second.tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
    ids[5], ids[2] = ids[0], chatglm.config["mask_token_id"]
    first, _ = positions(chatglm.config, ids)
    assert first.tolist() == [0, 1, 2, 3, 4, 5, 2, 2, 2, 2, 2, 2]


def test_chatglm_without_a_start_token_is_refused(chatglm: Reference) -> None:
    with pytest.raises(ValueError, match="not in list"):
        chatglm.logits([5, 6, 7])


def test_an_unknown_model_type_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model", "llama")
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "mamba"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="mamba"):
        Reference(folder)


def test_heads_that_do_not_share_out_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiple"):
        write_checkpoint(tmp_path / "model", "llama", heads=5, kv_heads=2)
    assert not (tmp_path / "model").exists()
