"""INT8 of a detector: its boxes stay, or nothing is written."""

from __future__ import annotations

import sys
from pathlib import Path

import detector_models
import numpy as np
import pytest

from serving.ir.calibrated import CalibrationUnavailable
from serving.vision import quantising_boxes
from serving.vision.detector import Detector
from serving.vision.folder import EIGHT_BITS, open_folder
from serving.vision.problem import VisionProblem


def image(seed: int) -> np.ndarray:
    """Bright squares on dark ground, [1, row, column]."""
    rng = np.random.default_rng(seed)
    made = rng.uniform(0, 0.2, (1, 100, 90)).astype(np.float32)
    for y, x in ((5, 7), (40, 60), (70, 20)):
        made[0, y : y + 8, x : x + 8] = 1
    return made


@pytest.mark.train
def test_boxes_of_eight_bits_are_those_of_the_graph(tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    opened = open_folder(detector_models.write(tmp_path))
    made = quantising_boxes.quantise(opened, [image(1), image(2)], 0.05)
    assert made.kept
    assert (tmp_path / EIGHT_BITS).is_file()
    again = Detector(open_folder(tmp_path), precision="int8")
    assert len(again.detect(image(3))) == 3


def test_images_without_anything_on_them_tell_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantising_boxes, "require", lambda: None)
    opened = open_folder(detector_models.write(tmp_path))
    with pytest.raises(VisionProblem, match="没有检出"):
        quantising_boxes.quantise(opened, [np.zeros((1, 64, 64), np.float32)], 0.05)
    with pytest.raises(VisionProblem, match="至少"):
        quantising_boxes.quantise(opened, [], 0.05)


def test_without_nncf_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(CalibrationUnavailable, match="pip install"):
        quantising_boxes.quantise(open_folder(detector_models.write(tmp_path)), [image(1)], 0.05)
