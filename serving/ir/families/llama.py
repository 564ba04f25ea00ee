"""Llama and its kin (BenTsao, Zhongjing, Qwen2, Qwen3), and GLM-4 in Hugging Face's own layout."""

from __future__ import annotations

from serving.ir.architecture import Architecture, Config, Layer
from serving.ir.families.layout import Layout, check_plain, turned_heads


def describe(config: Config, family: str) -> Architecture:
    """Llama, Qwen2 and Qwen3 as Transformers lays them out."""
    check_plain(config)
    layout = Layout(config, turned_heads(config, neighbours=bool(config.get("rope_neighbours"))))
    width, bias = int(config["intermediate_size"]), bool(config.get("attention_bias"))

    def layer(index: int) -> Layer:
        at = f"{layout.root}.layers.{index}"
        return Layer(
            attention_norm=layout.norm(f"{at}.input_layernorm"),
            attention=layout.attention(
                f"{at}.self_attn",
                qkv_bias=bias or family == "qwen2",
                output_bias=bias and family != "qwen2",
                head_norms=family == "qwen3",
            ),
            mlp_norm=layout.norm(f"{at}.post_attention_layernorm"),
            mlp=layout.mlp(f"{at}.mlp", width),
        )

    return layout.architecture(family, width, layer)


def describe_glm(config: Config, family: str) -> Architecture:
    """``glm`` and ``glm4``: gate and up in one tensor, half of a head turns, neighbours paired.

    ``glm4`` has a norm after attention and after the MLP as well.
    """
    check_plain(config)
    layout = Layout(config, turned_heads(config, 0.5, neighbours=True))
    width, sandwich = int(config["intermediate_size"]), family == "glm4"

    def layer(index: int) -> Layer:
        at = f"{layout.root}.layers.{index}"
        return Layer(
            attention_norm=layout.norm(f"{at}.input_layernorm"),
            attention=layout.attention(
                f"{at}.self_attn", qkv_bias=bool(config.get("attention_bias"))
            ),
            # `glm4` calls what stands before the MLP by the same name as the others do.
            mlp_norm=layout.norm(f"{at}.post_attention_layernorm"),
            mlp=layout.mlp(f"{at}.mlp", width, fused=True),
            post_attention_norm=(
                layout.norm(f"{at}.post_self_attn_layernorm") if sandwich else None
            ),
            post_mlp_norm=layout.norm(f"{at}.post_mlp_layernorm") if sandwich else None,
        )

    return layout.architecture(family, width, layer)
