"""Training a segmentation network: patches, Dice and cross-entropy, going on after a kill."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from assistant.training.optimisation import (
    Numbers,
    Progress,
    TrainingInvalid,
    adamw,
    clip,
    device,
    products,
    warm_and_fall,
)
from assistant.training.segmentation import networks
from assistant.training.segmentation.case import Case
from assistant.training.segmentation.loss import dice_and_entropy, right, weights_of
from assistant.training.segmentation.networks import Shape
from assistant.training.segmentation.patches import Augmentation, Patches
from assistant.training.state import RunState, seed


@dataclass(frozen=True, slots=True)
class FitSettings:
    """``patch`` along the network's axes; ``steps`` of ``batch`` patches make an epoch; the rate
    rises over the share ``warm`` of all steps and falls to nothing."""

    patch: tuple[int, int, int]
    epochs: int = 30
    steps: int = 40
    batch: int = 8
    rate: float = 2e-3
    warm: float = 0.1
    augmentation: Augmentation = field(default_factory=Augmentation)
    numbers: Numbers = "auto"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """``right``: the share of the patches' voxels that were given their class; ``seconds`` since
    the run began, earlier parts of it too."""

    number: int
    loss: float
    right: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """The network with its last weights, on the processor."""

    model: Any
    epochs: tuple[Epoch, ...]


def fit(
    cases: Sequence[Case],
    shape: Shape,
    settings: FitSettings,
    folder: Path,
    facts: Mapping[str, Any],
    report: Progress,
) -> Fitted:
    """Train on ``cases``; what ``folder`` holds of a run that was killed goes on after its last
    whole epoch, and comes to the same weights.

    ``facts`` tell, beside the settings, one run from another (such as which cases it has).

    Raises:
        TrainingInvalid: the loss is no number any more.
        StateInvalid: the folder holds the state of another run.
    """
    seed(settings.seed)
    place = device()
    model = networks.build(shape).to(place)
    optimizer = adamw(model, lambda name: settings.rate)
    kept = {"segmentation": asdict(settings), "shape": asdict(shape), **facts}
    state = RunState(folder, kept)
    history: list[Epoch] = []
    found = state.restore(model, optimizer)
    if found is not None:
        groups, record = found
        model.load_state_dict(groups["model"])
        history = [Epoch(**one) for one in record["history"]]
    patches = Patches(cases, settings.patch, shape.dimensions == 2, settings.augmentation)
    counts = sum(np.bincount(one.labels.ravel(), minlength=shape.classes) for one in cases)
    weights = weights_of(np.asarray(counts).tolist()).to(place)
    clock = time.monotonic() - (history[-1].seconds if history else 0.0)
    for number in range(len(history), settings.epochs):
        loss, share = _epoch(model, optimizer, patches, weights, number, settings, report)
        history.append(Epoch(number + 1, loss, share, time.monotonic() - clock))
        record = {"history": [asdict(one) for one in history]}
        state.save({"model": model.state_dict()}, model, optimizer, record)
    return Fitted(model.to("cpu").eval(), tuple(history))


def finished(folder: Path) -> None:
    """Remove what a run would go on from: the model is written."""
    RunState(folder, {}).remove()


def _epoch(
    model: Any,
    optimizer: Any,
    patches: Patches,
    weights: Any,
    number: int,
    settings: FitSettings,
    report: Progress,
) -> tuple[float, float]:
    """Mean loss and share of right voxels over the epoch's steps."""
    random = np.random.default_rng([settings.seed, number])
    total = settings.epochs * settings.steps
    losses, shares = [], []
    model.train()
    for step in range(settings.steps):
        done = number * settings.steps + step
        images, labels = (one.to(device()) for one in patches.batch(settings.batch, random))
        warm_and_fall(optimizer, done, total, settings.warm)
        with products(settings.numbers):
            scores = model(images)
        loss = dice_and_entropy(scores.float(), labels, weights)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip(model.parameters())
        optimizer.step()
        losses.append(float(loss.detach()))
        shares.append(float(right(scores.detach(), labels)))
        if not np.isfinite(losses[-1]):
            raise TrainingInvalid(
                "损失不再是数值，请调低 --rate。(The loss is no number any more; lower --rate.)"
            )
        report(
            done + 1,
            total,
            f"epoch {number + 1}, loss {np.mean(losses):.4f}, right {np.mean(shares):.1%}",
        )
    return float(np.mean(losses)), float(np.mean(shares))
