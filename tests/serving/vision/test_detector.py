"""A detector over images larger than its tile: every thing once, wherever the tiles meet."""

from __future__ import annotations

from pathlib import Path

import detector_models
import numpy as np
import pytest

from serving.hardware import choice
from serving.vision.detector import Detector
from serving.vision.folder import open_folder
from serving.vision.problem import Cancelled, VisionProblem


def test_things_on_the_seams_of_tiles_are_found_once(tmp_path: Path) -> None:
    model = Detector(open_folder(detector_models.write(tmp_path)), threads=1)
    image = np.zeros((1, 150, 201), np.float32)
    places = [(0, 0), (44, 60), (60, 44), (86, 100), (142, 193), (70, 137), (100, 58)]
    for y, x in places:
        image[0, y : y + 8, x : x + 8] = 1
    found = model.detect(image)
    assert sorted((int(c[1]), int(c[0])) for c in found.corners) == sorted(places)
    assert (found.corners[:, 2:] - found.corners[:, :2] == 8).all()
    assert (found.numbers == 1).all()


def test_an_image_smaller_than_the_tile_is_filled_up(tmp_path: Path) -> None:
    model = Detector(open_folder(detector_models.write(tmp_path)), threads=1)
    image = np.zeros((1, 20, 30), np.float32)
    image[0, 12:20, 5:13] = 1
    (corners,) = model.detect(image).corners
    assert corners.tolist() == [5, 12, 13, 20]
    # What is beyond the border is no part of the image.
    found = model.detect(np.zeros((1, 20, 30), np.float32), fill=1.0)
    assert (np.prod(found.corners[:, 2:] - found.corners[:, :2], axis=1) > 32).all()
    assert (found.corners <= [30, 20, 30, 20]).all()


def test_a_least_score_and_a_stop(tmp_path: Path) -> None:
    model = Detector(open_folder(detector_models.write(tmp_path)), threads=1)
    image = np.zeros((1, 64, 64), np.float32)
    image[0, 8:16, 8:16] = 0.5
    assert len(model.detect(image)) == 0
    assert len(model.detect(image, score=0.45)) == 1
    with pytest.raises(Cancelled):
        model.detect(image, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"boxes": {"kind": "retinanet"}}, "2 到 2 个输出"),
        ({"boxes": {"kind": "yolo", "outputs": ["nowhere"]}}, "nowhere"),
        ({"boxes": {"kind": "other"}}, "boxes.kind"),
        ({"dimensions": 3}, "dimensions"),
        ({"boxes": None}, "boxes"),
    ],
)
def test_a_description_that_does_not_fit(tmp_path: Path, said: dict, wrong: str) -> None:
    with pytest.raises(VisionProblem, match=wrong):
        open_folder(detector_models.write(tmp_path, **said))


def test_outputs_of_another_kind_are_a_sentence(tmp_path: Path) -> None:
    folder = detector_models.write(tmp_path, boxes={"kind": "rows"})
    with pytest.raises(VisionProblem, match=r"vision\.yaml"):
        Detector(open_folder(folder), threads=1).detect(np.ones((1, 64, 64), np.float32))


@pytest.mark.parametrize(("score", "way"), [(0.9, "int8"), (2.0, "f32")])
def test_eight_bits_are_taken_where_they_are_quicker_and_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, score: float, way: str
) -> None:
    folder = detector_models.write(tmp_path / "m", bright=1.0)
    # A graph of the same form, which sees all or nothing of what the other sees.
    other = detector_models.write(tmp_path / "n", bright=0.9 / score)
    for ending in ("xml", "bin"):
        (other / f"model.{ending}").rename(folder / f"int8.{ending}")
    monkeypatch.setattr(choice, "measure", lambda ways, prepare: {"f32": 1.0, "int8": 0.2})
    opened = open_folder(folder)
    assert opened.eight_bits is not None
    model = Detector(opened, threads=1, kept=tmp_path / "kept.json")
    # Too little to tell.
    image = np.zeros((1, 64, 64), np.float32)
    model.detect(image)
    assert model.way == "f32"
    for y, x in [(0, 0), (20, 30), (44, 8)]:
        image[0, y : y + 8, x : x + 8] = 1
    assert len(model.detect(image)) == 3
    assert model.way == way
    # It is remembered, and may be asked for.
    again = Detector(opened, threads=1, kept=tmp_path / "kept.json")
    assert len(again.detect(image)) == 3
    assert again.way == way
    asked = Detector(opened, threads=1, precision="int8")
    assert len(asked.detect(image)) == (3 if way == "int8" else 0)


def test_eight_bits_that_are_not_there_are_told_of(tmp_path: Path) -> None:
    opened = open_folder(detector_models.write(tmp_path))
    with pytest.raises(VisionProblem, match="quantise-vision"):
        Detector(opened, precision="int8")
