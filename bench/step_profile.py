"""Where the time of one decoding step goes, beside what reading the weights must take.

The plugin's own counters over some steps at one context, the mean of each node.  A projection's
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino

from bench.bandwidth import Probe
from bench.machine import describe
from serving.engines.openvino.stateful_model import StatefulModel
from serving.hardware import compute, cpu
from serving.models import manifest

_STEPS = 24


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: the plugin's names of its kind and kernel, and its mean seconds at a step."""

    kind: str
    kernel: str
    seconds: float


def weights_of(model: Any) -> dict[str, int]:
    """Bytes of the stored constants behind every MatMul, by the name that the plugin gives it."""
    found = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul":
            found[_fused(node).get_friendly_name()] = _stored(node.input_value(1).get_node())
    return found


def _fused(matmul: Any) -> Any:
    """The node whose name a projection bears: that of the addition of its bias, if it has one."""
    after = [target.get_node() for target in matmul.output(0).get_target_inputs()]
    if len(after) == 1 and after[0].get_type_name() == "Add":
        others = [value.get_node() for value in after[0].input_values()]
        if any(node.get_type_name() in ("Constant", "Convert") for node in others):
            return after[0]
    return matmul


def _stored(node: Any) -> int:
    if node.get_type_name() == "Constant":
        return int(node.get_byte_size())
    kinds = ("Convert", "Subtract", "Multiply", "Reshape", "Transpose")
    if node.get_type_name() not in kinds:
        return 0
    return sum(_stored(value.get_node()) for value in node.input_values())


def profile(model: StatefulModel, context: int) -> tuple[dict[str, Node], float]:
    """Every operation at a step after ``context`` tokens, and the median step's seconds."""
    model.reset()
    model.step(np.arange(context, dtype=np.int64) % 1000 + 100)
    # The plugin tells the mean over every call so far, the prompt's among them.
    first = {info.node_name: _seconds(info) for info in model.profile()}
    steps = []
    for _ in range(_STEPS):
        begin = time.perf_counter()
        model.step(np.array([100]))
        steps.append(time.perf_counter() - begin)
    nodes = {}
    for info in model.profile():
        if info.status == info.Status.EXECUTED:
            all_calls = (_STEPS + 1) * _seconds(info)
            seconds = (all_calls - first.get(info.node_name, 0.0)) / _STEPS
            nodes[info.node_name] = Node(info.node_type, info.exec_type, max(seconds, 0.0))
    return nodes, statistics.median(steps)


def _seconds(info: Any) -> float:
    return float(info.real_time.total_seconds())


def lines(
    nodes: dict[str, Node], step: float, stored: dict[str, int], bandwidth: float
) -> Iterator[dict[str, Any]]:
    """What is printed: kinds of operation, shapes of projection, the whole."""
    kinds: dict[str, list[float]] = defaultdict(list)
    shapes: dict[tuple[int, str], list[float]] = defaultdict(list)
    for name, node in nodes.items():
        kinds[node.kind].append(node.seconds)
        if size := stored.get(name, 0):
            shapes[size, node.kernel].append(node.seconds)
    for kind, times in sorted(kinds.items(), key=lambda item: -sum(item[1])):
        if sum(times) < 0.001 * step:
            continue
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
    parser.add_argument(
        "--precision", default="auto", help="as `serving.hardware.compute` takes it"
    )
    options = parser.parse_args()
    file = options.folder / manifest.MODEL_FILE
    settings = manifest.read(options.folder).settings
    properties = compute.properties(options.precision, "auto", settings, cpu.flags())
    stored = weights_of(openvino.Core().read_model(file))
    probe = Probe()
    model = StatefulModel(file, "CPU", properties | {"PERF_COUNT": True})
    before = probe()
    nodes, step = profile(model, options.context)
    bandwidth = (before + probe()) / 2
    about = {"bench": "step_profile", "folder": options.folder.name, "context": options.context}
    for line in lines(nodes, step, stored, bandwidth):
        print(json.dumps(about | line | describe()), flush=True)


if __name__ == "__main__":
    main()
