"""A second network for nodules, learnt from simulated chests, and what it is worth on others.

No patient's image is in it.  PyTorch is needed to learn, and nothing else.  One JSON line:
sensitivity at 1 and 4 false marks a scan, with and without it, on the same scans.

    python -m bench.nodule_network --train 12 --test 8 --out nodule-second
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from assistant.tasks.detection.nodules import scored
from assistant.tasks.detection.second import cube_around, open_second
from eval.clinical.detection.cases import Case, hits, reach, simulated_cases
from eval.clinical.detection.froc import point
from eval.clinical.detection.measure import judge

SIZE = (24, 24, 24)
SPACING = (1.0, 1.0, 1.0)
SEED = 101
TEST_SEED = 7
_NEGATIVES = 100
_LOW, _HIGH = -1000.0, 400.0

Cubes = NDArray[np.float32]


def examples(case: Case) -> Iterator[tuple[Cubes, int]]:
    """Cubes of the likeliest candidates; what lies beside a nodule is neither."""
    all_ = scored(case.volume, lambda done, total, what: None)
    wide = hits(case, all_.index, lambda one: one.diameter + 3)
    right = {n for part in hits(case, all_.index, reach) for n in part}
    doubtful = {n for part in wide for n in part} - right
    others = [n for n in range(len(all_.found)) if n not in right | doubtful][:_NEGATIVES]
    for n in [*sorted(right), *others]:
        yield cube_around(all_.found[n], all_.scan, SIZE, SPACING), int(n in right)


def network() -> Any:
    """Three convolutions of three dimensions and more."""
    from torch import nn

    layers: list[Any] = []
    given = 1
    for width, stride in ((12, 1), (24, 2), (32, 1), (48, 2), (64, 1)):
        layers += [nn.Conv3d(given, width, 3, stride, 1), nn.BatchNorm3d(width), nn.ReLU()]
        given = width
    pool = [nn.AdaptiveAvgPool3d(3), nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 27, 2)]
    return nn.Sequential(*layers, *pool)


def trained(cubes: Cubes, labels: NDArray[np.int64], epochs: int, folder: Path) -> None:
    """The network as an OpenVINO IR with its vision.yaml; cubes are turned over to have more."""
    import openvino
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(2)
    made = network()
    best = torch.optim.AdamW(made.parameters(), 2e-3, weight_decay=1e-2)
    plan = torch.optim.lr_scheduler.OneCycleLR(best, 2e-3, epochs * (len(cubes) // 32 + 1))
    scaled = np.clip((cubes - _LOW) / (_HIGH - _LOW), 0, 1)[:, None]
    x, y = torch.from_numpy(scaled), torch.from_numpy(labels)
    rng = np.random.default_rng(0)
    for epoch in range(epochs):
        made.train()
        for part in torch.randperm(len(x)).split(32):
            axes = [axis for axis in (2, 3, 4) if rng.random() < 0.5]
            shift = tuple(int(n) for n in rng.integers(-1, 2, 3))
            given = torch.roll(torch.flip(x[part], axes), shift, (2, 3, 4))
            best.zero_grad()
            torch.nn.functional.cross_entropy(made(given), y[part], label_smoothing=0.02).backward()
            best.step()
            plan.step()
        print(f"epoch {epoch + 1}", file=sys.stderr, flush=True)
    made.eval()
    model = openvino.convert_model(made, example_input=x[:1], input=[1, 1, *SIZE])
    folder.mkdir(parents=True, exist_ok=True)
    openvino.save_model(model, folder / "model.xml")
    said = {
        "task": "classification",
        "modality": "CT",
        "spacing": list(SPACING),
        "orientation": "SPL",
        "intensity": {"kind": "range", "low": _LOW, "high": _HIGH},
        "classes": [{"name": "other", "name_zh": "非结节"}, {"name": "nodule", "name_zh": "结节"}],
        "source": "simulated chests (bench/nodule_network.py)",
    }
    (folder / "vision.yaml").write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")


def main() -> None:
    """Learn, then measure both ways on scans that were not learnt from."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--train", type=int, default=12)
    asked.add_argument("--test", type=int, default=8)
    asked.add_argument("--epochs", type=int, default=25)
    asked.add_argument("--out", type=Path, required=True, help="The model's folder.")
    given = asked.parse_args()
    started = time.perf_counter()
    cubes: list[Cubes] = []
    labels: list[int] = []
    for case in simulated_cases(given.train, SEED, 12):
        for cube, label in examples(case):
            cubes.append(cube)
            labels.append(label)
        print(case.name, len(cubes), sum(labels), file=sys.stderr, flush=True)
    trained(np.stack(cubes), np.array(labels, np.int64), given.epochs, given.out)
    seconds = time.perf_counter() - started
    second = open_second(str(given.out), given.out, 2)
    without, with_it = [], []
    for case in simulated_cases(given.test, TEST_SEED):
        without.append(judge(case).marks)
        with_it.append(judge(case, second).marks)
        print(case.name, file=sys.stderr, flush=True)
    line: dict[str, Any] = {
        "train_scans": given.train,
        "cubes": len(cubes),
        "of_nodules": sum(labels),
        "seconds": round(seconds),
        "test_scans": given.test,
        "nodules": sum(len(one.nodules) for one in without),
    }
    for name, marks in (("trees", without), ("both", with_it)):
        for rate in (1.0, 4.0):
            found = point(marks, rate)
            line[f"{name}_{rate:g}fp"] = [
                round(100 * one, 1) for one in (found.sensitivity, found.low, found.high)
            ]
    print(json.dumps(line))


if __name__ == "__main__":
    main()
