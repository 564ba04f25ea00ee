"""A classifier on images of known truth: accuracy, calibration, and whether the heat map points.

A small network learns from radiographs that are drawn here (PyTorch, which only this needs), and is
then used as a hospital would use its own: its folder is registered, calibrated on images that it
has not seen, and asked by the chain of `bedside classify`.  One JSON line.

    python -m bench.classification --train 1500 --test 400
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import ndimage, special

CLASSES = (("normal", "未见异常"), ("nodule", "结节"), ("consolidation", "实变"))
SIZE = 96
Array = NDArray[np.float32]


def radiograph(rng: np.random.Generator, number: int) -> tuple[Array, tuple[int, int] | None]:
    """Rows and columns from 0 to 1, and the middle (row, column) of what is there to be seen."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    image = 0.75 - 0.1 * np.abs(x - SIZE / 2) / SIZE + rng.normal(0, 0.02)
    centres = []
    for side in (-1, 1):
        cy, cx = SIZE * rng.uniform(0.46, 0.54), SIZE / 2 + side * SIZE * rng.uniform(0.2, 0.25)
        ry, rx = SIZE * rng.uniform(0.34, 0.4), SIZE * rng.uniform(0.13, 0.17)
        inside = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2
        image -= 0.45 * special.expit((1 - inside) * 8)
        centres.append((cy, cx, ry, rx))
    for rib in range(7):
        bow = SIZE * (0.12 + 0.11 * rib) + 0.004 * (x - SIZE / 2) ** 2
        image += 0.06 * np.exp(-(((y - bow) / 1.6) ** 2))
    # Vessels: threads and dots, which a nodule is to be told from.
    threads = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), (2.5, 0.9))
    image += 0.035 * threads / threads.std()
    seen = None
    if number:
        cy, cx, ry, rx = centres[rng.integers(2)]
        row, column = cy + ry * rng.uniform(-0.6, 0.6), cx + rx * rng.uniform(-0.5, 0.5)
        away = np.hypot(y - row, x - column)
        if number == 1:
            radius = rng.uniform(2.2, 4.5)
            image += rng.uniform(0.1, 0.28) * special.expit((radius - away) * 2.2)
        else:
            cloud = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), 4)
            edge = away + 5 * cloud / cloud.std()
            image += rng.uniform(0.08, 0.24) * special.expit((rng.uniform(10, 15) - edge) * 0.5)
        seen = round(row), round(column)
    image += rng.normal(0, 0.03, image.shape)
    return np.clip(image, 0, 1).astype(np.float32), seen


def drawn(count: int, seed: int) -> tuple[Array, NDArray[np.int64], list[tuple[int, int] | None]]:
    """Images [n, row, column], their classes, and where to look."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CLASSES), count)
    pairs = [radiograph(rng, int(one)) for one in labels]
    return np.stack([image for image, _ in pairs]), labels, [seen for _, seen in pairs]


def trained(images: Array, labels: NDArray[np.int64], epochs: int, folder: Path) -> None:
    """A network of five convolutions as an OpenVINO IR, with its vision.yaml."""
    import openvino
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(2)
    layers: list[Any] = []
    given = 1
    for width, stride in ((12, 2), (24, 2), (32, 1), (48, 2), (64, 1)):
        layers += [torch.nn.Conv2d(given, width, 3, stride, 1), torch.nn.BatchNorm2d(width)]
        layers += [torch.nn.ReLU()]
        given = width
    network = torch.nn.Sequential(
        *layers, torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 3)
    )
    best = torch.optim.AdamW(network.parameters(), 3e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(best, 3e-3, epochs * (len(images) // 32 + 1))
    x, y = torch.from_numpy(images[:, None]), torch.from_numpy(labels)
    for _ in range(epochs):
        network.train()
        for part in torch.randperm(len(x)).split(32):
            best.zero_grad()
            torch.nn.functional.cross_entropy(network(x[part]), y[part]).backward()
            best.step()
            plan.step()
    network.eval()
    model = openvino.convert_model(network, example_input=x[:1], input=[1, 1, SIZE, SIZE])
    openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)
    said = {
        "task": "classification",
        "dimensions": 2,
        "intensity": {"kind": "range", "low": 0, "high": 255},
        "classes": [{"name": name, "name_zh": zh} for name, zh in CLASSES],
    }
    (folder / "vision.yaml").write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")


def written(images: Array, labels: NDArray[np.int64], folder: Path) -> None:
    """PNG files in a folder for each class."""
    from PIL import Image

    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        place = folder / CLASSES[label][0]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(image * 255).astype(np.uint8)).save(place / f"{number:04}.png")


def main() -> None:
    """Train, calibrate, and measure on images that neither saw."""
    from assistant.imaging import channels
    from assistant.tasks.classification.classifying import open_classifier
    from assistant.training.classification.calibrating import calibrated
    from assistant.training.classification.labelled_images import listed, scored
    from serving.vision.calibration import expected_error

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--train", type=int, default=1500)
    asked.add_argument("--test", type=int, default=400)
    asked.add_argument("--epochs", type=int, default=14)
    asked.add_argument("--heat", type=int, default=60, help="Images whose heat map is looked at.")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        model = home / "model"
        model.mkdir()
        started = time.perf_counter()
        trained(*drawn(given.train, 1)[:2], given.epochs, model)
        seconds = time.perf_counter() - started
        print(f"trained in {seconds:.0f} s", file=sys.stderr, flush=True)
        written(*drawn(given.test, 2)[:2], home / "calibration")
        images, labels, seen = drawn(given.test, 3)
        written(images, labels, home / "test")

        def quiet(done: int, total: int, what: str) -> None:
            return None

        plain = open_classifier(str(model), home, 2)
        listing = listed(home / "test", plain.classifier.classes)
        scores, truth = scored(plain, listing, "", quiet)
        fitted = calibrated(str(model), home / "calibration", home, "", quiet)
        after = open_classifier(str(model), home, 2)
        shares = [one.classifier.probabilities(scores) for one in (plain, after)]
        print("calibrated", file=sys.stderr, flush=True)
        right, inside, times = 0, 0, []
        at = [n for n in range(len(images)) if seen[n] is not None][: given.heat]
        for number in at:
            path = home / "test" / CLASSES[labels[number]][0] / f"{number:04}.png"
            found = after.classify(channels.read(path))
            times.append(found.seconds)
            if found.classes[0].name != CLASSES[labels[number]][0] or found.seen is None:
                continue
            right += 1
            place = seen[number]
            assert place is not None
            away = np.hypot(found.seen.peak[1] - place[0], found.seen.peak[2] - place[1])
            inside += bool(away <= (8 if labels[number] == 1 else 18))
        correct = shares[0].argmax(axis=1) == truth
        line = {
            "train": given.train,
            "train_seconds": round(seconds, 1),
            "test": given.test,
            "accuracy": round(float(correct.mean()), 4),
            "standard_error": round(float(correct.std() / np.sqrt(len(correct))), 4),
            "temperature": fitted.temperature,
            "ece_before": round(expected_error(shares[0], truth), 4),
            "ece_after": round(expected_error(shares[1], truth), 4),
            "heat_maps": right,
            "peak_on_lesion": round(inside / max(right, 1), 3),
            "seconds_with_heat_map": round(float(np.median(times)), 2),
        }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
