"""INT8 beside the graph: made on images of one's own, and as good as the graph; else not made."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import vision_models
from openvino import Model, save_model
from openvino import opset13 as ops

from serving.ir.calibrated import CalibrationUnavailable
from serving.vision import precision, quantising
from serving.vision.description import FILE_NAME, Class, Description, Intensity, as_yaml
from serving.vision.folder import EIGHT_BITS, open_folder
from serving.vision.network import Network
from serving.vision.problem import VisionProblem


def edges(folder: Path) -> Path:
    """A flat network: a smoothed image above one half is class 1."""
    folder.mkdir()
    rng = np.random.default_rng(2)
    given = ops.parameter([-1, 1, -1, -1], np.float32)
    blur = np.full((8, 1, 3, 3), 1 / 9, np.float32) * rng.uniform(0.8, 1.2, (8, 1, 1, 1))
    same = ([1, 1], [1, 1], [1, 1], [1, 1])
    value = ops.relu(ops.convolution(given, ops.constant(blur.astype(np.float32)), *same))
    mix = rng.uniform(0.5, 1, (8, 8, 3, 3)).astype(np.float32) / 72
    value = ops.relu(ops.convolution(value, ops.constant(mix), *same))
    last = np.stack([np.zeros(8), np.full(8, 1.0)]).astype(np.float32).reshape(2, 8, 1, 1)
    scores = ops.convolution(value, ops.constant(last), [1, 1], [0, 0], [0, 0], [1, 1])
    bias = np.array([2.8, 0], np.float32).reshape(1, 2, 1, 1)
    save_model(Model([ops.add(scores, ops.constant(bias))], [given], "edges"), folder / "m.xml")
    said = Description(
        dimensions=2,
        intensity=Intensity(kind="none"),
        classes=(Class(name="background"), Class(name="bright")),
    )
    (folder / FILE_NAME).write_text(as_yaml(said), "utf-8")
    return folder


def image(seed: int) -> np.ndarray:
    rows = np.sin(np.linspace(0, 9 + seed, 64))[:, None] * np.cos(np.linspace(0, 7, 64))
    noise = np.random.default_rng(seed).normal(0, 0.02, (2, 64, 64))
    return (0.5 + 0.4 * rows + noise).astype(np.float32)


@pytest.mark.train
def test_int8_answers_as_the_graph_does_and_is_found_beside_it(tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    folder = edges(tmp_path / "m")
    opened = open_folder(folder)
    assert opened.eight_bits is None
    with pytest.raises(VisionProblem, match="quantise-vision"):
        Network(opened, "int8")
    made = quantising.quantise(opened, [image(1), image(2)], 0.02)
    assert made.kept
    assert made.loss <= 0.02
    assert (folder / EIGHT_BITS).is_file()
    again = open_folder(folder)
    assert again.digest != opened.digest
    assert any(op.get_type_name() == "FakeQuantize" for op in again.eight_bits.get_ops())
    exact, other = (Network(again, name).labels(image(5)) for name in ("f32", "int8"))
    assert 0.2 < exact.mean() < 0.8
    assert precision.dice(exact, other) > 0.97


@pytest.mark.train
def test_what_loses_too_much_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nncf")
    opened = open_folder(edges(tmp_path / "m"))
    monkeypatch.setattr(quantising, "_loss", lambda opened, images: 0.03)
    found = quantising.quantise(opened, [image(1)], 0.02)
    assert (found.kept, found.loss) == (False, 0.03)
    assert not (opened.folder / EIGHT_BITS).exists()


def test_without_nncf_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(CalibrationUnavailable, match="pip install"):
        quantising.quantise(open_folder(edges(tmp_path / "m")), [image(1)], 0.02)


def test_a_row_of_convolutions_and_no_image_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantising, "require", lambda: None)
    folder = vision_models.write(tmp_path / "chain", vision_models.kernels(), size=None)
    with pytest.raises(VisionProblem, match="逐层"):
        quantising.quantise(open_folder(folder), [np.zeros((8, 8, 8), np.float32)], 0.02)
    with pytest.raises(VisionProblem, match="至少"):
        quantising.quantise(open_folder(folder), [], 0.02)


def test_an_int8_graph_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = edges(tmp_path / "m")
    given = ops.parameter([-1, 1, -1, -1], np.float32)
    other = Model([ops.concat([given, given, given], 1)], [given], "other")
    save_model(other, folder / EIGHT_BITS)
    with pytest.raises(VisionProblem, match="int8"):
        open_folder(folder)
