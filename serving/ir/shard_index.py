"""The index of a checkpoint in several files: which tensor is in which."""

from __future__ import annotations

import json
from pathlib import Path

from serving.ir.checkpoint import CheckpointError


def shards(index: Path) -> list[Path]:
    """The files that ``index`` (model.safetensors.index.json and its like) names, beside it.

    Raises:
        CheckpointError: the index is damaged, or a file is missing.
    """
    try:
        named = set(json.loads(index.read_bytes())["weight_map"].values())
    except OSError as error:
        raise CheckpointError(f"{index} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{index} is damaged; fetch it again.") from error
    files = [index.parent / Path(str(name)).name for name in sorted(named)]
    for file in files:
        if not file.is_file():
            raise CheckpointError(f"{file} is missing; {index.name} names it. Fetch it again.")
    return files
