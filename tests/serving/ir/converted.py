"""A tiny checkpoint as a compiled graph, in full precision unless said otherwise."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import openvino

from serving.ir.architecture import Architecture
from serving.ir.convert import load, write_model
from serving.ir.formats import Precision

EXACT = {
    "INFERENCE_PRECISION_HINT": "f32",
    "KV_CACHE_PRECISION": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
}


class Running:
    """One compiled model and its keys and values."""

    def __init__(self, model: Path, architecture: Architecture, properties: dict[str, Any]) -> None:
        self.architecture = architecture
        self.compiled = openvino.Core().compile_model(model, "CPU", properties)
        self._request = self.compiled.create_infer_request()
        self._mask = np.zeros((0, 0), np.int64)

    def reset(self) -> None:
        """Forget everything."""
        self._request.reset_state()
        self._mask = np.zeros((0, 0), np.int64)

    def step(
        self, ids: Any, *, mask: Any = None, positions: Any = None, beams: Any = None
    ) -> np.ndarray[Any, Any]:
        """Logits [batch, length, vocabulary] of the next tokens ``ids`` [batch, length]."""
        tokens = np.asarray(ids, np.int64)
        new = np.ones_like(tokens) if mask is None else np.asarray(mask, np.int64)
        order = np.arange(len(tokens)) if beams is None else np.asarray(beams)
        kept = self._mask[order] if self._mask.size else np.zeros((len(tokens), 0), np.int64)
        self._mask = np.concatenate([kept, new], axis=1)
        places = np.maximum(self._mask.cumsum(axis=1) - 1, 0)[:, -tokens.shape[1] :]
        given = {
            "input_ids": tokens,
            "attention_mask": self._mask,
            "position_ids": places if positions is None else np.asarray(positions),
            "beam_idx": order.astype(np.int32),
        }
        return np.array(self._request.infer(given)["logits"])

    def greedy(self, prompt: Any, steps: int) -> list[int]:
        """The ``steps`` likeliest tokens after ``prompt``."""
        self.reset()
        row, found = self.step([prompt])[0, -1], []
        for _ in range(steps):
            found.append(int(row.argmax()))
            row = self.step([[found[-1]]])[0, -1]
        return found

    def kinds(self) -> Counter[str]:
        """How many nodes of each type the plugin runs."""
        return Counter(kind(node) for node in self.compiled.get_runtime_model().get_ops())


def kind(node: Any) -> str:
    """The type of a node of a runtime graph."""
    return str(node.get_rt_info()["layerType"].astype(str))


def write(
    source: Path, folder: Path, precision: Precision | None = None
) -> tuple[Path, Architecture]:
    """The IR of a checkpoint folder, without a tokenizer."""
    checkpoint, architecture = load(source)
    chosen = precision or Precision("fp32")
    write_model(checkpoint, architecture, chosen, folder, lambda done, total, what: None, dict)
    return folder / "openvino_model.xml", architecture


def compiled(
    source: Path,
    folder: Path,
    precision: Precision | None = None,
    properties: dict[str, Any] | None = None,
) -> Running:
    """The compiled model of a checkpoint folder."""
    path, architecture = write(source, folder, precision)
    return Running(path, architecture, EXACT if properties is None else properties)
