"""Model folders: IR, ONNX and TF.js; a description that does not fit is refused at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import pytest
import vision_models
import yaml
from openvino import opset13 as ops

from serving.vision.folder import open_folder
from serving.vision.network import Network
from serving.vision.problem import VisionProblem
from serving.vision.store import VisionStore, catalogue


def ir(
    folder: Path, channels: int = 1, last: bool = False, classes: int = 2, flat: bool = False
) -> Path:
    """An IR that says class 1 where the image is above a half."""
    folder.mkdir(parents=True, exist_ok=True)
    space = [-1, -1] if flat else [-1, -1, -1]
    source = ops.parameter([1, *space, channels] if last else [1, channels, *space], np.float32)
    axis = len(space) + 1 if last else 1
    half = ops.constant(np.float32(0.5))
    scores = [ops.subtract(half, source)] + [ops.subtract(source, half)] * (classes - 1)
    made = ops.concat(scores, axis)
    openvino.save_model(openvino.Model([made], [source], "m"), folder / "model.xml")
    return folder


def describe(folder: Path, **said: object) -> Path:
    (folder / "vision.yaml").write_text(yaml.safe_dump(said))
    return folder


def test_an_ir_answers_in_windows(tmp_path: Path) -> None:
    folder = describe(ir(tmp_path), window=[8, 8, 8])
    volume = np.random.default_rng(0).uniform(size=(12, 9, 20)).astype(np.float32)
    network = Network(open_folder(folder), "f32")
    assert network.stages is None
    assert np.array_equal(network.labels(volume), volume > 0.5)


def test_two_dimensions_are_taken_slice_by_slice(tmp_path: Path) -> None:
    folder = describe(ir(tmp_path, flat=True), dimensions=2)
    volume = np.random.default_rng(0).uniform(size=(3, 9, 20)).astype(np.float32)
    assert np.array_equal(Network(open_folder(folder), "f32").labels(volume), volume > 0.5)


def test_channels_may_come_last(tmp_path: Path) -> None:
    folder = describe(ir(tmp_path, last=True), layout="channels_last", window=[8, 8, 8])
    volume = np.random.default_rng(0).uniform(size=(8, 9, 10)).astype(np.float32)
    assert np.array_equal(Network(open_folder(folder), "f32").labels(volume), volume > 0.5)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"dimensions": 2}, "dimensions"),
        ({"classes": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}, "3"),
        ({"orientation": "LLA"}, "orientation"),
        ({"spacing": [1, 1]}, "spacing"),
        ({"modalities": "CT"}, "modalities"),
        ({"overlap": 1.5}, "overlap"),
        ({"intensity": {"kind": "range", "low": 5, "high": 1}}, "intensity"),
        ({"intensity": {"kind": "range"}}, "needs low and high"),
        ({"intensity": {"kind": "percentiles", "high": 99}}, "needs low and high"),
        ({"window": [0, 8, 8]}, "window"),
    ],
)
def test_a_description_that_does_not_fit(
    tmp_path: Path, said: dict[str, object], wrong: str
) -> None:
    with pytest.raises(VisionProblem, match=wrong):
        open_folder(describe(ir(tmp_path), **said))


def test_graphs_that_are_none_for_this(tmp_path: Path) -> None:
    with pytest.raises(VisionProblem, match="channels_last"):
        open_folder(ir(tmp_path / "channels", channels=3))
    with pytest.raises(VisionProblem, match="没有模型"):
        open_folder(describe(tmp_path, name="x"))
    with pytest.raises(VisionProblem, match="没有这个"):
        open_folder(tmp_path / "nowhere")
    folder = ir(tmp_path / "bin")
    (folder / "model.bin").unlink()
    with pytest.raises(VisionProblem, match=r"model\.bin"):
        open_folder(folder)
    (ir(folder) / "model.xml").write_text("<net")
    with pytest.raises(VisionProblem, match=r"model\.xml"):
        open_folder(folder)
    (ir(folder) / "vision.yaml").write_text("a: [")
    with pytest.raises(VisionProblem, match="YAML"):
        open_folder(folder)


def test_classes_come_from_the_colour_map_that_fits(tmp_path: Path) -> None:
    folder = vision_models.write(tmp_path, vision_models.kernels(), size=256)
    two = '{"R": [0, 1], "G": [0, 1], "B": [0, 1], "labels": ["a", "b"]}'
    (folder / "colormap0.json").write_text(two)
    said = open_folder(folder).description
    assert [one.name for one in said.classes] == ["background", "Thalamus", "Brain-Stem", "Putamen"]
    assert said.classes[3].colour == (120, 120, 120)
    assert (said.orientation, said.spacing, said.size) == ("LIA", (1, 1, 1), (256, 256, 256))


def test_a_store_keeps_a_copy_and_notices_a_change(tmp_path: Path) -> None:
    store = VisionStore(tmp_path / "home")
    folder = describe(ir(tmp_path / "given"), modality="CT")
    added = store.add("organs", folder)
    assert added.description.modality == "CT"
    assert store.verify("organs") == ()
    with pytest.raises(VisionProblem, match="organs"):
        store.add("organs", folder)
    with pytest.raises(VisionProblem, match="字母"):
        store.add("../out", folder)
    with (tmp_path / "home" / "vision" / "organs" / "model.bin").open("ab") as file:
        file.write(b"x")
    assert store.verify("organs") == ("model.bin",)
    with pytest.raises(VisionProblem, match=r"model\.bin"):
        store.open("organs")
    store.remove("organs")
    assert not store.holds("organs")


def test_the_catalogue_is_whole() -> None:
    for offer in catalogue().values():
        assert offer.description.licence
        assert offer.mirror.repository
        assert {"model.json"} < {one.file for one in offer.files}


def test_a_model_that_is_not_here_says_how_to_have_it(tmp_path: Path) -> None:
    with pytest.raises(VisionProblem, match="bedside model pull brain-tissue"):
        VisionStore(tmp_path).open("brain-tissue")
    with pytest.raises(VisionProblem, match="没有影像模型"):
        VisionStore(tmp_path).open("nothing")


@pytest.mark.shared
def test_the_catalogue_is_pulled_from_a_folder(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDSIDE_MODEL_MIRROR", str(shared_data / "imaging" / "brain_mri"))
    store = VisionStore(tmp_path)
    for name in catalogue():
        store.pull(name)
        assert len(open_folder(store.pull(name)).description.classes) in (3, 18)
        assert store.verify(name) == ()
