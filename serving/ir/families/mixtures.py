"""Mixtures of experts: Qwen3-MoE, and GLM-4.5 (Air too), as Transformers lays them out."""

from __future__ import annotations

from serving.ir.architecture import Architecture, Config, Layer, Mixture
from serving.ir.families.layout import Layout, check_plain, turned_heads
from serving.ir.matrix import Matrix, stack, whole


def describe_qwen3(config: Config, family: str) -> Architecture:
    """``qwen3_moe``: a softmax over all experts; layers without experts may be named."""
    check_plain(config)
    layout = Layout(config, turned_heads(config))
    width = int(config["moe_intermediate_size"])
    # Where every layer has experts, the width of the others may be left out.
    dense, bias = int(config.get("intermediate_size", width)), bool(config.get("attention_bias"))
    experts = int(config.get("num_experts") or config["num_local_experts"])
    chosen, step = int(config["num_experts_per_tok"]), int(config.get("decoder_sparse_step", 1))
    plain = frozenset(config.get("mlp_only_layers") or ())
    check_choice(experts, chosen, width)
    every = together if config.get("experts_together") else stacked

    def mixture(place: str) -> Mixture:
        return Mixture(
            experts=experts,
            chosen=chosen,
            router=whole(f"{place}.gate.weight", experts, layout.hidden),
            gate=every(place, "gate_proj", experts, width, layout.hidden),
            up=every(place, "up_proj", experts, width, layout.hidden),
            down=every(place, "down_proj", experts, layout.hidden, width),
            normalised=bool(config.get("norm_topk_prob", False)),
        )

    def layer(index: int) -> Layer:
        at = f"{layout.root}.layers.{index}"
        alone = index in plain or (index + 1) % step
        return Layer(
            attention_norm=layout.norm(f"{at}.input_layernorm"),
            attention=layout.attention(
                f"{at}.self_attn", qkv_bias=bias, output_bias=bias, head_norms=True
            ),
            mlp_norm=layout.norm(f"{at}.post_attention_layernorm"),
            mlp=layout.mlp(f"{at}.mlp", dense) if alone else mixture(f"{at}.mlp"),
        )

    return layout.architecture(family, dense, layer)


def describe_glm4(config: Config, family: str) -> Architecture:
    """``glm4_moe``: a sigmoid with a correction for the choice, and experts that all tokens have.

    The first layers are dense.
    """
    check_plain(config)
    layout = Layout(config, turned_heads(config, 0.5))
    dense, first = int(config["intermediate_size"]), int(config.get("first_k_dense_replace", 1))
    check_corrected(config)

    def layer(index: int) -> Layer:
        at = f"{layout.root}.layers.{index}"
        return Layer(
            attention_norm=layout.norm(f"{at}.input_layernorm"),
            attention=layout.attention(
                f"{at}.self_attn",
                qkv_bias=bool(config.get("attention_bias")),
                head_norms=bool(config.get("use_qk_norm")),
            ),
            mlp_norm=layout.norm(f"{at}.post_attention_layernorm"),
            mlp=(
                layout.mlp(f"{at}.mlp", dense)
                if index < first
                else corrected(config, layout, f"{at}.mlp")
            ),
        )

    return layout.architecture(family, dense, layer)


def check_corrected(config: Config) -> None:
    """Raise `ValueError` unless `corrected` does what the configuration says."""
    width, groups = int(config["moe_intermediate_size"]), int(config.get("n_group", 1))
    check_choice(int(config["n_routed_experts"]), int(config["num_experts_per_tok"]), width)
    if groups != 1:
        raise ValueError(f"n_group {groups} is not supported (1 is)")


def corrected(config: Config, layout: Layout, place: str) -> Mixture:
    """Experts scored by a sigmoid, with a correction for the choice, and one that all tokens
    have."""
    width, hidden = int(config["moe_intermediate_size"]), layout.hidden
    experts, shared = int(config["n_routed_experts"]), int(config.get("n_shared_experts", 1))
    return Mixture(
        experts=experts,
        chosen=int(config["num_experts_per_tok"]),
        router=whole(f"{place}.gate.weight", experts, hidden),
        gate=stacked(place, "gate_proj", experts, width, hidden),
        up=stacked(place, "up_proj", experts, width, hidden),
        down=stacked(place, "down_proj", experts, hidden, width),
        scoring="sigmoid",
        normalised=bool(config.get("norm_topk_prob", True)),
        factor=float(config.get("routed_scaling_factor", 1.0)),
        correction=whole(f"{place}.gate.e_score_correction_bias", experts),
        shared=layout.mlp(f"{place}.shared_experts", shared * width) if shared else None,
    )


def stacked(place: str, kind: str, experts: int, rows: int, columns: int) -> Matrix:
    """One kind of projection of every expert, below one another; each is a tensor of its own."""
    names = (f"{place}.experts.{number}.{kind}.weight" for number in range(experts))
    return stack(*(whole(name, rows, columns) for name in names))


def together(place: str, kind: str, experts: int, rows: int, columns: int) -> Matrix:
    """The same, where one tensor holds all experts (GGUF)."""
    return whole(f"{place}.experts.{kind}.weight", experts, rows, columns)


def check_choice(experts: int, chosen: int, width: int) -> None:
    """Raise `ValueError` unless so many experts of such a width can be chosen."""
    if not 0 < chosen <= experts or width <= 0:
        raise ValueError(f"{chosen} of {experts} experts of width {width} cannot be chosen")
