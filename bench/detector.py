"""A RetinaNet: ours at the precision it chooses against stock PyTorch at its best.

The network is trained for a short while on drawn things (`--prepare`, minutes, once).  Same
weights, same images; every entrant is a process of its own, and they take turns.  Timed is the
network, from pixels to scores and corrections; boxes are then read by one reader.  One JSON line:
median seconds an image, how many times quicker, AP (IoU 0.5) against what was drawn.

    python -m bench.detector --folder /tmp/retinanet --peer .venv-train/bin/python --prepare
    python -m bench.detector --folder /tmp/retinanet --peer .venv-train/bin/python
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import describe
from bench.peer_process import ROOT, PeerProcess
from bench.peers.detector_ours import TEST
from serving.vision.agreement import average_precision, side_by_side
from serving.vision.boxes import Found, decoded, suppressed
from serving.vision.folder import open_folder


def main() -> None:
    """Prepare, or measure and print a JSON line."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--peer", type=Path, required=True, help="A Python with PyTorch and NNCF.")
    asked.add_argument("--prepare", action="store_true")
    asked.add_argument("--width", type=int, default=32, help="64: as many channels as the paper.")
    asked.add_argument("--steps", type=int, default=300)
    asked.add_argument("--repetitions", type=int, default=2, help="Of all images.")
    asked.add_argument("--threads", type=int, default=0)
    given = asked.parse_args()
    if given.prepare:
        words = [str(given.folder), "--width", str(given.width), "--steps", str(given.steps)]
        words += ["--threads", str(given.threads)]
        subprocess.run(
            [str(given.peer), "-m", "bench.peers.retinanet", *words], check=True, cwd=ROOT
        )
        return
    line = {"bench": "detector", **_measured(given), **describe()}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _measured(given: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as work:
        kept = {"kept": str(Path(work) / "measured.json")}
        entrants: dict[str, PeerProcess] = {}
        facts: dict[str, Any] = {}
        try:
            for name, python, module, more in (
                ("ours", Path(sys.executable), "detector_ours", {"precision": "auto", **kept}),
                ("ours f32", Path(sys.executable), "detector_ours", {"precision": "f32", **kept}),
                ("torch", given.peer, "detector_torch", {}),
            ):
                entrants[name] = PeerProcess(python, module)
                words = {"path": str(given.folder), "threads": given.threads, **more}
                facts[name] = entrants[name].ask("load", **words)
            images = _count(given.folder)
            runs: dict[str, list[dict[str, Any]]] = {name: [] for name in entrants}
            for _ in range(given.repetitions):
                for number in range(images):
                    for name, process in entrants.items():
                        place = str(Path(work) / f"{name}-{number}.npz")
                        runs[name].append(process.ask("run", number=number, outputs=place))
        finally:
            for process in entrants.values():
                process.close()
        scores = {name: _average_precision(given.folder, Path(work), name) for name in runs}
    medians = {
        name: {kind: statistics.median(one[kind] for one in found) for kind in ("seconds", "cpu")}
        for name, found in runs.items()
    }
    ratios = {
        f"{other} / torch, {kind}": round(
            medians["torch"][kind] / max(medians[other][kind], 1e-9), 2
        )
        for other in ("ours", "ours f32")
        for kind in ("seconds", "cpu")
    }
    shown = {
        name: {kind: round(value, 4) for kind, value in found.items()}
        for name, found in medians.items()
    }
    tried = {"way": facts["ours"]["way"], "torch_tried": facts["torch"]["tried"]}
    return {**tried, "images": images, "runs": shown, **ratios, "ap": scores}


def _count(folder: Path) -> int:
    with np.load(folder / TEST) as held:
        return sum(name.startswith("image") for name in held)


def _average_precision(folder: Path, work: Path, name: str) -> float:
    how = open_folder(folder).description.boxes
    assert how is not None
    found, truth = [], []
    with np.load(folder / TEST) as held:
        for number in range(_count(folder)):
            size = held[f"image{number}"].shape[1:]
            with np.load(work / f"{name}-{number}.npz") as made:
                boxes = decoded([made["scores"], made["moves"]], how, size)
            found.append(suppressed(boxes, how.overlap, how.most))
            numbers = held[f"numbers{number}"]
            truth.append(Found(held[f"corners{number}"], np.ones(len(numbers)), numbers))
    return round(average_precision(side_by_side(found), side_by_side(truth)), 5)


if __name__ == "__main__":
    main()
