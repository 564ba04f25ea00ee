"""A second network over candidates: what it refuses falls, and what it is not for is refused."""

from __future__ import annotations

from pathlib import Path

import classifier_models
import numpy as np
import openvino
import pytest
import yaml
from chest_samples import chest
from openvino import opset13 as ops

from assistant.tasks.detection.nodules import scored
from assistant.tasks.detection.second import SecondLook, both, cube_around, open_second
from serving.vision.problem import VisionProblem

TWO = (("left", "solid", 12.0), ("right", "solid", 10.0))


def middle(folder: Path) -> Path:
    """A network that says nodule where the very middle of a cube is dense."""
    folder.mkdir()
    source = ops.parameter([1, 1, 9, 9, 9], np.float32)
    kernel = np.zeros((1, 1, 9, 9, 9), np.float32)
    kernel[0, 0, 3:6, 3:6, 3:6] = 1 / 27
    flat = [1, 1, 1]
    mean = ops.convolution(source, ops.constant(kernel), flat, [0] * 3, [0] * 3, flat)
    score = ops.reshape(mean, ops.constant(np.array([1, 1])), False)
    shifted = ops.multiply(
        ops.subtract(score, ops.constant(np.float32(0.6))), ops.constant(np.float32(20))
    )
    openvino.save_model(openvino.Model([shifted], [source], "m"), folder / "model.xml")
    said = {
        "task": "classification",
        "spacing": [1, 1, 1],
        "orientation": "SPL",
        "intensity": {"kind": "range", "low": -1000, "high": 100},
        "classes": [{"name": "other"}, {"name": "nodule"}],
    }
    (folder / "vision.yaml").write_text(yaml.safe_dump(said))
    return folder


def test_candidates_are_ranked_by_both(tmp_path: Path) -> None:
    volume, truth = chest(*TWO)
    second = open_second(str(middle(tmp_path / "m")), tmp_path)
    alone = scored(volume, lambda done, total, what: None)
    looked = scored(volume, lambda done, total, what: None, second)
    places = volume.grid.positions(looked.index)
    for one in truth:
        wanted = volume.grid.positions(np.array([one.index]))[0]
        assert np.linalg.norm(places[:6] - wanted, axis=1).min() < 4
    again = second.scores(looked.found[:10], looked.scan)
    first = {one.index: score for one, score in zip(alone.found, alone.scores, strict=True)}
    before = np.array([first[one.index] for one in looked.found[:10]])
    assert looked.scores[:10] == pytest.approx(both(before, again), rel=1e-3)
    assert (np.diff(looked.scores) <= 0).all()
    # The middle of a cube is the candidate.
    one = looked.found[0]
    cube = cube_around(one, looked.scan, (9, 9, 9), (1.0, 1.0, 1.0))
    assert cube[4, 4, 4] == pytest.approx(float(looked.scan.hu[one.index]), abs=1e-3)


def test_either_may_object() -> None:
    found = both(np.array([0.9, 0.9, 0.5]), np.array([0.9, 0.1, 0.5]))
    assert found == pytest.approx([0.9, 0.5, 0.5])


def test_what_is_no_network_for_cubes(tmp_path: Path) -> None:
    flat = classifier_models.write(tmp_path / "flat")
    with pytest.raises(VisionProblem):
        open_second(str(flat), tmp_path)
    turned = classifier_models.write(
        tmp_path / "turned", (9, 9, 9), spacing=[1, 1, 1], orientation="LPS"
    )
    with pytest.raises(VisionProblem, match="SPL"):
        open_second(str(turned), tmp_path)
    with pytest.raises(VisionProblem):
        open_second("none", tmp_path)
    assert isinstance(open_second(str(middle(tmp_path / "m")), tmp_path), SecondLook)
