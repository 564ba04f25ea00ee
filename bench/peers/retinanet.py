"""Makes what `bench.detector` measures: a RetinaNet trained for a short while on drawn things, its
TorchScript, its IR, and its INT8 by NNCF.  Runs where PyTorch is.

Backbone of ResNet-18's blocks, a pyramid of five levels, heads of four convolutions (Lin et al.,
Focal loss for dense object detection, 2017); ``--width 64`` has the paper's number of channels.

    python -m bench.peers.retinanet FOLDER --width 32 --steps 300
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from serving.vision.boxes import Floats, Found, anchors
from serving.vision.description import Anchors, Boxes, Class, Description, Intensity, as_yaml

TRACED, TEST = "torch.pt", "test.npz"
SIDE, TRAINED_SIDE, TESTED = 512, 256, 24
CLASSES = 2
_PLAN = Anchors(sizes=(16, 32, 64, 128, 256))
_RATIOS = len(_PLAN.scales) * len(_PLAN.ratios)
_HIT, _MISS = 0.5, 0.4


class Block(nn.Module):
    """Two convolutions, and the way past them."""

    def __init__(self, given: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(given, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)
        )
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )
        same = stride == 1 and given == width
        past = [nn.Conv2d(given, width, 1, stride, bias=False), nn.BatchNorm2d(width)]
        self.past = nn.Identity() if same else nn.Sequential(*past)

    def forward(self, value: Any) -> Any:
        """Half as large where the stride is 2."""
        return torch.relu(self.second(self.first(value)) + self.past(value))


class RetinaNet(nn.Module):
    """[1, 3, rows, columns] → scores before the sigmoid [1, n, class], corrections [1, n, 4]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        stem = [nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)]
        self.stem = nn.Sequential(*stem, nn.MaxPool2d(3, 2, 1))
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.stages = nn.ModuleList(
            nn.Sequential(Block(given, wide, stride), Block(wide, wide, 1))
            for given, wide, stride in zip([width, *widths], widths, (1, 2, 2, 2), strict=False)
        )
        pyramid = 4 * width
        self.across = nn.ModuleList(nn.Conv2d(wide, pyramid, 1) for wide in widths[1:])
        self.smooth = nn.ModuleList(nn.Conv2d(pyramid, pyramid, 3, 1, 1) for _ in widths[1:])
        self.more = nn.ModuleList(
            [nn.Conv2d(widths[-1], pyramid, 3, 2, 1), nn.Conv2d(pyramid, pyramid, 3, 2, 1)]
        )
        self.scores, self.moves = _head(pyramid, CLASSES), _head(pyramid, 4)
        nn.init.constant_(self.scores[-1].bias, -float(np.log(99)))

    def forward(self, image: Any) -> tuple[Any, Any]:
        """Level by level, row by row, column by column, then anchor by anchor."""
        value = self.stem(image)
        kept = []
        for stage in self.stages:
            value = stage(value)
            kept.append(value)
        levels: list[Any] = []
        above = None
        for across, smooth, one in reversed(
            list(zip(self.across, self.smooth, kept[1:], strict=True))
        ):
            here = across(one)
            if above is not None:
                here = here + nn.functional.interpolate(above, scale_factor=2.0)
            above = here
            levels.insert(0, smooth(here))
        levels.append(self.more[0](kept[-1]))
        levels.append(self.more[1](torch.relu(levels[-1])))
        return _rows(self.scores, levels, CLASSES), _rows(self.moves, levels, 4)


