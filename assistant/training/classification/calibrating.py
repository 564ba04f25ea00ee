"""A classifier's temperature from a folder of labelled images, written into its vision.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assistant.tasks.classification.classifying import open_classifier
from assistant.training.classification.labelled_images import listed, scored
from serving.vision import description
from serving.vision.calibration import Calibration, fitted
from serving.vision.problem import VisionProblem
from serving.vision.store import VisionStore


def calibrated(
    model: str,
    folder: Path,
    home: Path,
    modality: str,
    report: Callable[[int, int, str], None],
) -> Calibration:
    """Nothing is written where the error would grow.

    Raises `VisionProblem` for a model that this is not for, `ImageProblem` for images.
    """
    ready = open_classifier(model, home)
    opened = ready.classifier.opened
    if not ready.classifier.exclusive:
        raise VisionProblem(
            "该模型的类别可同时存在（sigmoid），不能用一个温度校准。",
            "Its classes may be together (sigmoid); one temperature does not calibrate them.",
        )
    scores, labels = scored(ready, listed(folder, ready.classifier.classes), modality, report)
    found = fitted(scores, labels)
    if found.after < found.before:
        said = opened.description.model_copy(update={"temperature": found.temperature})
        (opened.folder / description.FILE_NAME).write_text(description.as_yaml(said), "utf-8")
        store = VisionStore(home)
        if store.holds(model):
            store.renew(model)
    return found
