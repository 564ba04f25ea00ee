"""The way from a folder of images and masks to a model folder with its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.imaging.conform import back, conformed, scaled
from assistant.training.optimisation import Numbers, Progress
from assistant.training.segmentation import card, export, fitting, pairs, plan
from assistant.training.segmentation.case import Read, label_values, prepared, read_all
from assistant.training.segmentation.fitting import FitSettings
from assistant.training.segmentation.networks import Kind, Shape
from assistant.training.segmentation.patches import Augmentation
from assistant.training.segmentation.scoring import Score, means, scores
from serving.vision.description import Description
from serving.vision.folder import open_folder
from serving.vision.network import Network

Report = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked for; ``patch`` None: by the images; ``held``: share of the cases that the
    model is tested on and never sees."""

    network: Kind = "unet"
    width: int = 16
    levels: int = 4
    patch: tuple[int, int, int] | None = None
    epochs: int = 30
    steps: int = 40
    batch: int = 8
    rate: float = 2e-3
    held: float = 0.2
    augmentation: Augmentation = field(default_factory=Augmentation)
    numbers: Numbers = "auto"
    seed: int = 1
    modality: str = ""
    names: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Trained:
    """``scores`` are of the held-out cases, by the written model without PyTorch."""

    folder: Path
    description: Description
    scores: tuple[Score, ...]

    @property
    def dice(self) -> float:
        """The mean over structures and cases."""
        return means(self.scores)["dice"]


def train(source: Path, out: Path, asked: Settings, reading: Report, training: Progress) -> Trained:
    """Train on the pairs of ``source`` and write the model to ``out``.

    Raises:
        ImageProblem: the folder or a case of it cannot be used.
        TrainingInvalid, StateInvalid: see `fitting.fit`.
    """
    found = pairs.find(source)
    held = plan.held_out([one.name for one in found], asked.held, asked.seed)
    reads = read_all(found, asked.modality, reading)
    values = label_values(reads)
    learnt = [one for one in reads if one.name not in held]
    shape = Shape(asked.network, len(values), asked.width, asked.levels)
    said = _described(learnt, values, shape, out.resolve().name, asked)
    cases = [prepared(one, values, said) for one in learnt]
    patch = asked.patch or plan.patch_for(cases[0].array.shape, shape.dimensions, shape.multiple)
    if shape.dimensions == 3:
        said = said.model_copy(update={"window": patch})
    settings = FitSettings(
        patch,
        asked.epochs,
        asked.steps,
        asked.batch,
        asked.rate,
        augmentation=asked.augmentation,
        numbers=asked.numbers,
        seed=asked.seed,
    )
    facts = {"cases": [one.name for one in cases], "labels": values}
    fitted = fitting.fit(cases, shape, settings, out, facts, training)
    export.write(out, fitted.model, said)
    tested = [one for one in reads if one.name in held]
    tested_cases = tuple(_tested(out, tested, values))
    card.write(
        out, _facts(said, shape, asked, settings, facts, held), tested_cases, _epochs(fitted)
    )
    fitting.finished(out)
    return Trained(out, said, tested_cases)


def _described(
    reads: Sequence[Read], values: Sequence[int], shape: Shape, name: str, asked: Settings
) -> Description:
    first = asked.patch or (shape.multiple, shape.multiple, shape.multiple)
    return plan.described(
        reads,
        values,
        asked.names,
        shape.dimensions,
        name,
        first,
        shape.multiple,
        asked.licence,
    )


def _tested(folder: Path, reads: Sequence[Read], values: Sequence[int]) -> list[Score]:
    """The held-out cases, segmented as `bedside segment` would, on their own grids."""
    network = Network(open_folder(folder), "f32")
    said = network.opened.description
    names = [one.name for one in said.classes[1:]]
    found: list[Score] = []
    for one in reads:
        given = conformed(one.volume, said)
        array = scaled(given.array, said.intensity)
        labels = back(network.labels(array, float(array.min())), given.grid, one.volume.grid)
        drawn = prepared_mask(one, values)
        found += scores(one.name, labels, drawn, one.volume.grid.spacing, names)
    return found


def prepared_mask(one: Read, values: Sequence[int]) -> Any:
    """The mask as classes 0, 1, … on the image's own grid."""
    import numpy as np

    return np.searchsorted(np.asarray(values), one.mask).astype(np.uint8)


def _facts(
    said: Description,
    shape: Shape,
    asked: Settings,
    settings: FitSettings,
    facts: dict[str, Any],
    held: Sequence[str],
) -> dict[str, Any]:
    import torch

    return {
        "name": said.name,
        "made": datetime.now(UTC).date().isoformat(),
        "network": asdict(shape),
        "structures": [one.name for one in said.classes[1:]],
        "values_of_masks": facts["labels"],
        "modality": said.modality,
        "spacing_mm": list(said.spacing or ()),
        "intensity": said.intensity.model_dump(),
        "trained_on": facts["cases"],
        "tested_on": list(held),
        "licence": said.licence,
        "settings": asdict(replace(settings, augmentation=asked.augmentation)),
        "torch": str(torch.__version__),
    }


def _epochs(fitted: fitting.Fitted) -> list[dict[str, Any]]:
    return [asdict(one) for one in fitted.epochs]
