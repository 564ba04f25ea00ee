"""What an adapter can be of: the projections of a model, by the names that its checkpoint gives.

A converted model keeps its configuration in a file of its own, so that an adapter can be brought to
the graph's own matrices long after the checkpoint is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.ir.architecture import Architecture, ArchitectureUnknown
from serving.ir.description import describe
from serving.ir.matrix import Matrix

FILE_NAME = "architecture.json"


def write(folder: Path, config: Mapping[str, Any], family: str) -> None:
    """Keep the configuration beside a converted model."""
    told = {"family": family, "config": dict(config)}
    text = json.dumps(told, ensure_ascii=False, indent=1, default=str)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> Architecture | None:
    """The architecture of a converted model; None where it was converted before this was kept, or
    by another tool."""
    try:
        told = json.loads((folder / FILE_NAME).read_bytes())
        return describe(told["config"], told["family"])
    except (OSError, ValueError, KeyError, TypeError, ArchitectureUnknown):
        return None


def product_name(matrix: Matrix) -> str:
    """What the graph calls the product of a projection: its first tensor, and the first row of it.

    No such name is part of another one, as OpenVINO GenAI looks for parts of names.
    """
    first = matrix.segments[0]
    row = 0 if first.order is None else int(first.order[0])
    return f"{first.name}/{row}/product"


def base_digest(architecture: Architecture) -> str:
    """SHA-256 over what an adapter must fit: sizes, and the shape of every projection by name.

    Numbers with a fraction are left out: file formats round them in different ways.
    """
    sizes = {
        name: getattr(architecture, name)
        for name in ("vocabulary", "hidden_size", "layer_count", "heads", "kv_heads", "head_size")
    }
    shapes = {
        part.name: list(part.shape)
        for matrix in architecture.projections
        for part in matrix.segments
    }
    told = json.dumps([sizes, sorted(shapes.items())], separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()
