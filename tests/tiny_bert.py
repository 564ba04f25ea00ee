"""A BERT of random weights as a folder, and what it computes, written a second time in numpy."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.encoder.checkpoint import encoder_shapes, head_shapes
from serving.encoder.shape import HeadShape, Shape, SpanShape, head_config
from serving.encoder.vocabulary import SPECIAL, Vocabulary

Floats = npt.NDArray[np.float32]

CHARACTERS = (
    "患者因胸痛天入院行冠脉造影示左前降支狭窄予阿司匹林无发热咳嗽，。、（）0123456789abcdemg"
)
LABELS = ("疾病和诊断", "症状", "手术", "药物")
SHAPE = Shape(len(SPECIAL) + len(CHARACTERS), 32, 2, 4, 64, 64)
SPAN = SpanShape(LABELS, size=8)


def vocabulary() -> Vocabulary:
    """Characters of `CHARACTERS`."""
    return Vocabulary([*SPECIAL, *CHARACTERS])


def tensors(
    seed: int = 7, shape: Shape = SHAPE, span: HeadShape | None = SPAN
) -> dict[str, Floats]:
    """Random weights by name; large enough that scores lie on both sides of 0."""
    random = np.random.default_rng(seed)
    shapes = encoder_shapes(shape) | (head_shapes(shape, span) if span else {})
    made = {}
    for name, size in shapes.items():
        noise = random.standard_normal(size)
        if name.endswith("LayerNorm.weight"):
            noise = 1 + 0.2 * noise
        elif len(size) == 1:
            noise *= 0.3
        elif "embeddings" not in name:
            noise *= 1.5 / math.sqrt(size[1])
        made[name] = noise.astype(np.float32)
    return made


def write(
    folder: Path,
    weights: dict[str, Floats] | None = None,
    shape: Shape = SHAPE,
    span: HeadShape | None = SPAN,
    words: Vocabulary | None = None,
) -> Path:
    """config.json, vocab.txt and model.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    words = words or vocabulary()
    words.write(folder)
    config: dict[str, Any] = {**shape.config(), "vocabulary": words.settings()}
    if span is not None:
        config |= head_config(span)
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    write_safetensors(folder / "model.safetensors", weights or tensors(shape=shape, span=span))
    return folder


def write_safetensors(path: Path, weights: dict[str, Floats]) -> None:
    """Length of the header, the header, the tensors."""
    header: dict[str, Any] = {}
    offset = 0
    for name, values in weights.items():
        end = offset + values.nbytes
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    data = b"".join(np.ascontiguousarray(values).tobytes() for values in weights.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def hidden(weights: dict[str, Floats], ids: list[int], shape: Shape = SHAPE) -> Floats:
    """Vectors [length, hidden] of one row, its special tokens among ``ids``."""
    own = {name.removeprefix("bert."): values for name, values in weights.items()}
    rows = own["embeddings.word_embeddings.weight"][ids]
    rows = rows + own["embeddings.position_embeddings.weight"][: len(ids)]
    rows = _norm(own, "embeddings", rows + own["embeddings.token_type_embeddings.weight"][0], shape)
    for index in range(shape.num_hidden_layers):
        layer = f"encoder.layer.{index}"
        seen = np.concatenate(
            [
                _attend(own, f"{layer}.attention.self", rows, head, shape)
                for head in range(shape.num_attention_heads)
            ],
            axis=1,
        )
        seen = _linear(own, f"{layer}.attention.output.dense", seen)
        rows = _norm(own, f"{layer}.attention.output", rows + seen, shape)
        fed = _gelu(_linear(own, f"{layer}.intermediate.dense", rows))
        fed = _linear(own, f"{layer}.output.dense", fed)
        rows = _norm(own, f"{layer}.output", rows + fed, shape)
    return rows.astype(np.float32)


def scores(
    weights: dict[str, Floats], ids: list[int], shape: Shape = SHAPE, span: SpanShape = SPAN
) -> Floats:
    """score[t, i, j] of one row, every pair, one at a time as the paper's formula has it."""
    rows = hidden(weights, ids, shape)
    both = _linear(weights, "span_head.projection", rows)
    ends = _linear(weights, "span_head.ends", both) / 2
    query, key = both[:, : span.size], both[:, span.size :]
    half = span.size // 2
    made = np.empty((len(span.labels), len(ids), len(ids)))
    for i in range(len(ids)):
        for j in range(len(ids)):
            # A rotation of both by their places is one of the key by the distance.
            turn = (j - i) * 10_000.0 ** (-np.arange(half) / half)
            first = key[j, :half] * np.cos(turn) - key[j, half:] * np.sin(turn)
            second = key[j, half:] * np.cos(turn) + key[j, :half] * np.sin(turn)
            product = query[i] @ np.concatenate([first, second]) / math.sqrt(span.size)
            for t in range(len(span.labels)):
                made[t, i, j] = product + ends[i, t] + ends[j, len(span.labels) + t]
    return made.astype(np.float32)


def _attend(own: dict[str, Floats], name: str, rows: Floats, head: int, shape: Shape) -> Floats:
    part = slice(head * shape.head_size, (head + 1) * shape.head_size)
    query, key, value = (
        _linear(own, f"{name}.{kind}", rows)[:, part] for kind in ("query", "key", "value")
    )
    weight = query @ key.T / math.sqrt(shape.head_size)
    weight = np.exp(weight - weight.max(1, keepdims=True))
    attended: Floats = weight / weight.sum(1, keepdims=True) @ value
    return attended


def _linear(own: dict[str, Floats], name: str, rows: Floats) -> Floats:
    product: Floats = rows.astype(np.float64) @ own[f"{name}.weight"].T + own[f"{name}.bias"]
    return product


def _norm(own: dict[str, Floats], name: str, rows: Floats, shape: Shape) -> Floats:
    centred = rows - rows.mean(1, keepdims=True)
    spread = np.sqrt((centred**2).mean(1, keepdims=True) + shape.layer_norm_eps)
    made: Floats = (
        centred / spread * own[f"{name}.LayerNorm.weight"] + own[f"{name}.LayerNorm.bias"]
    )
    return made


def _gelu(rows: Floats) -> Floats:
    erf = np.vectorize(math.erf)
    made: Floats = rows * 0.5 * (1 + erf(rows / math.sqrt(2)))
    return made
