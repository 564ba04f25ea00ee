"""Decoders in the layout of Hugging Face."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tiny_tensors import (
    Config,
    Geometry,
    TensorSpec,
    corrected_experts,
    decoder_config,
    experts,
    linear,
    mlp,
    norm,
)


def _decoder_tensors(
    g: Geometry,
    *,
    qkv_bias: bool,
    fused_mlp: bool = False,
    sandwich: bool = False,
    head_norms: bool = False,
    rotary_buffers: bool = False,
    mixture: Callable[[Geometry, str], Iterator[TensorSpec]] | None = None,
) -> Iterator[TensorSpec]:
    """The layout of Hugging Face's decoders (``model.layers.N.self_attn.q_proj`` and so on)."""
    queries, keys = g.heads * g.head_dim, g.kv_heads * g.head_dim
    yield TensorSpec(
        "model.embed_tokens.weight", (g.vocab, g.hidden), "head" if g.tied else "embedding"
    )
    for index in range(g.layers):
        layer = f"model.layers.{index}"
        yield from norm(f"{layer}.input_layernorm", g.hidden)
        yield from linear(f"{layer}.self_attn.q_proj", queries, g.hidden, qkv_bias, "attention")
        yield from linear(f"{layer}.self_attn.k_proj", keys, g.hidden, qkv_bias, "attention")
        yield from linear(f"{layer}.self_attn.v_proj", keys, g.hidden, qkv_bias)
        yield from linear(f"{layer}.self_attn.o_proj", g.hidden, queries, False, "output")
        if head_norms:
            yield from norm(f"{layer}.self_attn.q_norm", g.head_dim)
            yield from norm(f"{layer}.self_attn.k_norm", g.head_dim)
        if rotary_buffers:
            name = f"{layer}.self_attn.rotary_emb.inv_freq"
            yield TensorSpec(name, (g.head_dim // 2,), "frequencies", g.rope_theta)
        yield from norm(f"{layer}.post_attention_layernorm", g.hidden)
        if sandwich:
            yield from norm(f"{layer}.post_self_attn_layernorm", g.hidden)
            yield from norm(f"{layer}.post_mlp_layernorm", g.hidden)
        if mixture is not None and index >= g.dense_layers:
            yield from mixture(g, f"{layer}.mlp")
            continue
        if fused_mlp:
            yield from linear(f"{layer}.mlp.gate_up_proj", 2 * g.intermediate, g.hidden, False)
            yield from linear(f"{layer}.mlp.down_proj", g.hidden, g.intermediate, False, "output")
        else:
            yield from mlp(f"{layer}.mlp", g.intermediate, g.hidden)
    yield from norm("model.norm", g.hidden)
    if not g.tied:
        yield TensorSpec("lm_head.weight", (g.vocab, g.hidden), "head")


def _hf_glm(g: Geometry, model_type: str, architecture: str) -> tuple[Config, bool]:
    bias = g.qkv_bias is not False
    config = decoder_config(g, model_type, architecture)
    config["attention_bias"] = bias
    config["head_dim"] = g.head_dim
    config["partial_rotary_factor"] = 0.5
    config["eos_token_id"] = [g.vocab - 14, g.vocab - 7, g.vocab - 5]
    config["pad_token_id"] = g.vocab - 14
    del config["bos_token_id"]
    return config, bias


def glm(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """GLM-4-9B in Hugging Face's layout (``GlmForCausalLM``)."""
    config, bias = _hf_glm(g, "glm", "GlmForCausalLM")
    return config, list(_decoder_tensors(g, qkv_bias=bias, fused_mlp=True))


def glm4_hf(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """GLM-4-0414 (``Glm4ForCausalLM``): as ``glm``, with a norm after each block as well."""
    config, bias = _hf_glm(g, "glm4", "Glm4ForCausalLM")
    return config, list(_decoder_tensors(g, qkv_bias=bias, fused_mlp=True, sandwich=True))


def llama(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Llama 1 to 3; ``rotary_buffers`` adds the frequencies that conversions of Llama 1 carry."""
    bias = g.qkv_bias is True
    config = decoder_config(g, "llama", "LlamaForCausalLM")
    config |= {"attention_bias": bias, "mlp_bias": False, "pretraining_tp": 1}
    config["rope_scaling"] = g.rope_scaling
    if g.heads * g.head_dim != g.hidden:
        config["head_dim"] = g.head_dim
    tensors = list(_decoder_tensors(g, qkv_bias=bias, rotary_buffers=g.rotary_buffers is True))
    if bias:  # Transformers' Llama puts the bias on the output projection as well.
        tensors += [
            TensorSpec(f"model.layers.{index}.self_attn.o_proj.bias", (g.hidden,), "bias")
            for index in range(g.layers)
        ]
    return config, tensors


def qwen2(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Qwen2 and Qwen2.5: a bias on Q, K and V; small ones tie head and embedding."""
    config = decoder_config(g, "qwen2", "Qwen2ForCausalLM")
    config |= {"max_window_layers": g.layers, "sliding_window": g.context}
    config["use_sliding_window"] = False
    return config, list(_decoder_tensors(g, qkv_bias=True))


def qwen3(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Qwen3: an RMS norm on each head's query and key, no bias, its own head size."""
    config = decoder_config(g, "qwen3", "Qwen3ForCausalLM")
    config |= {"attention_bias": False, "head_dim": g.head_dim, "rope_scaling": None}
    config |= {"max_window_layers": g.layers, "sliding_window": None, "use_sliding_window": False}
    return config, list(_decoder_tensors(g, qkv_bias=False, head_norms=True))


def qwen3_moe(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Qwen3-30B-A3B and its kin: Qwen3 with experts for an MLP."""
    config, _ = qwen3(g)
    config |= {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe"}
    config |= {"decoder_sparse_step": 1, "mlp_only_layers": list(range(g.dense_layers))}
    config |= {"moe_intermediate_size": g.expert_width, "norm_topk_prob": g.normalised}
    config |= {"num_experts": g.experts, "num_experts_per_tok": g.chosen}
    return config, list(_decoder_tensors(g, qkv_bias=False, head_norms=True, mixture=experts))


def glm4_moe(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """GLM-4.5 (with norms of heads) and GLM-4.5-Air (without)."""
    bias, head_norms = g.qkv_bias is not False, g.layers > 2
    config = decoder_config(g, "glm4_moe", "Glm4MoeForCausalLM")
    config |= {"attention_bias": bias, "head_dim": g.head_dim, "partial_rotary_factor": 0.5}
    config |= {"first_k_dense_replace": g.dense_layers, "use_qk_norm": head_norms}
    config |= {"moe_intermediate_size": g.expert_width, "norm_topk_prob": g.normalised}
    config |= {"n_routed_experts": g.experts, "n_shared_experts": 1, "n_group": 1}
    config |= {"num_experts_per_tok": g.chosen, "topk_group": 1, "routed_scaling_factor": 1.5}
    parts = _decoder_tensors(g, qkv_bias=bias, head_norms=head_norms, mixture=corrected_experts)
    return config, list(parts)


def glm4_moe_lite(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """GLM-4.7-Flash; heads of which a quarter turns."""
    config = decoder_config(g, "glm4_moe_lite", "Glm4MoeLiteForCausalLM")
    del config["rope_theta"]
    turning = g.head_dim // 4
    still = g.head_dim - turning
    config |= {"attention_bias": False, "num_key_value_heads": g.heads}
    config |= {"q_lora_rank": g.narrow or None, "kv_lora_rank": 24, "v_head_dim": g.head_dim}
    config |= {"qk_nope_head_dim": still, "qk_rope_head_dim": turning, "rope_interleave": True}
    config |= {"moe_intermediate_size": g.expert_width, "norm_topk_prob": g.normalised}
    config |= {"n_routed_experts": g.experts, "n_shared_experts": 1, "n_group": 1}
    config |= {"num_experts_per_tok": g.chosen, "topk_group": 1, "routed_scaling_factor": 1.8}
    kinds = ["dense"] * g.dense_layers + ["sparse"] * (g.layers - g.dense_layers)
    config["mlp_layer_types"] = kinds
    config["rope_parameters"] = {"rope_type": "default", "rope_theta": g.rope_theta}
    return config, list(_latent_tensors(g, still, turning))


def _latent_tensors(g: Geometry, still: int, turning: int) -> Iterator[TensorSpec]:
    yield TensorSpec("model.embed_tokens.weight", (g.vocab, g.hidden), "embedding")
    wide = g.heads * g.head_dim
    for index in range(g.layers):
        layer = f"model.layers.{index}"
        yield from norm(f"{layer}.input_layernorm", g.hidden)
        yield from norm(f"{layer}.post_attention_layernorm", g.hidden)
        place = f"{layer}.self_attn"
        if g.narrow:
            yield from linear(f"{place}.q_a_proj", g.narrow, g.hidden, False)
            yield from norm(f"{place}.q_a_layernorm", g.narrow)
            yield from linear(f"{place}.q_b_proj", wide, g.narrow, False, "attention")
        else:
            yield from linear(f"{place}.q_proj", wide, g.hidden, False, "attention")
        yield from linear(f"{place}.kv_a_proj_with_mqa", 24 + turning, g.hidden, False, "attention")
        yield from norm(f"{place}.kv_a_layernorm", 24)
        both = g.heads * (still + g.head_dim)
        yield from linear(f"{place}.kv_b_proj", both, 24, False, "attention")
        yield from linear(f"{place}.o_proj", g.hidden, wide, False, "output")
        if index < g.dense_layers:
            yield from mlp(f"{layer}.mlp", g.intermediate, g.hidden)
        else:
            yield from corrected_experts(g, f"{layer}.mlp")
    yield from norm("model.norm", g.hidden)
    yield TensorSpec("lm_head.weight", (g.vocab, g.hidden), "head")
