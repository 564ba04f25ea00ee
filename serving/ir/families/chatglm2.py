"""ChatGLM2-6B, ChatGLM3-6B and GLM-4-9B in the layout that their authors publish."""

from __future__ import annotations

import numpy as np

from serving.ir.architecture import Architecture, Attention, Config, Layer, Linear, Mlp, Norm
from serving.ir.matrix import Matrix, Segment, whole
from serving.ir.rotary import rotary

_ROPE_BASE = 10_000.0


def describe(config: Config, family: str) -> Architecture:
    """Multi-query groups, half of a head turning in neighbouring pairs, fused QKV and SwiGLU."""
    hidden, inner = int(config["hidden_size"]), int(config["ffn_hidden_size"])
    heads, layers = int(config["num_attention_heads"]), int(config["num_layers"])
    head = int(config.get("kv_channels") or hidden // heads)
    grouped = bool(config.get("multi_query_attention"))
    kv_heads = int(config["multi_query_group_num"]) if grouped else heads
    vocabulary = int(config["padded_vocab_size"])
    _check_plain(config)
    every_bias = bool(config.get("add_bias_linear"))
    qkv_bias = every_bias or bool(config.get("add_qkv_bias"))
    # ChatGLM2-6B-32k divides positions by its ratio; ChatGLM3-6B-32k and GLM-4 stretch the base.
    ratio = float(config.get("rope_ratio", 1.0))
    divided = family == "chatglm2"
    turn = rotary(
        head,
        _ROPE_BASE if divided else _ROPE_BASE * ratio,
        head // 2,
        neighbours=True,
        scaling={"rope_type": "linear", "factor": ratio} if divided else None,
    )
    rows = (heads + 2 * kv_heads) * head
    offset = head * np.arange(heads + kv_heads, dtype=np.int64)[:, np.newaxis]
    order = np.concatenate(
        [(offset + turn.order).reshape(-1), np.arange((heads + kv_heads) * head, rows)]
    )

    def qkv(name: str, *columns: int) -> Matrix:
        return Matrix((Segment(name, (rows, *columns), order),))

    def linear(name: str, outputs: int, inputs: int) -> Linear:
        bias = whole(f"{name}.bias", outputs) if every_bias else None
        return Linear(whole(f"{name}.weight", outputs, inputs), bias)

    def layer(index: int) -> Layer:
        at = f"transformer.encoder.layers.{index}"
        attention = f"{at}.self_attention"
        return Layer(
            attention_norm=Norm(whole(f"{at}.input_layernorm.weight", hidden)),
            attention=Attention(
                Linear(
                    qkv(f"{attention}.query_key_value.weight", hidden),
                    qkv(f"{attention}.query_key_value.bias") if qkv_bias else None,
                ),
                linear(f"{attention}.dense", hidden, heads * head),
            ),
            mlp_norm=Norm(whole(f"{at}.post_attention_layernorm.weight", hidden)),
            mlp=Mlp(
                linear(f"{at}.mlp.dense_h_to_4h", 2 * inner, hidden),
                linear(f"{at}.mlp.dense_4h_to_h", hidden, inner),
            ),
        )

    return Architecture(
        family=family,
        vocabulary=vocabulary,
        hidden_size=hidden,
        layer_count=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_size=head,
        intermediate_size=inner,
        context_length=int(config.get("seq_length", 8192)),
        norm_epsilon=float(config.get("layernorm_epsilon", 1e-5)),
        rotary=turn,
        embedding=whole("transformer.embedding.word_embeddings.weight", vocabulary, hidden),
        final_norm=Norm(whole("transformer.encoder.final_layernorm.weight", hidden)),
        layer=layer,
        head=(
            None
            if config.get("tie_word_embeddings")
            else whole("transformer.output_layer.weight", vocabulary, hidden)
        ),
    )


def _check_plain(config: Config) -> None:
    """Refuse what the configuration switches on and the graph does not do."""
    if not config.get("rmsnorm", True):
        raise ValueError("rmsnorm false is not supported")
    if config.get("apply_residual_connection_post_layernorm"):
        raise ValueError("apply_residual_connection_post_layernorm is not supported")
    if not config.get("post_layer_norm", True):
        raise ValueError("post_layer_norm false is not supported")
    if config.get("pre_seq_len"):
        raise ValueError("a checkpoint with prefix tuning (pre_seq_len) is not supported")
