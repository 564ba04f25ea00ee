"""Qwen3.5 and 3.6: three layers of four are gated delta nets; the MLP is dense or a mixture.

A checkpoint that sees pictures too holds the decoder under ``model.language_model``, and says what
it is in ``text_config``; the rest of it (``model.visual``, ``mtp``) is not read.
"""

from __future__ import annotations

from serving.ir.architecture import (
    Architecture,
    Config,
    DeltaNet,
    Layer,
    Linear,
    Mixture,
    Norm,
)
from serving.ir.families.layout import Layout, check_plain, turned_heads
from serving.ir.families.mixtures import check_choice
from serving.ir.matrix import part, stack, whole

_LINEAR, _FULL = "linear_attention", "full_attention"


def describe(config: Config, family: str) -> Architecture:
    """``qwen3_5``, ``qwen3_5_moe`` and their texts alone."""
    text = config.get("text_config") or config
    root = "model.language_model" if "text_config" in config else "model"
    check_plain(text, _LINEAR)
    layout = Layout(text, turned_heads(text, 0.25), root=root, norm_offset=1.0)
    kinds = _kinds(text)
    mixed = bool(text.get("num_experts"))
    width = int(text["moe_intermediate_size"] if mixed else text["intermediate_size"])

    def layer(index: int) -> Layer:
        at = f"{root}.layers.{index}"
        return Layer(
            attention_norm=layout.norm(f"{at}.input_layernorm"),
            attention=(
                _delta_net(text, layout.hidden, f"{at}.linear_attn")
                if kinds[index] == _LINEAR
                else layout.attention(f"{at}.self_attn", head_norms=True, gated=True)
            ),
            mlp_norm=layout.norm(f"{at}.post_attention_layernorm"),
            mlp=_mixture(text, layout, f"{at}.mlp") if mixed else layout.mlp(f"{at}.mlp", width),
        )

    tied = bool(config.get("tie_word_embeddings") or text.get("tie_word_embeddings"))
    return layout.architecture(family, width, layer, tied=tied)


def _kinds(config: Config) -> list[str]:
    layers = int(config["num_hidden_layers"])
    if kinds := list(config.get("layer_types") or ()):
        if len(kinds) != layers:
            raise ValueError(f"layer_types names {len(kinds)} of {layers} layers")
        return kinds
    every = int(config.get("full_attention_interval", 4))
    return [_FULL if (index + 1) % every == 0 else _LINEAR for index in range(layers)]


def _delta_net(config: Config, hidden: int, place: str) -> DeltaNet:
    key_heads, value_heads = (int(config[f"linear_num_{kind}_heads"]) for kind in ("key", "value"))
    size, value_size = (int(config[f"linear_{kind}_head_dim"]) for kind in ("key", "value"))
    if size != value_size:
        raise ValueError(f"heads of {size} for keys and {value_size} for values are not supported")
    if key_heads <= 0 or value_heads % key_heads:
        raise ValueError(f"{key_heads} key heads cannot serve {value_heads} value heads")
    keys, values = key_heads * size, value_heads * size
    channels, kernel = 2 * keys + values, int(config["linear_conv_kernel_dim"])
    return DeltaNet(
        key_heads=key_heads,
        value_heads=value_heads,
        head_size=size,
        projections=Linear(
            stack(
                whole(f"{place}.in_proj_qkv.weight", channels, hidden),
                whole(f"{place}.in_proj_z.weight", values, hidden),
            )
        ),
        gates=stack(
            whole(f"{place}.in_proj_b.weight", value_heads, hidden),
            whole(f"{place}.in_proj_a.weight", value_heads, hidden),
        ),
        convolution=whole(f"{place}.conv1d.weight", channels, 1, kernel),
        decay=whole(f"{place}.A_log", value_heads),
        step=whole(f"{place}.dt_bias", value_heads),
        norm=Norm(whole(f"{place}.norm.weight", size)),
        output=Linear(whole(f"{place}.out_proj.weight", hidden, values)),
    )


def _mixture(config: Config, layout: Layout, place: str) -> Mixture:
    """Experts of a layer in one tensor each way: gate rows, then up rows, of every expert."""
    experts, chosen = int(config["num_experts"]), int(config["num_experts_per_tok"])
    width, hidden = int(config["moe_intermediate_size"]), layout.hidden
    shared = int(config["shared_expert_intermediate_size"])
    check_choice(experts, chosen, width)
    both = f"{place}.experts.gate_up_proj", (experts, 2 * width, hidden)
    return Mixture(
        experts=experts,
        chosen=chosen,
        router=whole(f"{place}.gate.weight", experts, hidden),
        gate=part(*both, 0, width),
        up=part(*both, width, width),
        down=part(f"{place}.experts.down_proj", (experts, hidden, width), 0, hidden),
        shared=layout.mlp(f"{place}.shared_expert", shared),
        shared_gate=whole(f"{place}.shared_expert_gate.weight", 1, hidden),
    )
