"""The heat map lies where the class is, in two and in three dimensions."""

from __future__ import annotations

from pathlib import Path

import classifier_models
import numpy as np
import pytest

from serving.vision.classifier import Classifier
from serving.vision.folder import open_folder
from serving.vision.occlusion import heat_map, margin
from serving.vision.problem import Cancelled


@pytest.mark.parametrize("size", [(32, 40), (12, 24, 20)])
def test_the_peak_is_on_the_spot(tmp_path: Path, size: tuple[int, ...]) -> None:
    model = Classifier(open_folder(classifier_models.write(tmp_path, size)), size)
    image = np.random.default_rng(0).uniform(0, 0.2, (1, *size)).astype(np.float32)
    place = tuple(slice(n // 2, n // 2 + 3) for n in size)
    image[(0, *place)] = 1
    scores = model.scores([image])
    heat = heat_map(model.scores, image, 1, float(margin(scores, 1)[0]))
    assert heat.shape == size
    peak = np.unravel_index(int(heat.argmax()), size)
    for at, part in zip(peak, place, strict=True):
        assert part.start - 4 <= at <= part.stop + 3
    # What is far from it does not matter.
    assert abs(float(heat[(0,) * len(size)])) < 0.1 * heat.max()


def test_it_stops_when_told(tmp_path: Path) -> None:
    model = Classifier(open_folder(classifier_models.write(tmp_path)), (16, 16))
    image = np.zeros((1, 16, 16), np.float32)
    with pytest.raises(Cancelled):
        heat_map(model.scores, image, 1, 0.0, cancelled=lambda: True)


def test_a_margin_is_against_the_likeliest_other_class() -> None:
    scores = np.array([[1.0, 4.0, 2.5]])
    assert margin(scores, 1)[0] == 1.5
    assert margin(scores, 1, exclusive=False)[0] == 4
