"""A checkpoint with a LoRA adapter in its weights, as PEFT keeps one; merged as rows are read.

An adapter is a folder with ``adapter_config.json`` and ``adapter_model.safetensors``.  A projection
W becomes W + s B A, with s = alpha / r (or alpha / sqrt(r)); with DoRA, each of its rows is brought
to a length that was learned too.  Whole tensors that were trained beside it replace the base's.

Sources: Hu et al., LoRA (2021); Kalajdzievski, rsLoRA (2023); Liu et al., DoRA (2024), eq. 5.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.ir.checkpoint import Checkpoint, CheckpointError
from serving.ir.matrix import Codes, Floats, Order, Stored
from serving.ir.safetensors_checkpoint import read_tensors
from serving.models.manifest import sha256_of

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
ROOT = "base_model.model."
_PART = re.compile(
    r"(?P<module>.+)\.lora_(?P<part>A|B|embedding_A|embedding_B|magnitude_vector)(\.weight)?$"
)


@dataclass(frozen=True, slots=True)
class Change:
    """``down`` [r, columns], ``up`` [rows, r] (the scale is in it); ``length`` [rows] of DoRA."""

    down: Floats
    up: Floats
    length: Floats | None = None

    def of(self, base: Floats, rows: slice | Order | None) -> Floats:
        """The rows with what was learned."""
        chosen = slice(None) if rows is None else rows
        changed = base + self.up[chosen] @ self.down
        if self.length is None:
            return changed
        now = np.linalg.norm(changed, axis=1)
        return np.asarray(changed * (self.length[chosen] / now)[:, np.newaxis], np.float32)


@dataclass(frozen=True, slots=True)
class Learned:
    """What an adapter changes, by tensor of the base; ``whole`` tensors take the base's place."""

    changes: Mapping[str, Change]
    whole: Mapping[str, Floats]


def read_adapter(folder: Path) -> Learned:
    """A folder of PEFT's, which is small.

    Raises:
        CheckpointError: it is none of ours, or damaged.
    """
    settings = _settings(folder)
    tensors = _named(folder / WEIGHTS_FILE)
    whole = {name: array for name, array in tensors.items() if not _PART.match(name)}
    return Learned(_changes(folder, settings, tensors), whole)


class AdaptedCheckpoint(Checkpoint):
    """A base and what was learned over it."""

    def __init__(self, base: Checkpoint, folder: Path) -> None:
        """Read the adapter, which is small, and check that it is one of ``base``.

        Raises:
            CheckpointError: it is none of ours, damaged, or of another base.
        """
        self._base = base
        self._folder = folder
        self.path, self.config, self.metadata = base.path, base.config, base.metadata
        learned = read_adapter(folder)
        self._changes, self._whole = learned.changes, learned.whole
        for name, change in self._changes.items():
            self._fits(name, (len(change.up), change.down.shape[1]))
        for name, array in self._whole.items():
            self._fits(name, array.shape)

    def names(self) -> list[str]:
        """See `Checkpoint.names`."""
        return self._base.names()

    def shape(self, name: str) -> tuple[int, ...]:
        """See `Checkpoint.shape`."""
        return self._base.shape(name)

    def file(self, name: str) -> Path:
        """See `Checkpoint.file`."""
        return self._folder / WEIGHTS_FILE if name in self._whole else self._base.file(name)

    def kind(self, name: str) -> str:
        """See `Checkpoint.kind`."""
        return self._base.kind(name)

    @property
    def bytes(self) -> int:
        """See `Checkpoint.bytes`."""
        return self._base.bytes

    def digests(self) -> dict[str, str]:
        """See `Checkpoint.digests`; the adapter's files too."""
        own = (self._folder / name for name in (CONFIG_FILE, WEIGHTS_FILE))
        return self._base.digests() | {file.name: sha256_of(file) for file in own}

    def stored(self, name: str, rows: slice | Order | None = None) -> Stored:
        """See `Checkpoint.stored`."""
        if name in self._whole:
            whole = self._whole[name]
            return whole if rows is None else whole[rows]
        if name not in self._changes:
            return self._base.stored(name, rows)
        return self._changes[name].of(self._base.read(name, rows), rows)

    def codes(self, name: str) -> Codes | None:
        """See `Checkpoint.codes`; what was changed is no code any more."""
        changed = name in self._changes or name in self._whole
        return None if changed else self._base.codes(name)

    def refuse_codes(self, name: str) -> None:
        """See `Checkpoint.refuse_codes`."""
        self._base.refuse_codes(name)

    def _fits(self, name: str, shape: tuple[int, ...]) -> None:
        try:
            found = self._base.shape(name)
        except CheckpointError as error:
            raise CheckpointError(
                f"{self._folder} changes the tensor {name}, which {self._base.path} does not have; "
                "it was trained on another model."
            ) from error
        if found != shape:
            raise CheckpointError(
                f"{self._folder} changes the tensor {name} of the shape {list(shape)}, which is "
                f"{list(found)} in {self._base.path}; it was trained on another model."
            )