def _head(width: int, values: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(4):
        layers += [nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(True)]
    last = nn.Conv2d(width, _RATIOS * values, 3, 1, 1)
    for layer in [*layers[::2], last]:
        nn.init.normal_(layer.weight, std=0.02)  # type: ignore[arg-type]
    return nn.Sequential(*layers, last)


def _rows(head: nn.Module, levels: list[Any], values: int) -> Any:
    made = [head(one).permute(0, 2, 3, 1).reshape(one.shape[0], -1, values) for one in levels]
    return torch.cat(made, 1)


def drawn(side: int, seed: int) -> tuple[NDArray[np.float32], Found]:
    """An image [3, row, column] of discs and squares on a ground of clouds, and their boxes."""
    from scipy import ndimage

    rng = np.random.default_rng([31, seed])
    ground = ndimage.gaussian_filter(rng.standard_normal((3, side, side)), (0, 12, 12)) * 3
    image = ground + rng.normal(0, 0.15, (3, side, side))
    rows, columns = np.mgrid[:side, :side]
    corners, numbers = [], []
    for _ in range(int(rng.integers(3, 3 + side // 40))):
        size = float(np.exp(rng.uniform(np.log(12), np.log(72))))
        x, y = rng.uniform(size / 2, side - size / 2, 2)
        number = int(rng.integers(1, CLASSES + 1))
        away = np.maximum(abs(columns - x), abs(rows - y))
        if number == 1:
            away = np.hypot(columns - x, rows - y)
        image[:, away <= size / 2] += rng.uniform(0.25, 1.0, 3)[:, None] * rng.choice([-1, 1])
        corners.append([x - size / 2, y - size / 2, x + size / 2, y + size / 2])
        numbers.append(number)
    truth = Found(np.array(corners), np.ones(len(numbers)), np.array(numbers))
    return image.astype(np.float32), truth


def wanted(truth: Found, base: Floats) -> tuple[Any, Any]:
    """For every anchor its class (0: none, −1: in between) and its corrections."""
    low = np.maximum(base[:, None, :2], truth.corners[None, :, :2])
    high = np.minimum(base[:, None, 2:], truth.corners[None, :, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=2)
    areas = np.prod(base[:, 2:] - base[:, :2], axis=1)
    mine = np.prod(truth.corners[:, 2:] - truth.corners[:, :2], axis=1)
    shares = both / (areas[:, None] + mine[None] - both)
    best, share = shares.argmax(axis=1), shares.max(axis=1)
    # Each thing has an anchor, however badly it fits.
    closest = shares.argmax(axis=0)
    best[closest], share[closest] = np.arange(len(truth)), 1.0
    numbers = np.where(share >= _HIT, truth.numbers[best], np.where(share >= _MISS, -1, 0))
    sizes, boxes = base[:, 2:] - base[:, :2], truth.corners[best]
    wide = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, :2] + boxes[:, 2:] - base[:, :2] - base[:, 2:]) / 2
    moves = np.hstack([centre / sizes, np.log(wide / sizes)])
    return torch.from_numpy(numbers), torch.from_numpy(moves.astype(np.float32))


def loss_of(scores: Any, moves: Any, numbers: Any, targets: Any) -> Any:
    """Focal loss (α 0.25, γ 2) and smooth L1, a matched anchor."""
    counted = numbers >= 0
    right = torch.zeros_like(scores)
    hit = numbers > 0
    right[hit, numbers[hit] - 1] = 1
    plain = nn.functional.binary_cross_entropy_with_logits(scores, right, reduction="none")
    share = torch.sigmoid(scores)
    missed = torch.where(right > 0, 1 - share, share)
    focal = torch.where(right > 0, 0.25, 0.75) * missed**2 * plain
    count = hit.sum().clamp(min=1)
    placed = nn.functional.smooth_l1_loss(moves[hit], targets[hit], beta=0.1, reduction="sum")
    return focal[counted].sum() / count + placed / count


def trained(width: int, steps: int, batch: int) -> RetinaNet:
    """On images of 256 × 256."""
    torch.manual_seed(0)
    model = RetinaNet(width)
    best = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=1e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(best, 1e-3, steps)
    base = anchors(_PLAN, (TRAINED_SIDE, TRAINED_SIDE))
    for step in range(steps):
        images, truths = zip(
            *(drawn(TRAINED_SIDE, 10_000 + step * batch + n) for n in range(batch)), strict=True
        )
        scores, moves = model(torch.from_numpy(np.stack(images)))
        parts = [wanted(one, base) for one in truths]
        losses = [
            loss_of(scores[n], moves[n], numbers, targets)
            for n, (numbers, targets) in enumerate(parts)
        ]
        loss = torch.stack(losses).mean()
        best.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        best.step()
        plan.step()
        if step % 20 == 0:
            print(f"step {step} loss {float(loss.detach()):.3f}", file=sys.stderr, flush=True)
    return model.eval()


def main() -> None:
    """Train, export, quantise; prints one JSON line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--width", type=int, default=32)
    asked.add_argument("--steps", type=int, default=300)
    asked.add_argument("--batch", type=int, default=4)
    asked.add_argument("--threads", type=int, default=0)
    given = asked.parse_args()
    import openvino

    from serving.vision.folder import open_folder
    from serving.vision.quantising_boxes import quantise

    if given.threads:
        torch.set_num_threads(given.threads)
    model = trained(given.width, given.steps, given.batch)
    given.folder.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        torch.jit.trace(model, example, check_trace=False).save(str(given.folder / TRACED))
    graph = openvino.convert_model(model, example_input=example, input=[1, 3, SIDE, SIDE])
    openvino.save_model(graph, given.folder / "model.xml", compress_to_fp16=False)
    said = Description(
        name="retinanet",
        task="detection",
        dimensions=2,
        channels=3,
        intensity=Intensity(kind="none"),
        classes=tuple(Class(name=name) for name in ("background", "disc", "square")),
        boxes=Boxes(kind="retinanet", anchors=_PLAN, score=0.05),
    )
    (given.folder / "vision.yaml").write_text(as_yaml(said), "utf-8")
    pairs = [drawn(SIDE, number) for number in range(TESTED)]
    kept = {f"image{n}": image for n, (image, _) in enumerate(pairs)}
    for n, (_, truth) in enumerate(pairs):
        kept |= {f"corners{n}": truth.corners, f"numbers{n}": truth.numbers}
    np.savez(given.folder / TEST, **kept)
    # On others than those that it is judged by.
    others = [drawn(SIDE, 1000 + number)[0] for number in range(32)]
    made = quantise(open_folder(given.folder), others, 0.005)
    print(json.dumps({"loss_of_ap": round(made.loss, 5), "int8": made.kept}))


if __name__ == "__main__":
    main()
