"""What an IR says of the model in it: provenance, geometry, how its weights are stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import openvino

from serving.ir.footprint import CacheShape

PROVENANCE = "bedside"


class IrUnreadable(Exception):
    """An IR is damaged; the message names the file."""


@dataclass(frozen=True, slots=True)
class IrFacts:
    """``tensor_types``: numbers kept in constants, by type; ``parameters``: weights of projections,
    embedding and head."""

    provenance: dict[str, str]
    parameters: int
    geometry: dict[str, int]
    tensor_types: dict[str, int]
    cache: CacheShape


def read(path: Path) -> IrFacts:
    """Facts of the IR at ``path`` (its ``.xml``).  Weights are mapped, not read.

    Raises:
        IrUnreadable: it is damaged, or its ``.bin`` is missing or cut short.
    """
    try:
        model = openvino.Core().read_model(path)
    except RuntimeError as error:
        raise IrUnreadable(
            f"{path} or its .bin is missing, damaged or cut short; convert the model again."
        ) from error
    types: Counter[str] = Counter()
    weights: dict[str, tuple[int, ...]] = {}
    for node in model.get_ops():
        kind = node.get_type_name()
        if kind == "Constant":
            types[node.get_element_type().get_type_name()] += prod(node.get_output_shape(0))
        elif kind in ("MatMul", "Gather"):
            # An embedding is looked up by Gather, everything else is multiplied.
            source = node.input_value(1 if kind == "MatMul" else 0)
            shape = source.get_partial_shape()
            # The experts of a layer are one, with their number first.
            if shape.is_static and len(shape) in (2, 3) and 1 not in shape.to_shape():
                name = source.get_node().get_friendly_name()
                weights[name] = tuple(source.get_shape())
    return IrFacts(
        provenance=_provenance(model),
        parameters=sum(prod(shape) for shape in weights.values()),
        geometry=_geometry(model),
        tensor_types=dict(types.most_common()),
        cache=_cache(model),
    )


def _provenance(model: Any) -> dict[str, str]:
    if not model.has_rt_info([PROVENANCE]):
        return {}
    return {str(key): str(value) for key, value in model.get_rt_info([PROVENANCE]).value.items()}


def _cache(model: Any) -> CacheShape:
    shapes = [variable.get_info().data_shape for variable in model.get_variables()]
    four = [shape for shape in shapes if shape.rank.is_static and len(shape) == 4]
    # Keys and values grow along one axis; what is as large whatever comes is a state.
    known = [s for s in four if s[1].is_static and s[3].is_static and s[2].is_dynamic]
    fixed = [s for s in shapes if s.rank.is_static and all(size.is_static for size in list(s)[1:])]
    state = sum(prod(size.get_length() for size in list(s)[1:]) for s in fixed if len(s) > 2)
    if not known:
        return CacheShape(0, 0, 0, state)
    return CacheShape(len(known) // 2, known[0][1].get_length(), known[0][3].get_length(), state)


def _geometry(model: Any) -> dict[str, int]:
    cache = _cache(model)
    found = {"layers": cache.layers, "kv_heads": cache.kv_heads, "head_size": cache.head_size}
    last = model.output(0).get_partial_shape()[-1]
    if last.is_static:
        found["vocabulary"] = last.get_length()
    return found
