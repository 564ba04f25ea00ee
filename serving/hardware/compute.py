"""In what numbers a model computes, from what the weights are and what the processor has."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Literal

from serving.engine import EngineUnavailable

Compute = Literal["auto", "int4", "int8", "bf16", "f32"]
KvCache = Literal["auto", "u8", "bf16", "f16", "f32"]

_BF16 = frozenset({"amx_bf16", "avx512_bf16"})
# Activations of compressed projections are quantised to eight bits in groups of this many: larger
# groups cost fewer operations.  Where they are larger than the weights' own groups, the plugin
# gives eight bits up.
_GROUP = 128


def properties(
    compute: Compute, kv_cache: KvCache, weights: Mapping[str, str], flags: Set[str]
) -> dict[str, Any]:
    """OpenVINO's properties for a model with the manifest settings ``weights``.

    ``auto``: tiles of bfloat16 where the processor has AMX; else, for compressed weights, products
    of eight-bit integers with float32 between them (measured faster than AVX-512 BF16, see
    bench/RESULTS.md); else bfloat16 where there is any.

    Raises:
        EngineUnavailable: the processor or the model cannot do what was asked for.
    """
    stored = weights.get("weights", "")
    if compute == "bf16" and not flags & _BF16:
        raise EngineUnavailable(
            "precision bf16 needs a processor with AMX or AVX-512 BF16, and this one has neither; "
            "use precision auto."
        )
    if compute in ("int4", "int8") and stored and stored != compute:
        raise EngineUnavailable(
            f"precision {compute} was asked for, but this model's weights are {stored}; convert it "
            f"with `bedside model convert SOURCE --weights {compute}`, or use precision auto."
        )
    group = weights.get("narrowest_group") or weights.get("group", "")
    chosen = _chosen(compute, stored, int(group) if group.isdecimal() else _GROUP, flags)
    if kv_cache != "auto":
        chosen["KV_CACHE_PRECISION"] = kv_cache
    return chosen


def _chosen(compute: Compute, stored: str, group: int, flags: Set[str]) -> dict[str, Any]:
    compressed = stored in ("int4", "int8")
    if compute == "f32":
        return {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    if compute == "bf16" or (compute == "auto" and "amx_bf16" in flags):
        return {"INFERENCE_PRECISION_HINT": "bf16"}
    if compressed:
        return {
            "INFERENCE_PRECISION_HINT": "f32",
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": min(_GROUP, group),
        }
    return {"INFERENCE_PRECISION_HINT": "bf16" if flags & _BF16 else "f32"}
