"""Milliseconds a token of models of other shapes, side by side: random weights at true geometry.

Every model is written as an IR with two numbers of layers, few enough for the memory at hand; what
a layer costs is the difference, and a model of full depth is that times its layers and the rest.
All models are loaded at once and take turns; medians are told, and ratios to the first model, by
the clock and by the processor time of all threads, which says more where other work runs.

A name may say how the head is stored: ``qwen3.5-4b:int4``; it is INT8 else.

    python -m bench.architectures chatglm3-6b qwen3-30b-a3b:int4 qwen3.5-4b:int4 --out /tmp/shapes
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import openvino

from bench.machine import describe as machine
from serving.hardware import compute, cpu
from serving.ir import footprint
from serving.ir.architecture import Architecture
from serving.ir.checkpoint import Checkpoint
from serving.ir.convert import write_model
from serving.ir.description import describe
from serving.ir.formats import Precision, WeightKind
from serving.ir.matrix import Order, Stored, as_rows

_SPREAD = 0.02
_BLOCK = 1 << 20

_QWEN3_5: dict[str, Any] = {
    "model_type": "qwen3_5_text",
    "head_dim": 256,
    "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "rms_norm_eps": 1e-6,
    "vocab_size": 248320,
    "max_position_embeddings": 262144,
}
# Depth, and two depths that are measured; then the configuration.
SHAPES: dict[str, tuple[int, tuple[int, int], dict[str, Any]]] = {
    "chatglm3-6b": (
        28,
        (4, 12),
        {
            "model_type": "chatglm",
            "hidden_size": 4096,
            "ffn_hidden_size": 13696,
            "num_attention_heads": 32,
            "kv_channels": 128,
            "multi_query_attention": True,
            "multi_query_group_num": 2,
            "padded_vocab_size": 65024,
            "add_qkv_bias": True,
            "seq_length": 8192,
        },
    ),
    "qwen3-30b-a3b": (
        48,
        (2, 6),
        {
            "model_type": "qwen3_moe",
            "hidden_size": 2048,
            "head_dim": 128,
            "num_attention_heads": 32,
            "num_key_value_heads": 4,
            "moe_intermediate_size": 768,
            "num_experts": 128,
            "num_experts_per_tok": 8,
            "norm_topk_prob": True,
            "rms_norm_eps": 1e-6,
            "vocab_size": 151936,
            "max_position_embeddings": 40960,
        },
    ),
    "qwen3.5-4b": (
        32,
        (4, 12),
        _QWEN3_5 | {"hidden_size": 2560, "intermediate_size": 9216, "tie_word_embeddings": True},
    ),
    "qwen3.5-35b-a3b": (
        40,
        (4, 8),
        _QWEN3_5
        | {
            "model_type": "qwen3_5_moe_text",
            "hidden_size": 2048,
            "num_key_value_heads": 2,
            "num_experts": 256,
            "num_experts_per_tok": 8,
            "moe_intermediate_size": 512,
            "shared_expert_intermediate_size": 512,
        },
    ),
}


class Drawn:
    """A checkpoint of random weights that are drawn when they are asked for."""

    def __init__(self, architecture: Architecture) -> None:
        self._shapes = {
            segment.name: as_rows(segment.shape)
            for matrix in architecture.matrices
            for segment in matrix.segments
        }
        noise = np.random.default_rng(0).standard_normal(_BLOCK).astype(np.float16)
        self._noise = noise * np.float16(_SPREAD)

    def file(self, name: str) -> Path:
        """Nowhere."""
        return Path("random")

    def codes(self, name: str) -> None:
        """None: these are numbers."""

    def stored(self, name: str, rows: slice | Order | None = None) -> Stored:
        """Rows whose numbers the tensor's name decides, float16."""
        shape = self._shapes[name]
        count = shape[0]
        if rows is not None:
            wanted = range(*rows.indices(shape[0])) if isinstance(rows, slice) else rows
            count = len(wanted)
        need = count * int(np.prod(shape[1:]))
        begin = zlib.crc32(f"{name}{count}".encode()) % _BLOCK
        values = np.resize(np.roll(self._noise, begin), need)
        return values.reshape(count, *shape[1:])


class Taken(NamedTuple):
    """Seconds by the clock, and of processor time."""

    wall: float
    processor: float

    @classmethod
    def median(cls, several: Iterable[Taken]) -> Taken:
        """Of each by itself."""
        return cls(*(statistics.median(times) for times in zip(*several, strict=True)))