def _settings(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG_FILE
    try:
        settings = json.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CheckpointError(f"{path} is not valid JSON.") from error
    if not isinstance(settings, dict):
        raise CheckpointError(f"{path} is not a JSON object.")
    kind = settings.get("peft_type")
    if kind != "LORA":
        raise CheckpointError(f"{path}: peft_type {kind!r} is not supported (LORA is).")
    for option in ("fan_in_fan_out", "target_parameters", "megatron_config", "lora_bias"):
        if settings.get(option):
            raise CheckpointError(f"{path}: {option} is not supported; merge it with PEFT.")
    return settings


def _named(path: Path) -> dict[str, Floats]:
    """The adapter's tensors, by the names that the base has for them."""
    found = {}
    for name, array in read_tensors(path).items():
        if not name.startswith(ROOT):
            raise CheckpointError(f"{path}: the tensor {name} is none of PEFT's.")
        if not np.isfinite(array).all():
            raise CheckpointError(
                f"{path}: the tensor {name} has a weight that is infinite or no number."
            )
        found[name.removeprefix(ROOT)] = array
    if not any(_PART.match(name) for name in found):
        raise CheckpointError(f"{path} holds no LoRA weights.")
    return found


def _changes(
    folder: Path, settings: Mapping[str, Any], tensors: Mapping[str, Floats]
) -> dict[str, Change]:
    parts: dict[str, dict[str, Floats]] = {}
    for name, array in tensors.items():
        if match := _PART.match(name):
            parts.setdefault(match["module"], {})[match["part"]] = array
    changes = {}
    for module, of in parts.items():
        # Of an embedding, what is learned is kept the other way round.
        if "embedding_A" in of and "embedding_B" in of:
            down, up = of["embedding_B"].T, of["embedding_A"].T
        elif "A" in of and "B" in of:
            down, up = of["A"], of["B"]
        else:
            raise CheckpointError(f"{folder}: of the module {module} one half is missing.")
        if down.ndim != 2 or up.ndim != 2 or down.shape[0] != up.shape[1]:
            raise CheckpointError(f"{folder}: the halves of the module {module} do not fit.")
        rank = down.shape[0]
        scale = _alpha(settings, module) / (math.sqrt(rank) if settings.get("use_rslora") else rank)
        length = of.get("magnitude_vector")
        if bool(settings.get("use_dora")) != (length is not None):
            raise CheckpointError(f"{folder}: use_dora and the module {module} disagree.")
        flat = None if length is None else length.reshape(-1)
        changes[f"{module}.weight"] = Change(down, np.float32(scale) * up, flat)
    return changes


def _alpha(settings: Mapping[str, Any], module: str) -> float:
    """As PEFT looks it up: a pattern names the end of a module, or is a regular expression."""
    for pattern, alpha in (settings.get("alpha_pattern") or {}).items():
        if module == pattern or module.endswith(f".{pattern}"):
            return float(alpha)
    return float(settings.get("lora_alpha", 8))
