"""The index of a checkpoint in several files: which tensor is in which."""

from __future__ import annotations

import json
from pathlib import Path

from serving.ir.checkpoint import CheckpointError


def promised(index: Path) -> dict[str, Path]:
    """Tensor → the file beside ``index`` (model.safetensors.index.json and its like) that it says
    the tensor is in.

    Raises:
        CheckpointError: the index is damaged.
    """
    try:
        named = json.loads(index.read_bytes())["weight_map"]
        return {str(name): index.parent / Path(str(file)).name for name, file in named.items()}
    except OSError as error:
        raise CheckpointError(f"{index} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{index} is damaged; fetch it again.") from error


def shards(index: Path) -> list[Path]:
    """The files that ``index`` names.

    Raises:
        CheckpointError: the index is damaged, or a file is missing.
    """
    files = sorted(set(promised(index).values()))
    for file in files:
        if not file.is_file():
            raise CheckpointError(f"{file} is missing; {index.name} names it. Fetch it again.")
    return files
