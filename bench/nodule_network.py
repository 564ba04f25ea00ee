"""A second network for nodules, learnt from simulated chests, and what it is worth on others.

No patient's image is in it.  PyTorch is needed to learn, and nothing else.  One JSON line:
sensitivity at 1 and 4 false marks a scan, with and without it, on the same scans; with ``--image``
also on a real CT that nodules are put into, of which nothing was learnt.

    python -m bench.nodule_network --train 12 --test 8 --out nodule-second
    python -m bench.nodule_network --train 24 --test 6 --out nodule-second --keep cubes.npz \\
        --image ct/ --exclude rtstruct.dcm --roi GTV-1 --copies 6
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from assistant.tasks.detection.nodules import scored
from assistant.tasks.detection.second import SecondLook, cube_around, open_second
from eval.clinical.detection.cases import Case, hits, reach, real_cases, simulated_cases
from eval.clinical.detection.froc import ScanMarks, point
from eval.clinical.detection.measure import judge

SIZE = (28, 28, 28)
SPACING = (1.25, 1.25, 1.25)
SEED = 101
TEST_SEED = 7
_LIKELIEST = 130
_OTHERS = 40
_LOW, _HIGH = -1000.0, 400.0
_WIDTHS = ((8, 1), (16, 2), (24, 1), (32, 2), (48, 1))

Cubes = NDArray[np.float32]


def examples(case: Case) -> Iterator[tuple[Cubes, int]]:
    """Cubes of the likeliest candidates and of some others; what lies beside a nodule is
    neither."""
    all_ = scored(case.volume, lambda done, total, what: None)
    wide = hits(case, all_.index, lambda one: one.diameter + 3)
    right = {n for part in hits(case, all_.index, reach) for n in part}
    doubtful = {n for part in wide for n in part} - right
    others = [n for n in range(len(all_.found)) if n not in right | doubtful]
    rest = np.random.default_rng(0).permutation(others[_LIKELIEST:])[:_OTHERS]
    for n in [*sorted(right), *others[:_LIKELIEST], *(int(one) for one in rest)]:
        yield cube_around(all_.found[n], all_.scan, SIZE, SPACING), int(n in right)


def network() -> Any:
    """Five convolutions of three dimensions."""
    from torch import nn

    layers: list[Any] = []
    given = 1
    for width, stride in _WIDTHS:
        layers += [nn.Conv3d(given, width, 3, stride, 1), nn.BatchNorm3d(width), nn.ReLU()]
        given = width
    pool = [nn.AdaptiveAvgPool3d(3), nn.Flatten(), nn.Dropout(0.3), nn.Linear(given * 27, 2)]
    return nn.Sequential(*layers, *pool)


def changed(given: Any, rng: np.random.Generator) -> Any:
    """Cubes turned over, moved, and with another contrast, offset, noise and thickness of slices,
    as other scanners have."""
    import torch

    turned = torch.flip(given, [axis for axis in (2, 3, 4) if rng.random() < 0.5])
    if rng.random() < 0.5:
        turned = turned.transpose(3, 4)
    shift = tuple(int(n) for n in rng.integers(-1, 2, 3))
    turned = torch.roll(turned, shift, (2, 3, 4))
    if rng.random() < 0.3:
        turned = torch.nn.functional.avg_pool3d(turned, (3, 1, 1), 1, (1, 0, 0))
    count = len(turned)
    scale = torch.empty(count, 1, 1, 1, 1).uniform_(0.9, 1.1)
    offset = torch.empty(count, 1, 1, 1, 1).uniform_(-0.04, 0.04)
    noise = torch.randn_like(turned) * float(rng.uniform(0, 0.03))
    return (turned * scale + offset + noise).clamp(0, 1)


def trained(cubes: Cubes, labels: NDArray[np.int64], asked: argparse.Namespace) -> None:
    """The network as an OpenVINO IR with its vision.yaml."""
    import openvino
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(asked.threads)
    made = network()
    best = torch.optim.AdamW(made.parameters(), 2e-3, weight_decay=1e-2)
    steps = asked.epochs * (len(cubes) // 32 + 1)
    plan = torch.optim.lr_scheduler.OneCycleLR(best, 2e-3, steps)
    scaled = np.clip((cubes - _LOW) / (_HIGH - _LOW), 0, 1)[:, None]
    x, y = torch.from_numpy(scaled), torch.from_numpy(labels)
    rng = np.random.default_rng(0)
    for epoch in range(asked.epochs):
        made.train()
        losses = []
        for part in torch.randperm(len(x)).split(32):
            best.zero_grad()
            answer = made(changed(x[part], rng))
            loss = torch.nn.functional.cross_entropy(answer, y[part], label_smoothing=0.02)
            loss.backward()
            best.step()
            plan.step()
            losses.append(float(loss.detach()))
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}", file=sys.stderr, flush=True)
    made.eval()
    model = openvino.convert_model(made, example_input=x[:1], input=[1, 1, *SIZE])
    asked.out.mkdir(parents=True, exist_ok=True)
    openvino.save_model(model, asked.out / "model.xml", compress_to_fp16=True)
    said = {
        "task": "classification",
        "modality": "CT",
        "spacing": list(SPACING),
        "orientation": "SPL",
        "intensity": {"kind": "range", "low": _LOW, "high": _HIGH},
        "classes": [{"name": "other", "name_zh": "非结节"}, {"name": "nodule", "name_zh": "结节"}],
        "source": "simulated chests (bench/nodule_network.py)",
    }
    (asked.out / "vision.yaml").write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")


def gathered(asked: argparse.Namespace) -> tuple[Cubes, NDArray[np.int64]]:
    """The cubes to learn from, kept where ``--keep`` says."""
    if asked.keep is not None and asked.keep.is_file():
        kept = np.load(asked.keep)
        return kept["cubes"].astype(np.float32), kept["labels"]
    cubes: list[Cubes] = []
    labels: list[int] = []
    for case in simulated_cases(asked.train, SEED, 12, diseased=True):
        for cube, label in examples(case):
            cubes.append(cube)
            labels.append(label)
        print(case.name, len(cubes), sum(labels), file=sys.stderr, flush=True)
    found = np.stack(cubes), np.array(labels, np.int64)
    if asked.keep is not None:
        np.savez(asked.keep, cubes=found[0].astype(np.float16), labels=found[1])
    return found


def measured(cases: Iterable[Case], second: SecondLook) -> dict[str, Any]:
    """Percent with intervals, without and with the second look."""
    ways: dict[str, list[ScanMarks]] = {"trees": [], "both": []}
    for case in cases:
        ways["trees"].append(judge(case).marks)
        ways["both"].append(judge(case, second).marks)
        print(case.name, file=sys.stderr, flush=True)
    line: dict[str, Any] = {"nodules": sum(len(one.nodules) for one in ways["trees"])}
    for name, marks in ways.items():
        for rate in (1.0, 4.0):
            found = point(marks, rate)
            line[f"{name}_{rate:g}fp"] = [
                round(100 * one, 1) for one in (found.sensitivity, found.low, found.high)
            ]
    return line


def main() -> None:
    """Learn, then measure both ways on scans that were not learnt from."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--train", type=int, default=12)
    asked.add_argument("--test", type=int, default=8)
    asked.add_argument("--epochs", type=int, default=25)
    asked.add_argument("--threads", type=int, default=2)
    asked.add_argument("--out", type=Path, required=True, help="The model's folder.")
    asked.add_argument("--keep", type=Path, help="A file for the cubes, to learn again from.")
    asked.add_argument("--image", type=Path, help="Measure on this CT too.")
    asked.add_argument("--exclude", type=Path, help="A region of it that does not count.")
    asked.add_argument("--roi", default="")
    asked.add_argument("--copies", type=int, default=6)
    given = asked.parse_args()
    started = time.perf_counter()
    cubes, labels = gathered(given)
    trained(cubes, labels, given)
    line: dict[str, Any] = {
        "train_scans": given.train,
        "cubes": len(cubes),
        "of_nodules": int(labels.sum()),
        "seconds": round(time.perf_counter() - started),
    }
    second = open_second(str(given.out), given.out, given.threads)
    line["simulated"] = measured(simulated_cases(given.test, TEST_SEED), second)
    if given.image is not None:
        copies = real_cases(given.image, given.exclude, given.roi, given.copies, TEST_SEED)
        line["real"] = measured(copies, second)
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
