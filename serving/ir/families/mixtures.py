"""Mixtures of experts: Qwen3-MoE, and GLM-4.5 (Air too), as Transformers lays them out.

Experts come one tensor each, or all of a layer in one tensor that is counted by expert first.
"""

from __future__ import annotations

from serving.ir.architecture import Architecture, Config, Linear, Mixture, Mlp
from serving.ir.families.llama import laid_out, turned_heads
from serving.ir.matrix import Matrix, stack, whole


def describe_qwen3(config: Config, family: str) -> Architecture:
    """``qwen3_moe``: a softmax over all experts; layers without experts may be named."""
    hidden, width = int(config["hidden_size"]), int(config["moe_intermediate_size"])
    experts = int(config.get("num_experts") or config["num_local_experts"])
    chosen, step = int(config["num_experts_per_tok"]), int(config.get("decoder_sparse_step", 1))
    plain = frozenset(config.get("mlp_only_layers") or ())
    _check(experts, chosen, width)

    def mixture(index: int, place: str) -> Mixture | None:
        if index in plain or (index + 1) % step:
            return None
        return Mixture(
            experts=experts,
            chosen=chosen,
            router=whole(f"{place}.gate.weight", experts, hidden),
            gate=_experts(place, "gate_proj", experts, width, hidden),
            up=_experts(place, "up_proj", experts, width, hidden),
            down=_experts(place, "down_proj", experts, hidden, width),
            normalised=bool(config.get("norm_topk_prob", False)),
        )

    # Where every layer has experts, the width of the others may be left out.
    return laid_out(
        {"intermediate_size": width, **config},
        family=family,
        qkv_bias=bool(config.get("attention_bias")),
        output_bias=bool(config.get("attention_bias")),
        head_norms=True,
        turn=turned_heads(config, part=1.0, neighbours=False),
        mixture=mixture,
    )


def describe_glm4(config: Config, family: str) -> Architecture:
    """``glm4_moe``: a sigmoid with a correction for the choice, and experts that all tokens have.

    The first layers are dense.
    """
    hidden, width = int(config["hidden_size"]), int(config["moe_intermediate_size"])
    experts, chosen = int(config["n_routed_experts"]), int(config["num_experts_per_tok"])
    first = int(config.get("first_k_dense_replace", 1))
    shared = width * int(config.get("n_shared_experts", 1))
    groups = int(config.get("n_group", 1))
    _check(experts, chosen, width)
    if groups != 1:
        raise ValueError(f"n_group {groups} is not supported (1 is)")

    def mixture(index: int, place: str) -> Mixture | None:
        if index < first:
            return None
        return Mixture(
            experts=experts,
            chosen=chosen,
            router=whole(f"{place}.gate.weight", experts, hidden),
            gate=_experts(place, "gate_proj", experts, width, hidden),
            up=_experts(place, "up_proj", experts, width, hidden),
            down=_experts(place, "down_proj", experts, hidden, width),
            scoring="sigmoid",
            normalised=bool(config.get("norm_topk_prob", True)),
            factor=float(config.get("routed_scaling_factor", 1.0)),
            correction=whole(f"{place}.gate.e_score_correction_bias", experts),
            shared=_shared(f"{place}.shared_experts", shared, hidden) if shared else None,
        )

    return laid_out(
        config,
        family=family,
        qkv_bias=bool(config.get("attention_bias")),
        output_bias=False,
        head_norms=bool(config.get("use_qk_norm")),
        turn=turned_heads(config, part=0.5, neighbours=False),
        mixture=mixture,
    )


def _experts(place: str, kind: str, experts: int, rows: int, columns: int) -> Matrix:
    """One kind of projection of every expert, below one another."""
    names = (f"{place}.experts.{number}.{kind}.weight" for number in range(experts))
    return stack(*(whole(name, rows, columns) for name in names))


def _shared(place: str, width: int, hidden: int) -> Mlp:
    gate_up = stack(
        whole(f"{place}.gate_proj.weight", width, hidden),
        whole(f"{place}.up_proj.weight", width, hidden),
    )
    return Mlp(Linear(gate_up), Linear(whole(f"{place}.down_proj.weight", hidden, width)))


def _check(experts: int, chosen: int, width: int) -> None:
    if not 0 < chosen <= experts or width <= 0:
        raise ValueError(f"{chosen} of {experts} experts of width {width} cannot be chosen")
