"""ChatGLM and GLM as THUDM and Zhipu publish them."""

from __future__ import annotations

from collections.abc import Iterator

from tiny_tensors import (
    Config,
    Geometry,
    TensorSpec,
    linear,
    norm,
)


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
        yield from norm(f"{layer}.input_layernorm", g.hidden)
        fused = f"{layer}.self_attention.query_key_value"
        yield from linear(fused, queries + 2 * keys, g.hidden, qkv_bias, "attention")
        yield from linear(f"{layer}.self_attention.dense", g.hidden, queries, False, "output")
        yield from norm(f"{layer}.post_attention_layernorm", g.hidden)
        yield from linear(f"{layer}.mlp.dense_h_to_4h", 2 * g.intermediate, g.hidden, False)
        yield from linear(f"{layer}.mlp.dense_4h_to_h", g.hidden, g.intermediate, False, "output")
    yield from norm("transformer.encoder.final_layernorm", g.hidden)
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


def chatglm(g: Geometry) -> tuple[Config, list[TensorSpec]]:
    """ChatGLM-6B: every head has its own keys, and hidden = heads x head size."""
    if g.heads * g.head_dim != g.hidden:
        raise ValueError("ChatGLM-6B has hidden = heads x head_dim")
    tensors = [TensorSpec("transformer.word_embeddings.weight", (g.vocab, g.hidden), "embedding")]
    for index in range(g.layers):
        layer = f"transformer.layers.{index}"
        tensors += norm(f"{layer}.input_layernorm", g.hidden, bias=True)
        name = f"{layer}.attention.rotary_emb.inv_freq"
        tensors.append(TensorSpec(name, (g.head_dim // 4,), "frequencies"))
        fused = f"{layer}.attention.query_key_value"
        tensors += linear(fused, 3 * g.hidden, g.hidden, True, "attention")
        tensors += linear(f"{layer}.attention.dense", g.hidden, g.hidden, True, "output")
        tensors += norm(f"{layer}.post_attention_layernorm", g.hidden, bias=True)
        tensors += linear(f"{layer}.mlp.dense_h_to_4h", g.intermediate, g.hidden, True)
        tensors += linear(f"{layer}.mlp.dense_4h_to_h", g.hidden, g.intermediate, True, "output")
    tensors += norm("transformer.final_layernorm", g.hidden, bias=True)
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
