"""What a published checkpoint of each family holds: its config.json and its tensors.

The layouts are those of the checkpoints as their authors (or Hugging Face's converted
repositories) publish them, with other sizes. A tensor is described by its name, its shape and the
role that decides how random values for it are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal[
    "linear",
    "attention",
    "output",
    "head",
    "embedding",
    "norm",
    "difference",
    "bias",
    "frequencies",
]
Config = dict[str, Any]


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of a checkpoint; ``base`` is the rotary base where the role is ``frequencies``."""

    name: str
    shape: tuple[int, ...]
    role: Role
    base: float = 10000.0


@dataclass(frozen=True)
class Geometry:
    """Sizes and choices of a tiny checkpoint; what a family has no use for it ignores."""

    layers: int = 2
    hidden: int = 128
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    intermediate: int = 176
    experts: int = 6
    chosen: int = 2
    expert_width: int = 64
    dense_layers: int = 0
    normalised: bool = True
    key_states: int = 2
    value_states: int = 4
    state_size: int = 16
    with_pictures: bool = False
    narrow: int = 40
    vocab: int = 331
    context: int = 2048
    eps: float = 1e-5
    dtype: Literal["float16", "bfloat16", "float32"] = "float32"
    tied: bool = False
    qkv_bias: bool | None = None
    rope_theta: float = 10000.0
    rope_ratio: float | None = None
    rope_scaling: dict[str, Any] | None = None
    rotary_buffers: bool | None = None
    shards: int = 1


def _linear(name: str, out: int, into: int, bias: bool, role: Role = "linear") -> list[TensorSpec]:
    weight = TensorSpec(f"{name}.weight", (out, into), role)
    return [weight, TensorSpec(f"{name}.bias", (out,), "bias")] if bias else [weight]


def _norm(name: str, size: int, bias: bool = False) -> list[TensorSpec]:
    weight = TensorSpec(f"{name}.weight", (size,), "norm")
    return [weight, TensorSpec(f"{name}.bias", (size,), "bias")] if bias else [weight]


