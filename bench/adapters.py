"""Adapters switched at run time against the same ones merged: tokens a second, and memory.

A checkpoint of random weights at a real geometry is converted to INT4, plain and with an adapter
merged; engines run in processes of their own, are asked in turns, and one computes at a time.
Ratios are taken within a repetition and their median is told.

    python -m bench.adapters --work /tmp/adapters --rank 8 --adapters 20 > adapters.jsonl
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.machine import describe
from bench.random_checkpoint import GEOMETRIES, Geometry, write_checkpoint
from serving.engine import Sampling
from serving.engines.openvino.engine import OpenVinoOptions
from serving.engines.openvino.worker_engine import WorkerEngine
from serving.ir.convert import convert
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint
from serving.models.adapters import AdapterStore

DEMO = replace(
    GEOMETRIES["llama-1b"], hidden=896, feed_forward=4864, layers=24, heads=14, key_heads=2
)
SHAPES: Mapping[str, Geometry] = {"demo": DEMO, "llama-1b": GEOMETRIES["llama-1b"]}
ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ATTENTION = ("q_proj", "v_proj")


def write_adapter(folder: Path, base: Path, targets: tuple[str, ...], rank: int, seed: int) -> Path:
    """A PEFT folder with random halves over every target of the base; what is there is kept."""
    if folder.exists():
        return folder
    checkpoint = SafetensorsCheckpoint(base)
    random = np.random.default_rng(seed)
    tensors = {}
    for name in checkpoint.names():
        module = name.removesuffix(".weight")
        if module.endswith(targets):
            rows, columns = checkpoint.shape(name)
            at = f"base_model.model.{module}"
            tensors[f"{at}.lora_A.weight"] = random.standard_normal((rank, columns)) / 30
            tensors[f"{at}.lora_B.weight"] = random.standard_normal((rows, rank)) / 30
    folder.mkdir(parents=True)
    told = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank}
    (folder / "adapter_config.json").write_text(json.dumps(told))
    place, header = 0, {}
    for name, array in tensors.items():
        size = 4 * array.size
        shape = list(array.shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [place, place + size]}
        place += size
    head = json.dumps(header).encode()
    with (folder / "adapter_model.safetensors").open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for array in tensors.values():
            file.write(array.astype(np.float32).tobytes())
    return folder


async def asked(engine: WorkerEngine, adapter: str, prompt: str, tokens: int) -> dict[str, float]:
    """Tokens a second while an answer is written, and processor time of the whole request."""
    sampling = Sampling(max_tokens=tokens, adapter=adapter)
    usage, before = None, processor(engine)
    async for chunk in engine.generate(prompt, sampling):
        usage = chunk.usage or usage
    assert usage is not None
    return {
        "rate": 1 / usage.seconds_per_token if usage.seconds_per_token else 0.0,
        "processor": processor(engine) - before,
    }


def processor(engine: WorkerEngine) -> float:
    """Seconds of processor time that the engine's process has had."""
    return float(sum(psutil.Process(engine.pid).cpu_times()[:2]))


def memory(engine: WorkerEngine) -> dict[str, float]:
    """MB of the engine's process: its own, and its share of what is mapped."""
    found = psutil.Process(engine.pid).memory_full_info()
    return {"uss_mb": found.uss / 1e6, "pss_mb": found.pss / 1e6, "rss_mb": found.rss / 1e6}


async def measure(options: argparse.Namespace, targets: tuple[str, ...]) -> dict[str, Any]:
    """One choice of targets: speeds by turns, then memory with one adapter and with all."""
    work, name = options.work, "all" if targets == ALL else "attention"
    source, base = work / "source", work / "models" / "base"
    if not source.exists():
        write_checkpoint(source, SHAPES[options.shape], 0)
        convert(source, base)
    store, places = AdapterStore(work), {}
    for number in range(options.adapters):
        adapter = write_adapter(work / f"{name}-{number}", source, targets, options.rank, number)
        store.add(f"{name}-{number}", adapter, "base")
        places[f"{name}-{number}"] = str(store.path("base", f"{name}-{number}"))
    first = f"{name}-0"
    if not (work / f"merged-{name}").exists():
        convert(source, work / f"merged-{name}", adapter=work / first)
    one = {first: places[first]}
    engines = {
        "plain": WorkerEngine(base, OpenVinoOptions()),
        "merged": WorkerEngine(work / f"merged-{name}", OpenVinoOptions()),
        "run-time": WorkerEngine(base, OpenVinoOptions(adapters=one)),
    }
    turns = (("plain", ""), ("merged", ""), ("run-time", first), ("run-time", ""))
    prompt = "".join(chr(0x4E00 + n) for n in range(options.prompt))
    rows: dict[tuple[str, str], list[dict[str, float]]] = {turn: [] for turn in turns}
    for turn in turns:
        await asked(engines[turn[0]], turn[1], prompt, 8)
    for number in range(options.repeat):
        for turn in turns[number % 4 :] + turns[: number % 4]:
            # Another beginning each time: a prompt that is in the cache would be read for nothing.
            text = f"{number}{turn}{prompt}"
            rows[turn].append(await asked(engines[turn[0]], turn[1], text, options.tokens))
    ratios = {
        f"{turn[0]}{' with an adapter' if turn[1] else ''} / {against}": statistics.median(
            row["rate"] / other["rate"]
            for row, other in zip(rows[turn], rows[against, ""], strict=True)
        )
        for turn, against in (
            (turns[2], "merged"),
            (turns[3], "plain"),
            (turns[2], "plain"),
        )
    }
    # Of a whole request, so that it may be told on a machine that has other work.
    spent = {
        " ".join(turn).strip(): statistics.median(row["processor"] for row in found)
        for turn, found in rows.items()
    }
    await engines["plain"].close()
    fresh = WorkerEngine(base, OpenVinoOptions())
    for number in range(options.adapters):
        # As many prompts as there are adapters: their keys and values are in memory too.
        await asked(fresh, "", f"{number}x{prompt}", 8)
    plain = memory(fresh)
    await fresh.close()
    del engines["plain"]
    for engine in engines.values():
        await engine.close()
    every = WorkerEngine(base, OpenVinoOptions(adapters=places))
    start = time.perf_counter()
    for one_name in places:
        await asked(every, one_name, prompt, 8)
    switching = (time.perf_counter() - start) / len(places)
    held = memory(every)
    await every.close()
    return {
        "targets": name,
        "rank": options.rank,
        "adapters": options.adapters,
        "tokens_per_second": {
            " ".join(turn).strip(): statistics.median(row["rate"] for row in found)
            for turn, found in rows.items()
        },
        "decode_ratio": ratios,
        "processor_seconds_a_request": spent,
        "load": psutil.getloadavg()[0],
        "plain": plain,
        "with_all_adapters": held,
        "memory_ratio": {key: held[key] / plain[key] for key in plain},
        "adapter_mb": sum(one.bytes for one in store.list() if one.name.startswith(name))
        / options.adapters
        / 1e6,
        "seconds_a_switch_and_8_tokens": switching,
    }


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shape", choices=SHAPES, default="demo")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--adapters", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--prompt", type=int, default=200, help="characters")
    options = parser.parse_args()
    for targets in (ATTENTION, ALL):
        made = asyncio.run(measure(options, targets))
        print(json.dumps({**describe(), **made}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