@dataclass
class Model:
    """One shape at one depth, loaded."""

    name: str
    layers: int
    architecture: Architecture
    request: Any
    past: int = 0

    def step(self, ids: np.ndarray[Any, Any]) -> Taken:
        """What one step takes."""
        length = len(ids)
        every = self.past + length
        given = {
            "input_ids": ids[np.newaxis],
            "attention_mask": np.ones((1, every), np.int64),
            "position_ids": np.arange(self.past, every)[np.newaxis],
            "beam_idx": np.zeros(1, np.int32),
        }
        began, busy = time.perf_counter(), time.process_time()
        self.request.infer(given)
        self.past = every
        return Taken(time.perf_counter() - began, time.process_time() - busy)

    def turn(self, prompt: int, new: int, random: np.random.Generator) -> tuple[Taken, Taken]:
        """What reading a prompt takes, and a token after it (median)."""
        self.request.reset_state()
        self.past = 0
        top = self.architecture.vocabulary
        read = self.step(random.integers(0, top, prompt))
        each = [self.step(random.integers(0, top, 1)) for _ in range(new)]
        return read, Taken.median(each)


def stored(name: str) -> Precision:
    """How the weights of a model of the command line are kept."""
    head = name.partition(":")[2] or "int8"
    return Precision(head=cast(WeightKind, head))


def shape(name: str) -> tuple[int, tuple[int, int], dict[str, Any]]:
    """Of a model of the command line, see `SHAPES`."""
    return SHAPES[name.partition(":")[0]]


def load(name: str, layers: int, folder: Path) -> Model:
    """Write the IR, unless it is there, and compile it."""
    _, _, config = shape(name)
    precision = stored(name)
    key = "num_layers" if config["model_type"] == "chatglm" else "num_hidden_layers"
    architecture = describe({**config, key: layers})
    place = folder / f"{name.partition(':')[0]}-{layers}-{precision.head}"
    if not (place / "openvino_model.xml").is_file():
        place.mkdir(parents=True, exist_ok=True)
        drawn = cast(Checkpoint, Drawn(architecture))
        write_model(drawn, architecture, precision, place, lambda done, total, what: None, dict)
    settings: Mapping[str, str] = precision.words()
    properties = compute.properties("auto", "auto", settings, cpu.flags())
    compiled = openvino.Core().compile_model(place / "openvino_model.xml", "CPU", properties)
    return Model(name, layers, architecture, compiled.create_infer_request())


def at_depth(few: Model, many: Model, times: Mapping[tuple[str, int], list[Taken]]) -> Taken:
    """Of a model of full depth."""
    depth, _, _ = shape(few.name)
    least, most = (Taken.median(times[few.name, one.layers]) for one in (few, many))
    more = (depth - few.layers) / (many.layers - few.layers)
    return Taken(*(low + more * (high - low) for low, high in zip(least, most, strict=True)))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", metavar="NAME[:int4]", help=", ".join(SHAPES))
    parser.add_argument("--out", type=Path, required=True, help="where the IRs are kept")
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--new", type=int, default=24)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    if unknown := {name for name in options.models if name.partition(":")[0] not in SHAPES}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(SHAPES)}")
    pairs = {
        name: [load(name, layers, options.out) for layers in shape(name)[1]]
        for name in options.models
    }
    reads: dict[tuple[str, int], list[Taken]] = {}
    tokens: dict[tuple[str, int], list[Taken]] = {}
    random = np.random.default_rng(1)
    for _ in range(options.repetitions):
        for name, models in pairs.items():
            for model in models:
                read, token = model.turn(options.prompt, options.new, random)
                reads.setdefault((name, model.layers), []).append(read)
                tokens.setdefault((name, model.layers), []).append(token)
    first: tuple[Taken, Taken] | None = None
    for name, (few, many) in pairs.items():
        read, token = at_depth(few, many, reads), at_depth(few, many, tokens)
        first = first or (read, token)
        depth, _, config = shape(name)
        key = "num_layers" if config["model_type"] == "chatglm" else "num_hidden_layers"
        whole = describe({**config, key: depth})
        line = {
            "model": name,
            "layers_measured": [few.layers, many.layers],
            "layers": depth,
            "head": stored(name).head,
            "stored_gb": round(footprint.stored_bytes(whole, stored(name)) / 1e9, 2),
            "active_parameters_b": round(footprint.active_parameters(whole) / 1e9, 2),
            "prompt": options.prompt,
            "seconds_to_read": round(read.wall, 3),
            "ms_a_token": round(1000 * token.wall, 2),
            "processor_ms_a_token": round(1000 * token.processor, 2),
            "tokens_a_second": round(1 / token.wall, 2),
            "speed_against_first": round(first[1].wall / token.wall, 2),
            "by_processor_time": round(first[1].processor / token.processor, 2),
            "reading_against_first": round(read.wall / first[0].wall, 2),
        }
        print(json.dumps(line | machine()), flush=True)


if __name__ == "__main__":
    main()
