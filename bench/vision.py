"""A network over a volume: ours against stock OpenVINO and, where there is one, stock PyTorch.

Each run is a process of its own, so that its peak memory is its own; the entrants take turns.
Stock is the whole volume in one inference, float32, scores of all classes out and the greatest
taken by NumPy; the graph is the same for all.  Classes are compared voxel by voxel with stock.
One JSON line: seconds of the image alone (without reading files), CPU seconds, peak memory, and
the Dice of every entrant against stock.

    python -m bench.vision --model MODEL_FOLDER --image t1.nii.gz --repetitions 3
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.machine import describe

_START = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from assistant.imaging.source import read_image
from assistant.tasks.segmentation.conform import conformed, scaled
from serving.vision.folder import open_folder
opened = open_folder(Path(sys.argv[1]))
said = opened.description
array = scaled(conformed(read_image(Path(sys.argv[2])), said).array, said.intensity)
started, before = time.perf_counter(), time.process_time()
"""

_END = """
seconds, cpu = time.perf_counter() - started, time.process_time() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
np.save(sys.argv[3], labels)
print(json.dumps({"seconds": seconds, "cpu": cpu, "gib": peak}))
"""

_OURS = """
from serving.vision.network import Network
labels = Network(opened, sys.argv[4]).labels(array, float(array.min()))
"""

_STOCK = """
import openvino
opened.model.reshape([1, 1, *array.shape])
compiled = openvino.Core().compile_model(
    opened.model, "CPU", {"INFERENCE_PRECISION_HINT": sys.argv[4]}
)
labels = compiled([array[None, None]])[0][0].argmax(axis=0).astype(np.uint8)
"""

_TORCH = """
import json, resource, sys, time
import numpy as np
import torch
with np.load(sys.argv[1]) as held:
    array = held["array"]
    layers = [
        (held[f"k{n}"], held[f"b{n}"], [int(d) for d in held[f"d{n}"]], str(held[f"a{n}"]))
        for n in range(int(held["count"]))
    ]
steps = []
for kernel, bias, dilation, name in layers:
    out, given, *size = kernel.shape
    step = torch.nn.Conv3d(given, out, size, padding="same", dilation=dilation)
    step.weight.data, step.bias.data = torch.from_numpy(kernel), torch.from_numpy(bias)
    steps.append(step)
    if name:
        steps.append(torch.nn.ELU() if name == "elu" else torch.nn.ReLU())
model = torch.nn.Sequential(*steps).eval()
started, before = time.perf_counter(), time.process_time()
with torch.inference_mode():
    labels = model(torch.from_numpy(array[None, None])).argmax(1)[0].to(torch.uint8).numpy()
"""


def main() -> None:
    """Measure, and print one JSON line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--model", type=Path, required=True)
    asked.add_argument("--image", type=Path, required=True)
    asked.add_argument("--repetitions", type=int, default=3)
    asked.add_argument("--peer", type=Path, help="A Python with PyTorch.")
    asked.add_argument("--entrants", default="stock f32,ours f32,ours bf16")
    given = asked.parse_args()
    names = [one.strip() for one in given.entrants.split(",")]
    names += ["torch f32"] if given.peer else []
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for _ in range(given.repetitions):
            for name in names:
                runs[name].append(_run(name, given, work))
        result = {
            **describe(),
            "model": given.model.name,
            "runs": {name: _shown(found) for name, found in runs.items()},
            "dice": _agreement(names, work),
        }
    print(json.dumps(result, ensure_ascii=False))


def _run(name: str, given: argparse.Namespace, work: Path) -> dict[str, float]:
    kind, precision = name.split()
    place = work / f"{kind}-{precision}.npy"
    words = [str(given.model), str(given.image), str(place), precision]
    program, python = _START + (_OURS if kind == "ours" else _STOCK) + _END, sys.executable
    if kind == "torch":
        held = work / "held.npz"
        if not held.exists():
            _hold(given, held)
        program, python, words = _TORCH + _END, str(given.peer), [str(held), "", str(place)]
    made = subprocess.run(
        [python, "-c", program, *words],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    found: dict[str, float] = json.loads(made.stdout.splitlines()[-1])
    return found


def _hold(given: argparse.Namespace, place: Path) -> None:
    """The scaled volume and the layers, for a Python that has none of our packages."""
    import numpy as np

    from assistant.imaging.source import read_image
    from assistant.tasks.segmentation.conform import conformed, scaled
    from serving.vision.chain import stages_of
    from serving.vision.folder import open_folder

    opened = open_folder(given.model)
    said = opened.description
    array = scaled(conformed(read_image(given.image), said).array, said.intensity)
    stages = stages_of(opened.model) or []
    kept: dict[str, Any] = {"array": array, "count": len(stages)}
    for number, one in enumerate(stages):
        kept |= {f"k{number}": one.kernel, f"b{number}": one.bias}
        kept |= {f"d{number}": one.dilation, f"a{number}": one.activation}
    np.savez(place, **kept)


def _shown(found: list[dict[str, float]]) -> dict[str, float]:
    return {
        "seconds_best": round(min(one["seconds"] for one in found), 2),
        "seconds": round(statistics.median(one["seconds"] for one in found), 2),
        "cpu": round(statistics.median(one["cpu"] for one in found), 2),
        "gib": round(max(one["gib"] for one in found), 2),
    }


def _agreement(names: list[str], work: Path) -> dict[str, dict[str, float]]:
    """Mean Dice over the classes, and the voxels that differ, against the first entrant."""
    import numpy as np

    from serving.vision.precision import dice

    first, *others = (np.load(work / f"{name.replace(' ', '-')}.npy") for name in names)
    return {
        name: {
            "dice": round(dice(first, other), 5),
            "voxels": int(np.count_nonzero(first != other)),
        }
        for name, other in zip(names[1:], others, strict=True)
    }


if __name__ == "__main__":
    main()
