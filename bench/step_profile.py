"""Where the time of one decoding step goes, beside what reading the weights must take.

The plugin's own counters over some steps at one context, the median of each node.  A projection's
bytes over its time is the speed at which it reads its weights; the same bytes over the memory's
speed, probed before and after, is the least that it could take.  One JSON line a kind of operation,
one a shape of projection, and one for the whole step, where ``outside`` is what a step takes beyond
its operations.

    python -m bench.step_profile --folder /tmp/chatglm3-1b-int4 --context 256
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino

from bench.bandwidth import Probe
from bench.machine import describe
from serving import compute, cpu, manifest
from serving.stateful_model import StatefulModel

_STEPS = 24


def weights_of(model: Any) -> dict[str, int]:
    """Bytes of the stored constants behind every MatMul, by the MatMul's name."""
    found = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul":
            found[node.get_friendly_name()] = _stored(node.input_value(1).get_node())
    return found


def _stored(node: Any) -> int:
    if node.get_type_name() == "Constant":
        return int(node.get_byte_size())
    kinds = ("Convert", "Subtract", "Multiply", "Reshape", "Transpose")
    if node.get_type_name() not in kinds:
        return 0
    return sum(_stored(value.get_node()) for value in node.input_values())


def profile(model: StatefulModel, context: int) -> tuple[dict[str, list[float]], Any, list[float]]:
    """Seconds of every node at each step, the last step's counters, and each step's seconds."""
    model.reset()
    model.step(np.arange(context, dtype=np.int64) % 1000 + 100)
    seconds: dict[str, list[float]] = defaultdict(list)
    steps = []
    for _ in range(_STEPS):
        begin = time.perf_counter()
        model.step(np.array([100]))
        steps.append(time.perf_counter() - begin)
        for info in model.profile():
            if info.status == info.Status.EXECUTED:
                seconds[info.node_name].append(info.real_time.total_seconds())
    return seconds, model.profile(), steps


def lines(
    seconds: dict[str, list[float]],
    counters: Any,
    steps: list[float],
    stored: dict[str, int],
    bandwidth: float,
) -> Iterator[dict[str, Any]]:
    """What is printed: kinds of operation, shapes of projection, the whole."""
    kinds: dict[str, list[float]] = defaultdict(list)
    shapes: dict[tuple[int, str], list[float]] = defaultdict(list)
    for info in counters:
        if info.node_name not in seconds:
            continue
        took = statistics.median(seconds[info.node_name])
        kinds[info.node_type].append(took)
        if size := stored.get(info.node_name, 0):
            shapes[size, info.exec_type].append(took)
    step = statistics.median(steps)
    for kind, times in sorted(kinds.items(), key=lambda item: -sum(item[1])):
        yield {
            "operation": kind,
            "nodes": len(times),
            "ms": round(1e3 * sum(times), 3),
            "share": round(sum(times) / step, 4),
        }
    for (size, kernel), times in sorted(shapes.items(), key=lambda item: -sum(item[1])):
        speed = size * len(times) / sum(times)
        yield {
            "projections": len(times),
            "megabytes_each": round(size / 1e6, 2),
            "kernel": kernel,
            "ms": round(1e3 * sum(times), 3),
            "gb_per_second": round(speed / 1e9, 1),
            "of_bandwidth": round(speed / bandwidth, 3),
        }
    counted = sum(sum(times) for times in kinds.values())
    every = sum(stored.values())
    yield {
        "step_ms": round(1e3 * step, 2),
        "least_ms": round(1e3 * every / bandwidth, 2),
        "of_limit": round(every / bandwidth / step, 3),
        "outside_ms": round(1e3 * (step - counted), 2),
        "read_gb_per_second": round(bandwidth / 1e9, 1),
    }


def main() -> None:
    """Measure and print JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="a prepared model")
    parser.add_argument("--context", type=int, default=256, help="tokens before the steps")
    parser.add_argument("--precision", default="auto", help="as `serving.compute` takes it")
    options = parser.parse_args()
    file = options.folder / manifest.MODEL_FILE
    settings = manifest.read(options.folder).settings
    properties = compute.properties(options.precision, "auto", settings, cpu.flags())
    stored = weights_of(openvino.Core().read_model(file))
    probe = Probe()
    model = StatefulModel(file, "CPU", properties | {"PERF_COUNT": True})
    before = probe()
    seconds, counters, steps = profile(model, options.context)
    bandwidth = (before + probe()) / 2
    about = {"bench": "step_profile", "folder": options.folder.name, "context": options.context}
    for line in lines(seconds, counters, steps, stored, bandwidth):
        print(json.dumps(about | line | describe()), flush=True)


if __name__ == "__main__":
    main()
