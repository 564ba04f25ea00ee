"""The temperature that makes a classifier as sure as it is right (Guo et al. 2017): the one with
the least negative log-likelihood of labelled images, which does not change what is likeliest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.vision.classifier import Floats, probabilities
from serving.vision.problem import VisionProblem

Numbers = NDArray[np.int64]

LEAST_IMAGES = 20
_BINS = 15
_ENDS = (0.05, 20.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """``before`` and ``after`` are expected calibration errors on images that had no part in
    ``temperature``: each half of the images is judged by the temperature of the other."""

    temperature: float
    before: float
    after: float
    accuracy: float
    images: int


def fitted(scores: Floats, labels: Numbers) -> Calibration:
    """From [image, class] logits and the number of the true class of each image.

    Raises:
        VisionProblem: there are too few images, or only one class.
    """
    if len(labels) < LEAST_IMAGES or len(set(labels.tolist())) < 2:
        raise VisionProblem(
            f"校准至少需要 {LEAST_IMAGES} 张图像和两个类别，现有 {len(labels)} 张。",
            f"Calibration needs {LEAST_IMAGES} images of two classes; there are {len(labels)}.",
        )
    after = np.empty((len(labels), scores.shape[1]))
    for half in _halves(labels):
        after[half] = probabilities(scores[half], temperature(scores[~half], labels[~half]))
    before = probabilities(scores)
    return Calibration(
        round(temperature(scores, labels), 4),
        expected_error(before, labels),
        expected_error(after, labels),
        float((before.argmax(axis=1) == labels).mean()),
        len(labels),
    )


def temperature(scores: Floats, labels: Numbers) -> float:
    """The likeliest one."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log: float) -> float:
        shares = probabilities(scores, float(np.exp(log)))[rows, labels]
        return -float(np.log(np.clip(shares, 1e-12, 1)).mean())

    ends = (float(np.log(_ENDS[0])), float(np.log(_ENDS[1])))
    return float(np.exp(minimize_scalar(loss, bounds=ends, method="bounded").x))


def expected_error(shares: Floats, labels: Numbers, bins: int = _BINS) -> float:
    """The expected calibration error: |accuracy - confidence| in bins of confidence, weighted."""
    sure = shares.max(axis=1)
    right = shares.argmax(axis=1) == labels
    places = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(places, right - sure, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def _halves(labels: Numbers) -> list[NDArray[np.bool_]]:
    """Every other image of each class, and the rest."""
    first = np.zeros(len(labels), bool)
    for one in np.unique(labels):
        first[np.flatnonzero(labels == one)[::2]] = True
    return [first, ~first]
