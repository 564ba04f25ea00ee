"""Logits of a checkpoint folder by numpy in float64: what the converted model is measured against.

It shares no code with the converter. Every call computes whole sequences: no cache, no batch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from reference_chatglm import chatglm_logits
from reference_glm import glm_logits, published_glm_logits
from reference_hybrid import hybrid_logits
from reference_latent import latent_logits
from reference_layers import Array
from reference_llama import llama_logits
from reference_weights import read_weights

_BY_MODEL_TYPE = {
    "llama": llama_logits,
    "qwen2": llama_logits,
    "qwen3": llama_logits,
    "qwen3_moe": llama_logits,
    "glm4_moe": llama_logits,
    "glm4_moe_lite": latent_logits,
    "qwen3_5": hybrid_logits,
    "qwen3_5_text": hybrid_logits,
    "qwen3_5_moe": hybrid_logits,
    "qwen3_5_moe_text": hybrid_logits,
    "glm": glm_logits,
    "glm4": glm_logits,
}


class Reference:
    """A checkpoint in memory.

    Raises:
        ValueError: ``model_type`` is none that the reference knows.
    """

    def __init__(self, folder: Path) -> None:
        self.config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        self.weights = read_weights(folder)
        model_type = self.config["model_type"]
        if model_type == "chatglm":
            first = self.config.get("position_encoding_2d", False)
            self._forward = chatglm_logits if first else published_glm_logits
        elif model_type in _BY_MODEL_TYPE:
            self._forward = _BY_MODEL_TYPE[model_type]
        else:
            raise ValueError(f"the reference does not know model_type {model_type!r}")

    def logits(self, ids: Sequence[int]) -> Array:
        """Logits [length, vocab] of one sequence."""
        return self._forward(self.config, self.weights, [int(token) for token in ids])

    def greedy(self, prompt: Sequence[int], steps: int) -> list[int]:
        """The ``steps`` tokens that follow ``prompt`` when the likeliest is always taken."""
        ids = [int(token) for token in prompt]
        for _ in range(steps):
            ids.append(int(np.argmax(self.logits(ids)[-1])))
        return ids[len(prompt) :]

    def shortfall(self, prompt: Sequence[int], answer: Sequence[int]) -> Array:
        """By how much the logit of each token of ``answer`` lies below the best, [answer].

        Zero throughout means that ``answer`` is what ``greedy`` gives. One pass over the sequence
        tells it, where ``greedy`` needs one a step; and two tokens that are nearly as likely can
        be told from an error.
        """
        if not len(answer):
            return np.zeros(0)
        rows = self.logits([*prompt, *answer])[len(prompt) - 1 : -1]
        return rows.max(axis=-1) - rows[np.arange(len(answer)), np.asarray(answer)]


def logits(
    folder: Path, token_ids: npt.ArrayLike, *, attention_mask: npt.ArrayLike | None = None
) -> Array:
    """Logits [batch, length, vocab] of ``token_ids`` [batch, length].

    ``attention_mask`` [batch, length] is 0 at padding and 1 at text. A row gives what its text
    alone gives; at padding the logits are NaN, for nothing may depend on them.
    """
    model = Reference(folder)
    batch = np.asarray(token_ids)
    keep = np.ones(batch.shape, bool) if attention_mask is None else np.asarray(attention_mask) > 0
    rows = [model.logits(row[kept]) for row, kept in zip(batch, keep, strict=True)]
    result = np.full((*batch.shape, rows[0].shape[-1]), np.nan)
    for index, row in enumerate(rows):
        result[index, keep[index]] = row
    return result


def greedy(folder: Path, prompt: Sequence[int], steps: int) -> list[int]:
    """The ``steps`` tokens that follow ``prompt`` when the likeliest is always taken."""
    return Reference(folder).greedy(prompt, steps)


def shortfall(folder: Path, prompt: Sequence[int], answer: Sequence[int]) -> Array:
    """By how much the logit of each token of ``answer`` lies below the best, [answer]."""
    return Reference(folder).shortfall(prompt, answer)
