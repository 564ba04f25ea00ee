"""Segmentation networks: ours at the precision it chooses against stock PyTorch at its best.

A U-Net and a Dense U-Net over a slice of 512 × 512, trained for a short while on invented organs
(`--prepare`, minutes, once), and a brain network over a T1 volume or a cube of its middle.  Same
weights, same input, classes out; every entrant is a process of its own, and they take turns.
PyTorch computes float32 in whichever of its ways is quickest here (eager, jit, channels last,
compiled).  One JSON line for each network: medians in seconds, how many times quicker, peak memory,
Dice against PyTorch's classes; ``--memory`` adds the whole volume by ours alone.

    python -m bench.vision --networks /tmp/nets --peer .venv-train/bin/python --prepare
    python -m bench.vision --networks /tmp/nets --peer .venv-train/bin/python \\
        --brain MODEL_FOLDER --image t1.nii.gz --crop 128 --memory
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.machine import describe
from bench.peer_process import ROOT, PeerFailed, PeerProcess
from serving.vision.precision import dice

NETWORKS = ("unet", "dense-unet")


def main() -> None:
    """Prepare, or measure and print JSON lines."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--networks", type=Path, help="Folder of what --prepare made.")
    asked.add_argument("--peer", type=Path, help="A Python with PyTorch, and NNCF to prepare.")
    asked.add_argument("--prepare", action="store_true")
    asked.add_argument("--width", type=int, default=32, help="Of the networks to prepare.")
    asked.add_argument("--brain", type=Path, help="A model folder, a row of convolutions.")
    asked.add_argument("--image", type=Path, help="The volume that it is for.")
    asked.add_argument("--crop", type=int, default=128, help="Edge of the cube; 0: all of it.")
    asked.add_argument("--memory", action="store_true", help="The whole volume, ours, once.")
    asked.add_argument("--repetitions", type=int, default=5)
    asked.add_argument("--precision", default="auto")
    asked.add_argument("--ways", default="", help="Of PyTorch, as eager,jit; default: all.")
    asked.add_argument("--threads", type=int, default=0)
    given = asked.parse_args()
    if given.prepare:
        _prepare(given)
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in NETWORKS if given.networks else ():
            place = given.networks / name
            if not (place / "image.npy").is_file():
                print(f"{name}: not prepared (--prepare)", file=sys.stderr)
                continue
            _tell(name, _measured(given, place, place, place / "image.npy", work))
        if given.brain:
            _brain(given, work)


