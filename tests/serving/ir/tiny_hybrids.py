"""Qwen3.5 and 3.6: attention in some layers, a state in the others."""

from __future__ import annotations

from collections.abc import Iterator

from tiny_tensors import (
    Config,
    Geometry,
    TensorSpec,
    decoder_config,
    linear,
    mlp,
    norm,
)


def _qwen3_5(g: Geometry, kind: str, mixed: bool) -> tuple[Config, list[TensorSpec]]:
    config = decoder_config(g, f"{kind}_text", "Qwen3_5ForCausalLM")
    for name in ("bos_token_id", "rope_theta"):
        del config[name]
    config |= {"head_dim": g.head_dim, "attention_bias": False, "linear_conv_kernel_dim": 4}
    config |= {"linear_num_key_heads": g.key_states, "linear_num_value_heads": g.value_states}
    config |= {"linear_key_head_dim": g.state_size, "linear_value_head_dim": g.state_size}
    every = [
        "full_attention" if index % 4 == 3 else "linear_attention" for index in range(g.layers)
    ]
    config["layer_types"] = every
    section = {"mrope_interleaved": True, "mrope_section": [2, 1, 1]}
    config["rope_parameters"] = {
        "rope_type": "default",
        "rope_theta": g.rope_theta,
        "partial_rotary_factor": 0.25,
        **section,
    }
    if mixed:
        config |= {"num_experts": g.experts, "num_experts_per_tok": g.chosen}
        config |= {"moe_intermediate_size": g.expert_width}
        config["shared_expert_intermediate_size"] = g.expert_width
    root = "model.language_model" if g.with_pictures else "model"
    tensors = list(_hybrid_tensors(g, root, every, mixed))
    if g.with_pictures:
        tensors.append(TensorSpec("model.visual.patch_embed.proj.bias", (8,), "bias"))
        tensors.append(TensorSpec("mtp.norm.weight", (g.hidden,), "difference"))
        config = {"model_type": kind, "text_config": config, "tie_word_embeddings": g.tied}
        config["architectures"] = ["Qwen3_5ForConditionalGeneration"]
    return config, tensors


def _hybrid_tensors(g: Geometry, root: str, kinds: list[str], mixed: bool) -> Iterator[TensorSpec]:
    """Norms of the hidden state and of heads store what differs from 1."""
    queries, keys = g.heads * g.head_dim, g.kv_heads * g.head_dim
    head = "head" if g.tied else "embedding"
    yield TensorSpec(f"{root}.embed_tokens.weight", (g.vocab, g.hidden), head)
    for index, kind in enumerate(kinds):
        layer = f"{root}.layers.{index}"
        yield TensorSpec(f"{layer}.input_layernorm.weight", (g.hidden,), "difference")
        yield TensorSpec(f"{layer}.post_attention_layernorm.weight", (g.hidden,), "difference")
        if kind == "full_attention":
            place = f"{layer}.self_attn"
            yield from linear(f"{place}.q_proj", 2 * queries, g.hidden, False, "attention")
            yield from linear(f"{place}.k_proj", keys, g.hidden, False, "attention")
            yield from linear(f"{place}.v_proj", keys, g.hidden, False)
            yield from linear(f"{place}.o_proj", g.hidden, queries, False, "output")
            yield TensorSpec(f"{place}.q_norm.weight", (g.head_dim,), "difference")
            yield TensorSpec(f"{place}.k_norm.weight", (g.head_dim,), "difference")
        else:
            yield from _state_tensors(g, f"{layer}.linear_attn")
        if mixed:
            yield from _fused_experts(g, f"{layer}.mlp")
        else:
            yield from mlp(f"{layer}.mlp", g.intermediate, g.hidden)
    yield TensorSpec(f"{root}.norm.weight", (g.hidden,), "difference")
    if not g.tied:
        yield TensorSpec("lm_head.weight", (g.vocab, g.hidden), "head")


def _state_tensors(g: Geometry, place: str) -> Iterator[TensorSpec]:
    values = g.value_states * g.state_size
    channels = 2 * g.key_states * g.state_size + values
    yield from linear(f"{place}.in_proj_qkv", channels, g.hidden, False)
    yield from linear(f"{place}.in_proj_z", values, g.hidden, False)
    yield from linear(f"{place}.in_proj_b", g.value_states, g.hidden, False)
    yield from linear(f"{place}.in_proj_a", g.value_states, g.hidden, False)
    yield TensorSpec(f"{place}.conv1d.weight", (channels, 1, 4), "bias")
    yield TensorSpec(f"{place}.A_log", (g.value_states,), "bias")
    yield TensorSpec(f"{place}.dt_bias", (g.value_states,), "bias")
    yield from norm(f"{place}.norm", g.state_size)
    yield from linear(f"{place}.out_proj", g.hidden, values, False, "output")


def _fused_experts(g: Geometry, name: str) -> Iterator[TensorSpec]:
    yield from linear(f"{name}.gate", g.experts, g.hidden, False, "attention")
    both = (g.experts, 2 * g.expert_width, g.hidden)
    yield TensorSpec(f"{name}.experts.gate_up_proj", both, "linear")
    down = (g.experts, g.hidden, g.expert_width)
    yield TensorSpec(f"{name}.experts.down_proj", down, "output")
    yield from mlp(f"{name}.shared_expert", g.expert_width, g.hidden)
    yield from linear(f"{name}.shared_expert_gate", 1, g.hidden, False)


def qwen3_5(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Qwen3.5 and 3.6, dense."""
    return _qwen3_5(g, "qwen3_5", mixed=False)


def qwen3_5_moe(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Qwen3.5 and 3.6 with experts."""
    return _qwen3_5(g, "qwen3_5_moe", mixed=True)
