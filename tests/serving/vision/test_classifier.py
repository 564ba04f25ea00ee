"""Classifiers: what they may be, what their scores mean, and folders that do not fit."""

from __future__ import annotations

from pathlib import Path

import classifier_models
import numpy as np
import pytest
import vision_models

from serving.vision.classifier import Classifier, probabilities
from serving.vision.description import read
from serving.vision.folder import open_folder
from serving.vision.problem import VisionProblem
from serving.vision.store import VisionStore


def spot(brightness: float) -> np.ndarray:
    image = np.zeros((1, 16, 16), np.float32)
    image[0, 4:7, 9:12] = brightness
    return image


def test_scores_of_two_outputs_and_of_one_mean_the_same(tmp_path: Path) -> None:
    images = [spot(value) for value in (0.0, 0.4, 0.5, 0.9)]
    both = Classifier(open_folder(classifier_models.write(tmp_path / "two")), (16, 16))
    folder = classifier_models.write(tmp_path / "one", single=True)
    one = Classifier(open_folder(folder), (16, 16))
    expected = 1 / (1 + np.exp(-12 * (np.array([0.0, 0.4, 0.5, 0.9]) - 0.5)))
    for model in (both, one):
        shares = model.probabilities(model.scores(images))
        assert shares[:, 1] == pytest.approx(expected, abs=1e-4)
        assert shares.sum(axis=1) == pytest.approx(1)


def test_probabilities_that_the_graph_gives_are_taken_as_such(tmp_path: Path) -> None:
    folder = classifier_models.write(tmp_path, single=True, steepness=1.0, activation="none")
    model = Classifier(open_folder(folder), (16, 16))
    shares = model.probabilities(model.scores([spot(0.7), spot(0.9)]))
    assert shares[:, 1] == pytest.approx([0.2, 0.4], abs=1e-5)


def test_a_temperature_makes_less_sure_and_changes_no_order() -> None:
    scores = np.array([[4.0, 0.0, 1.0], [0.0, 0.5, 3.0]])
    sure, unsure = probabilities(scores), probabilities(scores, 3.0)
    assert (unsure.max(axis=1) < sure.max(axis=1)).all()
    assert np.array_equal(np.argsort(unsure), np.argsort(sure))
    together = probabilities(scores, 1.0, exclusive=False)
    assert together[0] == pytest.approx([0.982, 0.5, 0.731], abs=1e-3)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"dimensions": 3}, "dimensions"),
        ({"layout": "channels_last"}, "channels"),
        ({"mean": [0.1, 0.2]}, "mean and deviation"),
        ({"temperature": 0}, "temperature"),
        ({"boxes": {"kind": "rows"}}, "boxes"),
        ({"classes": [{"name": name} for name in "abc"]}, "3"),
    ],
)
def test_a_description_that_does_not_fit(tmp_path: Path, said: dict, wrong: str) -> None:
    with pytest.raises(VisionProblem, match=wrong):
        open_folder(classifier_models.write(tmp_path, **said))


def test_a_map_of_scores_is_no_classifier(tmp_path: Path) -> None:
    folder = vision_models.write(tmp_path, vision_models.kernels(), size=None)
    (folder / "vision.yaml").write_text("task: classification\n")
    with pytest.raises(VisionProblem, match="无法用于分类"):
        open_folder(folder)


def test_kept_ones_are_listed_by_what_they_are_for(tmp_path: Path) -> None:
    store = VisionStore(tmp_path / "home")
    store.add("spot", classifier_models.write(tmp_path / "model", temperature=1.7))
    assert store.names("classification") == ("spot",)
    assert store.names("detection") == ()
    assert read(tmp_path / "home" / "vision" / "spot" / "vision.yaml").temperature == 1.7