def _published_glm_tensors(g: Geometry, qkv_bias: bool) -> Iterator[TensorSpec]:
    """ChatGLM2-6B, ChatGLM3-6B and GLM-4-9B: Q, K and V in one matrix, gate and up in another."""
    queries, keys = g.heads * g.head_dim, g.kv_heads * g.head_dim
    yield TensorSpec(
        "transformer.embedding.word_embeddings.weight", (g.vocab, g.hidden), "embedding"
    )
    if g.rotary_buffers is not False:
        yield TensorSpec("transformer.rotary_pos_emb.inv_freq", (g.head_dim // 4,), "frequencies")
    for index in range(g.layers):
        layer = f"transformer.encoder.layers.{index}"
        yield from _norm(f"{layer}.input_layernorm", g.hidden)
        fused = f"{layer}.self_attention.query_key_value"
        yield from _linear(fused, queries + 2 * keys, g.hidden, qkv_bias, "attention")
        yield from _linear(f"{layer}.self_attention.dense", g.hidden, queries, False, "output")
        yield from _norm(f"{layer}.post_attention_layernorm", g.hidden)
        yield from _linear(f"{layer}.mlp.dense_h_to_4h", 2 * g.intermediate, g.hidden, False)
        yield from _linear(f"{layer}.mlp.dense_4h_to_h", g.hidden, g.intermediate, False, "output")
    yield from _norm("transformer.encoder.final_layernorm", g.hidden)
    yield TensorSpec("transformer.output_layer.weight", (g.vocab, g.hidden), "head")


def _published_glm_config(g: Geometry, name: str, qkv_bias: bool) -> Config:
    config: Config = {
        "_name_or_path": name,
        "model_type": "chatglm",
        "architectures": ["ChatGLMModel"],
        "auto_map": {
            "AutoConfig": "configuration_chatglm.ChatGLMConfig",
            "AutoModel": "modeling_chatglm.ChatGLMForConditionalGeneration",
            "AutoModelForCausalLM": "modeling_chatglm.ChatGLMForConditionalGeneration",
        },
        "add_bias_linear": False,
        "add_qkv_bias": qkv_bias,
        "apply_query_key_layer_scaling": True,
        "apply_residual_connection_post_layernorm": False,
        "attention_dropout": 0.0,
        "attention_softmax_in_fp32": True,
        "bias_dropout_fusion": True,
        "ffn_hidden_size": g.intermediate,
        "fp32_residual_connection": False,
        "hidden_dropout": 0.0,
        "hidden_size": g.hidden,
        "kv_channels": g.head_dim,
        "layernorm_epsilon": g.eps,
        "multi_query_attention": True,
        "multi_query_group_num": g.kv_heads,
        "num_attention_heads": g.heads,
        "num_layers": g.layers,
        "original_rope": True,
        "padded_vocab_size": g.vocab,
        "post_layer_norm": True,
        "rmsnorm": True,
        "seq_length": g.context,
        "use_cache": True,
        "torch_dtype": g.dtype,
        "transformers_version": "4.30.2",
        "tie_word_embeddings": False,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    if g.rope_ratio is not None:
        config["rope_ratio"] = g.rope_ratio
    return config


def chatglm2(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """ChatGLM2-6B; with ``rope_ratio`` its 32k form, which divides positions by that ratio."""
    bias = g.qkv_bias is not False
    name = "THUDM/chatglm2-6b" if g.rope_ratio is None else "THUDM/chatglm2-6b-32k"
    return _published_glm_config(g, name, bias), list(_published_glm_tensors(g, bias))


def chatglm3(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """ChatGLM3-6B; with ``rope_ratio`` its 32k form, which multiplies the rotary base by it."""
    bias = g.qkv_bias is not False
    name = "THUDM/chatglm3-6b" if g.rope_ratio is None else "THUDM/chatglm3-6b-32k"
    return _published_glm_config(g, name, bias), list(_published_glm_tensors(g, bias))


def glm4(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """GLM-4-9B as its authors publish it; ``rope_ratio`` is 500 there."""
    bias = g.qkv_bias is not False
    config = _published_glm_config(g, "THUDM/glm-4-9b-chat", bias)
    config["rope_ratio"] = 500 if g.rope_ratio is None else g.rope_ratio
    config["num_hidden_layers"] = g.layers
    config["eos_token_id"] = [g.vocab - 14, g.vocab - 7, g.vocab - 5]
    config["pad_token_id"] = g.vocab - 14
    config["transformers_version"] = "4.44.0"
    return config, list(_published_glm_tensors(g, bias))


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
        yield from _norm(f"{layer}.input_layernorm", g.hidden)
        yield from _linear(f"{layer}.self_attn.q_proj", queries, g.hidden, qkv_bias, "attention")
        yield from _linear(f"{layer}.self_attn.k_proj", keys, g.hidden, qkv_bias, "attention")
        yield from _linear(f"{layer}.self_attn.v_proj", keys, g.hidden, qkv_bias)
        yield from _linear(f"{layer}.self_attn.o_proj", g.hidden, queries, False, "output")
        if head_norms:
            yield from _norm(f"{layer}.self_attn.q_norm", g.head_dim)
            yield from _norm(f"{layer}.self_attn.k_norm", g.head_dim)
        if rotary_buffers:
            name = f"{layer}.self_attn.rotary_emb.inv_freq"
            yield TensorSpec(name, (g.head_dim // 2,), "frequencies", g.rope_theta)
        yield from _norm(f"{layer}.post_attention_layernorm", g.hidden)
        if sandwich:
            yield from _norm(f"{layer}.post_self_attn_layernorm", g.hidden)
            yield from _norm(f"{layer}.post_mlp_layernorm", g.hidden)
        if mixture is not None and index >= g.dense_layers:
            yield from mixture(g, f"{layer}.mlp")
            continue
        if fused_mlp:
            yield from _linear(f"{layer}.mlp.gate_up_proj", 2 * g.intermediate, g.hidden, False)
            yield from _linear(f"{layer}.mlp.down_proj", g.hidden, g.intermediate, False, "output")
        else:
            yield from _mlp(f"{layer}.mlp", g.intermediate, g.hidden)
    yield from _norm("model.norm", g.hidden)
    if not g.tied:
        yield TensorSpec("lm_head.weight", (g.vocab, g.hidden), "head")


def _mlp(name: str, width: int, hidden: int) -> Iterator[TensorSpec]:
    yield from _linear(f"{name}.gate_proj", width, hidden, False)
    yield from _linear(f"{name}.up_proj", width, hidden, False)
    yield from _linear(f"{name}.down_proj", hidden, width, False, "output")


def _experts(g: Geometry, name: str) -> Iterator[TensorSpec]:
    yield from _linear(f"{name}.gate", g.experts, g.hidden, False, "attention")
    for number in range(g.experts):
        yield from _mlp(f"{name}.experts.{number}", g.expert_width, g.hidden)


def _corrected_experts(g: Geometry, name: str) -> Iterator[TensorSpec]:
    yield from _experts(g, name)
    yield TensorSpec(f"{name}.gate.e_score_correction_bias", (g.experts,), "bias")
    yield from _mlp(f"{name}.shared_experts", g.expert_width, g.hidden)


def _decoder_config(g: Geometry, model_type: str, architecture: str) -> Config:
    return {
        "architectures": [architecture],
        "attention_dropout": 0.0,
        "bos_token_id": g.vocab - 4,
        "eos_token_id": g.vocab - 3,
        "hidden_act": "silu",
        "hidden_size": g.hidden,
        "initializer_range": 0.02,
        "intermediate_size": g.intermediate,
        "max_position_embeddings": g.context,
        "model_type": model_type,
        "num_attention_heads": g.heads,
        "num_hidden_layers": g.layers,
        "num_key_value_heads": g.kv_heads,
        "rms_norm_eps": g.eps,
        "rope_theta": g.rope_theta,
        "tie_word_embeddings": g.tied,
        "torch_dtype": g.dtype,
        "transformers_version": "4.46.3",
        "use_cache": True,
        "vocab_size": g.vocab,
    }


def _hf_glm(g: Geometry, model_type: str, architecture: str) -> tuple[Config, bool]:
    bias = g.qkv_bias is not False
    config = _decoder_config(g, model_type, architecture)
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
    config = _decoder_config(g, "llama", "LlamaForCausalLM")
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
    config = _decoder_config(g, "qwen2", "Qwen2ForCausalLM")
    config |= {"max_window_layers": g.layers, "sliding_window": g.context}
    config["use_sliding_window"] = False
    return config, list(_decoder_tensors(g, qkv_bias=True))


def qwen3(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Qwen3: an RMS norm on each head's query and key, no bias, its own head size."""
    config = _decoder_config(g, "qwen3", "Qwen3ForCausalLM")
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
    return config, list(_decoder_tensors(g, qkv_bias=False, head_norms=True, mixture=_experts))


def glm4_moe(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """GLM-4.5 (with norms of heads) and GLM-4.5-Air (without)."""
    bias, head_norms = g.qkv_bias is not False, g.layers > 2
    config = _decoder_config(g, "glm4_moe", "Glm4MoeForCausalLM")
    config |= {"attention_bias": bias, "head_dim": g.head_dim, "partial_rotary_factor": 0.5}
    config |= {"first_k_dense_replace": g.dense_layers, "use_qk_norm": head_norms}
    config |= {"moe_intermediate_size": g.expert_width, "norm_topk_prob": g.normalised}
    config |= {"n_routed_experts": g.experts, "n_shared_experts": 1, "n_group": 1}
    config |= {"num_experts_per_tok": g.chosen, "topk_group": 1, "routed_scaling_factor": 1.5}
    parts = _decoder_tensors(g, qkv_bias=bias, head_norms=head_norms, mixture=_corrected_experts)
    return config, list(parts)


def glm4_moe_lite(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """GLM-4.7-Flash; heads of which a quarter turns."""
    config = _decoder_config(g, "glm4_moe_lite", "Glm4MoeLiteForCausalLM")
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
        yield from _norm(f"{layer}.input_layernorm", g.hidden)
        yield from _norm(f"{layer}.post_attention_layernorm", g.hidden)
        place = f"{layer}.self_attn"
        if g.narrow:
            yield from _linear(f"{place}.q_a_proj", g.narrow, g.hidden, False)
            yield from _norm(f"{place}.q_a_layernorm", g.narrow)
            yield from _linear(f"{place}.q_b_proj", wide, g.narrow, False, "attention")
        else:
            yield from _linear(f"{place}.q_proj", wide, g.hidden, False, "attention")
        yield from _linear(
            f"{place}.kv_a_proj_with_mqa", 24 + turning, g.hidden, False, "attention"
        )
        yield from _norm(f"{place}.kv_a_layernorm", 24)
        both = g.heads * (still + g.head_dim)
        yield from _linear(f"{place}.kv_b_proj", both, 24, False, "attention")
        yield from _linear(f"{place}.o_proj", g.hidden, wide, False, "output")
        if index < g.dense_layers:
            yield from _mlp(f"{layer}.mlp", g.intermediate, g.hidden)
        else:
            yield from _corrected_experts(g, f"{layer}.mlp")
    yield from _norm("model.norm", g.hidden)
    yield TensorSpec("lm_head.weight", (g.vocab, g.hidden), "head")


def _qwen3_5(g: Geometry, kind: str, mixed: bool) -> tuple[Config, list[TensorSpec]]:
    config = _decoder_config(g, f"{kind}_text", "Qwen3_5ForCausalLM")
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
            yield from _linear(f"{place}.q_proj", 2 * queries, g.hidden, False, "attention")
            yield from _linear(f"{place}.k_proj", keys, g.hidden, False, "attention")
            yield from _linear(f"{place}.v_proj", keys, g.hidden, False)
            yield from _linear(f"{place}.o_proj", g.hidden, queries, False, "output")
            yield TensorSpec(f"{place}.q_norm.weight", (g.head_dim,), "difference")
            yield TensorSpec(f"{place}.k_norm.weight", (g.head_dim,), "difference")
        else:
            yield from _state_tensors(g, f"{layer}.linear_attn")
        if mixed:
            yield from _fused_experts(g, f"{layer}.mlp")
        else:
            yield from _mlp(f"{layer}.mlp", g.intermediate, g.hidden)
    yield TensorSpec(f"{root}.norm.weight", (g.hidden,), "difference")
    if not g.tied:
        yield TensorSpec("lm_head.weight", (g.vocab, g.hidden), "head")


def _state_tensors(g: Geometry, place: str) -> Iterator[TensorSpec]:
    values = g.value_states * g.state_size
    channels = 2 * g.key_states * g.state_size + values
    yield from _linear(f"{place}.in_proj_qkv", channels, g.hidden, False)
    yield from _linear(f"{place}.in_proj_z", values, g.hidden, False)
    yield from _linear(f"{place}.in_proj_b", g.value_states, g.hidden, False)
    yield from _linear(f"{place}.in_proj_a", g.value_states, g.hidden, False)
    yield TensorSpec(f"{place}.conv1d.weight", (channels, 1, 4), "bias")
    yield TensorSpec(f"{place}.A_log", (g.value_states,), "bias")
    yield TensorSpec(f"{place}.dt_bias", (g.value_states,), "bias")
    yield from _norm(f"{place}.norm", g.state_size)
    yield from _linear(f"{place}.out_proj", g.hidden, values, False, "output")


def _fused_experts(g: Geometry, name: str) -> Iterator[TensorSpec]:
    yield from _linear(f"{name}.gate", g.experts, g.hidden, False, "attention")
    both = (g.experts, 2 * g.expert_width, g.hidden)
    yield TensorSpec(f"{name}.experts.gate_up_proj", both, "linear")
    down = (g.experts, g.hidden, g.expert_width)
    yield TensorSpec(f"{name}.experts.down_proj", down, "output")
    yield from _mlp(f"{name}.shared_expert", g.expert_width, g.hidden)
    yield from _linear(f"{name}.shared_expert_gate", 1, g.hidden, False)


def qwen3_5(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Qwen3.5 and 3.6, dense."""
    return _qwen3_5(g, "qwen3_5", mixed=False)


def qwen3_5_moe(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """Qwen3.5 and 3.6 with experts."""
    return _qwen3_5(g, "qwen3_5_moe", mixed=True)


def chatglm(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """ChatGLM-6B: every head has its own keys, and hidden = heads x head size."""
    if g.heads * g.head_dim != g.hidden:
        raise ValueError("ChatGLM-6B has hidden = heads x head_dim")
    tensors = [TensorSpec("transformer.word_embeddings.weight", (g.vocab, g.hidden), "embedding")]
    for index in range(g.layers):
        layer = f"transformer.layers.{index}"
        tensors += _norm(f"{layer}.input_layernorm", g.hidden, bias=True)
        name = f"{layer}.attention.rotary_emb.inv_freq"
        tensors.append(TensorSpec(name, (g.head_dim // 4,), "frequencies"))
        fused = f"{layer}.attention.query_key_value"
        tensors += _linear(fused, 3 * g.hidden, g.hidden, True, "attention")
        tensors += _linear(f"{layer}.attention.dense", g.hidden, g.hidden, True, "output")
        tensors += _norm(f"{layer}.post_attention_layernorm", g.hidden, bias=True)
        tensors += _linear(f"{layer}.mlp.dense_h_to_4h", g.intermediate, g.hidden, True)
        tensors += _linear(f"{layer}.mlp.dense_4h_to_h", g.hidden, g.intermediate, True, "output")
    tensors += _norm("transformer.final_layernorm", g.hidden, bias=True)
    tensors.append(TensorSpec("lm_head.weight", (g.vocab, g.hidden), "head"))
    config = {
        "_name_or_path": "THUDM/chatglm-6b",
        "architectures": ["ChatGLMModel"],
        "auto_map": {
            "AutoConfig": "configuration_chatglm.ChatGLMConfig",
            "AutoModel": "modeling_chatglm.ChatGLMForConditionalGeneration",
            "AutoModelForSeq2SeqLM": "modeling_chatglm.ChatGLMForConditionalGeneration",
        },
        "bos_token_id": g.vocab - 6,
        "eos_token_id": g.vocab - 5,
        "mask_token_id": g.vocab - 10,
        "gmask_token_id": g.vocab - 9,
        "pad_token_id": 3,
        "hidden_size": g.hidden,
        "inner_hidden_size": g.intermediate,
        "layernorm_epsilon": g.eps,
        "max_sequence_length": g.context,
        "model_type": "chatglm",
        "num_attention_heads": g.heads,
        "num_layers": g.layers,
        "position_encoding_2d": True,
        "torch_dtype": g.dtype,
        "transformers_version": "4.23.1",
        "use_cache": True,
        "vocab_size": g.vocab,
    }
    return config, tensors


FAMILIES: dict[str, Callable[[Geometry], tuple[Config, list[TensorSpec]]]] = {
    "chatglm2": chatglm2,
    "chatglm3": chatglm3,
    "glm4": glm4,
    "glm": glm,
    "glm4_hf": glm4_hf,
    "qwen2": qwen2,
    "qwen3": qwen3,
    "qwen3_moe": qwen3_moe,
    "glm4_moe": glm4_moe,
    "glm4_moe_lite": glm4_moe_lite,
    "qwen3_5": qwen3_5,
    "qwen3_5_moe": qwen3_5_moe,
    "llama": llama,
    "chatglm": chatglm,
}
