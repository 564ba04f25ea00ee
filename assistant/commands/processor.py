"""What ``bedside doctor`` says of the processor: what inference uses of it, and how to use it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from serving.hardware import compute
from serving.hardware.topology import Topology

# Instruction sets, and what has to be computed in for them to be used.
USES = {
    "avx512_vnni": "int8",
    "amx_int8": "int8",
    "avx512_bf16": "bf16",
    "amx_bf16": "bf16",
    "avx512_fp16": "f16",
}
_KINDS = ("FP32", "FP16", "BF16", "INT8")
_ISA_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.  ``advice``: what is wrong and what to do, empty when all is well;
    ``note``: what could be better."""

    name: str
    value: str
    advice: str = ""
    note: str = ""


def plugin_facts() -> dict[str, str]:
    """What OpenVINO's CPU plugin says of this processor and of what it does by default."""
    import openvino

    core = openvino.Core()
    names = ("OPTIMIZATION_CAPABILITIES", "INFERENCE_PRECISION_HINT", "KV_CACHE_PRECISION")
    values: dict[str, Any] = {name: core.get_property("CPU", name) for name in names}
    return {
        name: " ".join(value) if isinstance(value, list) else value.get_type_name()
        for name, value in values.items()
    }


def inference(
    flags: Set[str], plugin: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> list[Check]:
    """In what numbers models compute here, and which instruction sets that leaves unused."""
    used: set[str] = set()
    words = []
    for stored in ("int4", "bf16"):
        chosen = compute.properties("auto", "auto", {"weights": stored}, flags)
        hint = str(chosen["INFERENCE_PRECISION_HINT"])
        eight = chosen.get("DYNAMIC_QUANTIZATION_GROUP_SIZE", 0) and stored == "int4"
        used |= {hint, "int8"} if eight else {hint}
        names = {"int4": "int4, int8", "bf16": "fp16, bf16"}[stored]
        words.append(f"{names} weights: {hint}{' with int8 products' if eight else ''}")
    default = plugin["INFERENCE_PRECISION_HINT"]
    words.append(f"KV cache {plugin['KV_CACHE_PRECISION']}")
    able = [kind for kind in plugin["OPTIMIZATION_CAPABILITIES"].split() if kind in _KINDS]
    words.append(f"OpenVINO has {' '.join(able)} here, by default {default}")
    unused = [flag for flag, kind in USES.items() if flag in flags and kind not in used]
    limits = [f"{name}={environment[name]}" for name in _ISA_LIMITS if environment.get(name)]
    return [
        Check("inference", "; ".join(words)),
        Check(
            "unused",
            " ".join(unused) or "none",
            f"环境变量限制了指令集 {' '.join(limits)} limits the instruction sets; unset it."
            if limits
            else "",
            note=_why_unused(unused),
        ),
    ]


def layout(topology: Topology) -> Check:
    """Sockets, memory nodes, cores; with several sockets, how they are shared out."""
    count = len(topology.sockets)
    value = (
        f"{count} socket{'s' if count > 1 else ''}, {topology.nodes} NUMA "
        f"node{'s' if topology.nodes > 1 else ''}, {topology.cores} cores, "
        f"{topology.allowed} processors for this process"
    )
    if count == 1:
        return Check("sockets", value)
    replicas = "; ".join(
        f"numactl --cpunodebind={nodes} --membind={nodes} bedside serve --port {8000 + number}"
        for number, nodes in enumerate(",".join(map(str, found)) for found in topology.sockets)
    )
    return Check(
        "sockets",
        value,
        note='各模型依次各占一个插槽（cores = "auto"）。Engines take a socket each, in turn. '
        "同一模型要用满各插槽：每插槽一个副本，前面放负载均衡，共用一个 database_url。"
        "One model on all sockets: a replica on each, behind a load balancer, with one "
        f"database_url: {replicas}",
    )


def _why_unused(unused: list[str]) -> str:
    if not unused:
        return ""
    kinds = {USES[flag] for flag in unused}
    reasons = {
        "bf16": 'precision = "bf16" 可启用 turns it on for an engine',
        "int8": "AMX BF16 更快 AMX's BF16 was chosen instead",
        "f16": "f16 没有采用 f16 is not used: bf16 or int8 stand in its place",
    }
    return "; ".join(reasons[kind] for kind in sorted(kinds))
