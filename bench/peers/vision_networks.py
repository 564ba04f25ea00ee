"""Makes what `bench.vision` measures: a network trained for a short while on invented organs, its
weights for PyTorch, its IR, and its INT8 by NNCF.  Runs where PyTorch is.

    python -m bench.peers.vision_networks FOLDER unet --size 512 --width 32
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SLICES, _BODY = 4, 128
NAMES = ("liver", "spleen", "kidney")


def main() -> None:
    """Train, export, quantise; prints one JSON line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("kind", choices=("unet", "dense-unet"))
    asked.add_argument("--size", type=int, default=512)
    asked.add_argument("--width", type=int, default=32)
    asked.add_argument("--levels", type=int, default=5)
    asked.add_argument("--steps", type=int, default=240)
    asked.add_argument("--threads", type=int, default=0)
    given = asked.parse_args()
    import torch
    from safetensors.torch import save_file

    from assistant.imaging.volume import Grid
    from assistant.training.segmentation import export, fitting
    from assistant.training.segmentation.case import Case
    from assistant.training.segmentation.networks import Shape
    from bench.peers.vision_torch import SHAPE, WEIGHTS
    from serving.vision.description import Class, Description, Intensity
    from serving.vision.folder import open_folder
    from serving.vision.quantising import quantise

    if given.threads:
        torch.set_num_threads(given.threads)
    size = (_SLICES, given.size, given.size)
    cases = []
    for number in range(5):
        image, labels = _sheet(given.size, number)
        array = np.clip(image / 1000, 0, 1)
        cases.append(Case(str(number), array, labels, Grid(size, (1.0, 1.0, 1.0))))
    shape = Shape(given.kind, len(NAMES) + 1, given.width, given.levels)
    settings = fitting.FitSettings((1, _BODY, _BODY), 4, given.steps // 4, 4, 2e-3)
    given.folder.mkdir(parents=True, exist_ok=True)
    fitted = fitting.fit(
        cases[:-1], shape, settings, given.folder, {}, lambda done, total, told: None
    )
    fitting.finished(given.folder)
    said = Description(
        name=given.kind,
        dimensions=2,
        intensity=Intensity(kind="range", low=0, high=1000),
        classes=tuple(Class(name=name) for name in ("background", *NAMES)),
    )
    export.write(given.folder, fitted.model, said)
    (given.folder / SHAPE).write_text(json.dumps(asdict(shape)))
    save_file(
        {name: value.contiguous() for name, value in fitted.model.state_dict().items()},
        given.folder / WEIGHTS,
    )
    np.save(given.folder / "image.npy", cases[-1].array[1:2])
    np.save(given.folder / "truth.npy", cases[-1].labels[1:2])
    made = quantise(open_folder(given.folder), [one.array for one in cases[:2]], 0.005)
    print(json.dumps({"loss_of_dice": round(made.loss, 5), "int8": made.kept}))


def _sheet(size: int, number: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Bodies side by side, [slice, row, column]: a large image of structures of usual size."""
    from assistant.training.segmentation.simulation import organs

    count = size // _BODY
    bodies = [
        [
            organs((_SLICES, _BODY, _BODY), np.random.default_rng([7, number, row, column]))
            for column in range(count)
        ]
        for row in range(count)
    ]
    image = np.block([[one for one, _ in row] for row in bodies])
    labels = np.block([[one for _, one in row] for row in bodies])
    return image, labels


if __name__ == "__main__":
    main()
