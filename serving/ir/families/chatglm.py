"""ChatGLM-6B: rotation on two axes, layer norms, scaled residuals, a prefix read both ways."""

from __future__ import annotations

import math

import numpy as np

from serving.ir.architecture import Architecture, Attention, Config, Layer, Linear, Mlp, Norm
from serving.ir.matrix import Matrix, Segment, whole
from serving.ir.rotary import rotary_two_axes


def describe(config: Config, family: str) -> Architecture:
    """The first ChatGLM, as its authors publish it."""
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    inner = int(config.get("inner_hidden_size") or 4 * hidden)
    layers, vocabulary = int(config["num_layers"]), int(config["vocab_size"])
    if not config.get("position_encoding_2d", True):
        raise ValueError("position_encoding_2d false is not supported")
    if config.get("pre_seq_len"):
        raise ValueError("a checkpoint with prefix tuning (pre_seq_len) is not supported")
    head = hidden // heads
    turn = rotary_two_axes(head)
    # Rows of the fused projection lie head by head: query, key, value of the first head, and so on.
    stored = np.arange(3 * hidden, dtype=np.int64).reshape(heads, 3, head).transpose(1, 0, 2)
    order = np.concatenate([stored[:2][:, :, turn.order].reshape(-1), stored[2].reshape(-1)])

    def norm(name: str) -> Norm:
        return Norm(whole(f"{name}.weight", hidden), whole(f"{name}.bias", hidden))

    def linear(name: str, outputs: int, inputs: int) -> Linear:
        return Linear(whole(f"{name}.weight", outputs, inputs), whole(f"{name}.bias", outputs))

    def qkv(name: str, *columns: int) -> Matrix:
        return Matrix((Segment(name, (3 * hidden, *columns), order),))

    def layer(index: int) -> Layer:
        at = f"transformer.layers.{index}"
        fused = f"{at}.attention.query_key_value"
        return Layer(
            attention_norm=norm(f"{at}.input_layernorm"),
            attention=Attention(
                Linear(qkv(f"{fused}.weight", hidden), qkv(f"{fused}.bias")),
                linear(f"{at}.attention.dense", hidden, hidden),
            ),
            mlp_norm=norm(f"{at}.post_attention_layernorm"),
            mlp=Mlp(
                linear(f"{at}.mlp.dense_h_to_4h", inner, hidden),
                linear(f"{at}.mlp.dense_4h_to_h", hidden, inner),
            ),
        )

    return Architecture(
        family=family,
        vocabulary=vocabulary,
        hidden_size=hidden,
        layer_count=layers,
        heads=heads,
        kv_heads=heads,
        head_size=head,
        intermediate_size=inner,
        context_length=int(config.get("max_sequence_length", 2048)),
        norm_epsilon=float(config.get("layernorm_epsilon", 1e-5)),
        rotary=turn,
        embedding=whole("transformer.word_embeddings.weight", vocabulary, hidden),
        final_norm=norm("transformer.final_layernorm"),
        layer=layer,
        head=whole("lm_head.weight", vocabulary, hidden),
        activation="gelu",
        gated=False,
        residual_scale=math.sqrt(2 * layers),
        prefix_token=int(config["bos_token_id"]),
        mask_tokens=tuple(
            int(config[name]) for name in ("mask_token_id", "gmask_token_id") if name in config
        ),
    )
