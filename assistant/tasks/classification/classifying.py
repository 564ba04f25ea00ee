"""From an image to its classes: prepared, scored, calibrated, and where the likeliest was seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.channels import Channels
from assistant.tasks.classification.draft import Likelihood, Place
from assistant.tasks.classification.image_input import Input, back, prepared, size_of
from serving.vision.classifier import Classifier, Floats
from serving.vision.folder import open_folder
from serving.vision.occlusion import Report, heat_map, margin
from serving.vision.problem import VisionProblem
from serving.vision.store import VisionStore

_HOT = 0.5
"""Of the greatest fall: what is as hot as this and hangs together with the peak is the place."""
_LEAST_FALL = 0.05
"""Of a logit, below which covering a part changes nothing worth telling."""


@dataclass(frozen=True, slots=True)
class Classified:
    """``heat`` is on the image's own grid; None where it was not asked for."""

    classes: list[Likelihood]
    heat: NDArray[np.float32] | None
    seen: Place | None
    seconds: float


class ImageClassifier:
    """One model, ready to classify images one after the other."""

    def __init__(self, classifier: Classifier, size: tuple[int, int, int]) -> None:
        self.classifier = classifier
        self.size = size
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The model's."""
        return self.classifier.opened.description.name

    def scores(self, images: Sequence[Channels]) -> Floats:
        """[image, class] logits.  Raises `ImageProblem` for an image that the model is not for."""
        said = self.classifier.opened.description
        with self._lock:
            return self.classifier.scores(prepared(one, said, self.size).array for one in images)

    def classify(
        self,
        image: Channels,
        *,
        heat: bool = True,
        report: Report | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Classified:
        """How likely each class is, the likeliest first.

        Raises `ImageProblem` for an image that the model is not for, `Cancelled`.
        """
        started = time.perf_counter()
        given = prepared(image, self.classifier.opened.description, self.size)
        with self._lock:
            scores = self.classifier.scores([given.array])
            found = None
            if heat:
                found = self._heat(given, scores, report, cancelled)
        shares = self.classifier.probabilities(scores)[0]
        order = np.argsort(-shares, kind="stable")
        whole = None if found is None else back(found, given.grid, image.first.grid)
        classes = self.classifier.opened.description.classes
        return Classified(
            [
                Likelihood(
                    name=classes[n].name,
                    name_zh=classes[n].name_zh,
                    code=classes[n].code,
                    score=round(float(scores[0, n]), 4),
                    probability=round(float(shares[n]), 4),
                )
                for n in order
            ],
            whole,
            None if whole is None else hottest(whole),
            time.perf_counter() - started,
        )

    def _heat(
        self,
        given: Input,
        scores: Floats,
        report: Report | None,
        cancelled: Callable[[], bool],
    ) -> NDArray[np.float32]:
        number = int(scores[0].argmax())
        exclusive = self.classifier.exclusive
        found = heat_map(
            self.classifier.scores,
            given.array,
            number,
            float(margin(scores, number, exclusive)[0]),
            exclusive=exclusive,
            report=report,
            cancelled=cancelled,
        )
        return found if found.ndim == 3 else found[None]


def hottest(heat: NDArray[np.float32]) -> Place | None:
    """The part around the peak; None where no part matters."""
    peak = np.unravel_index(int(heat.argmax()), heat.shape)
    most = float(heat[peak])
    if most < _LEAST_FALL:
        return None
    labels, _ = ndimage.label(heat >= _HOT * most)
    part = ndimage.find_objects((labels == labels[peak]).astype(np.uint8))[0]
    return Place(
        low=_point([one.start for one in part]),
        high=_point([one.stop - 1 for one in part]),
        peak=_point(peak),
        fall=round(most, 4),
    )


def _point(index: Iterable[Any]) -> tuple[int, int, int]:
    first, second, third = (int(one) for one in index)
    return first, second, third


def open_classifier(model: str, home: Path, threads: int = 0) -> ImageClassifier:
    """A model by its name, or by the folder that it is in.

    Raises:
        VisionProblem: there is none, it does not fit its description, or is no classifier.
    """
    store = VisionStore(home)
    if not store.holds(model) and Path(model).is_dir():
        opened = open_folder(Path(model))
    else:
        opened = store.open(model)
    if opened.description.task != "classification":
        raise VisionProblem(
            f"模型 {opened.description.name} 不用于分类，请核对 vision.yaml 的 task。",
            "This model is not for classification (task in its vision.yaml).",
        )
    size = size_of(opened)
    given = size if opened.description.dimensions == 3 else size[1:]
    return ImageClassifier(Classifier(opened, given, threads), size)
