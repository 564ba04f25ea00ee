"""What a run of training needs to go on after a kill, in one file that is whole or absent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from assistant.whole_file import whole

FILE_NAME = "state.safetensors"


class StateInvalid(Exception):
    """The folder holds a state of another run, or a damaged one; the message says what to do."""


class RunState:
    """Weights, the optimiser's moments and plain facts (JSON) of one run, in its folder."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """``settings`` tell one run from another: a state goes on under the same ones only."""
        self._path = folder / FILE_NAME
        self._settings = json.dumps(settings, sort_keys=True, ensure_ascii=False)
        folder.mkdir(parents=True, exist_ok=True)

    def save(
        self,
        weights: Mapping[str, Mapping[str, Any]],
        model: Any,
        optimizer: Any,
        facts: Mapping[str, Any],
    ) -> None:
        """Write ``weights`` (groups of tensors by name), the optimiser's state and ``facts``."""
        tensors = {
            f"{group}/{name}": value.detach().contiguous()
            for group, named in weights.items()
            for name, value in named.items()
        }
        for name, parameter in model.named_parameters():
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer/{key}/{name}"] = value.detach().contiguous()
        metadata = {"settings": self._settings, "facts": json.dumps(facts, ensure_ascii=False)}
        write_atomically(self._path, tensors, metadata)

    def restore(self, model: Any, optimizer: Any) -> tuple[dict[str, dict[str, Any]], Any] | None:
        """Groups of tensors and the facts of the state; None where there is none.

        The optimiser takes its part over.

        Raises:
            StateInvalid: the state is damaged or of a run with other settings.
        """
        if not self._path.is_file():
            return None
        try:
            with safe_open(self._path, "pt") as stored:
                metadata = stored.metadata() or {}
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            facts = json.loads(metadata["facts"])
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise StateInvalid(f"{self._path} is damaged; delete it to begin again.") from error
        if metadata.get("settings") != self._settings:
            raise StateInvalid(
                f"{self._path} is of a run with other settings. Delete it to begin again, or name "
                "another folder."
            )
        parameters = dict(model.named_parameters())
        groups: dict[str, dict[str, Any]] = {}
        for full, value in tensors.items():
            group, _, name = full.partition("/")
            if group == "optimizer":
                key, _, parameter = name.partition("/")
                optimizer.state[parameters[parameter]][key] = value
            else:
                groups.setdefault(group, {})[name] = value
        return groups, facts

    def remove(self) -> None:
        """The run is over."""
        self._path.unlink(missing_ok=True)


def write_atomically(
    path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """A safetensors file that appears whole, or not at all."""
    kept = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with whole(path) as partial:
        save_file(kept, str(partial), dict(metadata or {}) or None)


def seed(number: int) -> None:
    """Begin every chance that PyTorch takes at ``number``."""
    torch.manual_seed(number)