def _prepare(given: argparse.Namespace) -> None:
    for name in NETWORKS:
        words = [str(given.networks / name), name, "--width", str(given.width)]
        made = subprocess.run(
            [str(given.peer), "-m", "bench.peers.vision_networks", *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        print(name, made.stdout.splitlines()[-1], flush=True)


def _brain(given: argparse.Namespace, work: Path) -> None:
    array, kept = _scaled(given.brain, given.image)
    (work / "chain").mkdir()
    np.savez(work / "chain" / "chain.npz", **kept)
    if given.memory:
        np.save(work / "whole.npy", array)
        alone = _alone(given, given.brain, work / "whole.npy", work)
        _tell("brain, whole volume, ours alone", {"shape": array.shape, **alone})
    if given.crop:
        array = _middle(array, given.crop)
    np.save(work / "part.npy", array)
    found = _measured(given, given.brain, work / "chain", work / "part.npy", work)
    _tell("brain", {"shape": array.shape, **found})


def _scaled(model: Path, image: Path) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """The scaled volume, and the layers for a Python that has none of our packages."""
    from assistant.imaging.conform import conformed, scaled
    from assistant.imaging.source import read_image
    from serving.vision.chain import stages_of
    from serving.vision.folder import open_folder

    opened = open_folder(model)
    said = opened.description
    array = scaled(conformed(read_image(image), said).array, said.intensity)
    stages = stages_of(opened.model) or []
    kept: dict[str, Any] = {"count": len(stages)}
    for number, one in enumerate(stages):
        kept |= {f"k{number}": one.kernel, f"b{number}": one.bias}
        kept |= {f"d{number}": one.dilation, f"a{number}": one.activation}
    return array, kept


def _middle(array: NDArray[np.float32], edge: int) -> NDArray[np.float32]:
    """A cube around the middle of what is not background."""
    places = np.argwhere(array[::4, ::4, ::4] > array.min()).mean(axis=0) * 4
    starts = [
        int(np.clip(at - edge // 2, 0, max(n - edge, 0)))
        for at, n in zip(places, array.shape, strict=True)
    ]
    return np.ascontiguousarray(array[tuple(slice(a, a + edge) for a in starts)])


def _measured(
    given: argparse.Namespace, model: Path, weights: Path, image: Path, work: Path
) -> dict[str, Any]:
    """All entrants in turns."""
    kept = str(work / "measured.json")
    common = {"image": str(image), "threads": given.threads}
    entrants: dict[str, PeerProcess] = {}
    facts: dict[str, Any] = {}
    try:
        for name, precision in (("ours", given.precision), ("ours f32", "f32")):
            entrants[name] = PeerProcess(Path(sys.executable), "vision_ours")
            words = {"path": str(model), "kept": kept, "precision": precision, **common}
            facts[name] = entrants[name].ask("load", **words)
        if given.peer:
            entrants["torch"] = PeerProcess(given.peer, "vision_torch")
            words = {"path": str(weights), "ways": given.ways, **common}
            facts["torch"] = entrants["torch"].ask("load", **words)
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in entrants}
        for _ in range(given.repetitions):
            for name, process in entrants.items():
                answer = process.ask("run", labels=str(work / f"{name}.npy"))
                runs[name].append(answer)
        profile = entrants["ours"].ask("profile")
    finally:
        for process in entrants.values():
            process.close()
    return {
        "way": facts["ours"]["way"],
        "torch_tried": facts.get("torch", {}).get("tried"),
        "runs": {name: _shown(found) for name, found in runs.items()},
        **_ratios(runs),
        "dice": _agreement(list(runs), work, model / "truth.npy"),
        "profile_ms": profile["milliseconds"],
    }


def _alone(given: argparse.Namespace, model: Path, image: Path, work: Path) -> dict[str, Any]:
    process = PeerProcess(Path(sys.executable), "vision_ours")
    try:
        words = {"path": str(model), "kept": str(work / "measured.json"), "image": str(image)}
        loaded = process.ask("load", precision=given.precision, threads=given.threads, **words)
    except PeerFailed as error:
        return {"error": str(error)[:300]}
    finally:
        process.close()
    return {
        "way": loaded["way"],
        "seconds_with_choice": round(loaded["first_seconds"], 2),
        "peak_gib": round(loaded["peak_resident"] / 2**30, 2),
    }


def _shown(found: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    seconds = [one["seconds"] for one in found]
    return {
        "median": round(statistics.median(seconds), 3),
        "best": round(min(seconds), 3),
        "cpu": round(statistics.median(one["cpu"] for one in found), 3),
        "peak_gib": round(max(one["peak_resident"] for one in found) / 2**30, 2),
    }


def _ratios(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, float]:
    """How many times quicker ours is, by the clock and by CPU time, which a busy machine tells
    better."""
    found = {}
    for name, other in (("torch", "ours"), ("ours f32", "ours"), ("torch", "ours f32")):
        if name in runs and other in runs:
            for kind in ("seconds", "cpu"):
                slow, quick = (
                    statistics.median(one[kind] for one in runs[key]) for key in (name, other)
                )
                found[f"{other} / {name}, {kind}"] = round(slow / max(quick, 1e-9), 2)
    return found


def _agreement(names: Sequence[str], work: Path, truth: Path) -> dict[str, float]:
    labels = {name: np.load(work / f"{name}.npy") for name in names}
    base = "torch" if "torch" in labels else "ours f32"
    found = {
        f"{name}, {base}": round(dice(labels[base], one), 5)
        for name, one in labels.items()
        if name != base
    }
    if truth.is_file():
        drawn = np.load(truth)
        found |= {f"{name}, truth": round(dice(drawn, one), 5) for name, one in labels.items()}
    return found


def _tell(name: str, found: Mapping[str, Any]) -> None:
    line = {"bench": "vision", "network": name, **found, **describe()}
    print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
