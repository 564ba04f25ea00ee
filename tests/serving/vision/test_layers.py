"""A TF.js layers model becomes a graph that answers as its layers say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import vision_models
from hypothesis import given
from hypothesis import strategies as st

from serving.vision import tfjs, weights
from serving.vision.problem import VisionProblem


def run(model: Any, volume: np.ndarray) -> np.ndarray:
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.asarray(compiled([volume[None, None]])[0][0])


def test_dilated_convolutions_with_elu_answer_as_scipy_does(tmp_path: Path) -> None:
    layers = vision_models.kernels()
    folder = vision_models.write(tmp_path, layers)
    volume = vision_models.head((14, 12, 10))
    found = run(tfjs.read(folder), volume)
    assert np.allclose(found, vision_models.answer(layers, volume), atol=1e-4)


def test_pooling_normalisation_and_joined_branches(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=(1, 1, 1, 1, 2)).astype(np.float32)
    last = rng.normal(size=(1, 1, 1, 4, 2)).astype(np.float32)
    mean, variance = np.float32([0.2, -0.1]), np.float32([0.5, 2.0])
    gamma, beta = np.float32([1.5, 0.5]), np.float32([0.1, -0.3])
    joined = vision_models.layer("Concatenate", "join", "norm", axis=-1)
    joined["inbound_nodes"][0].append(["up", 0, 0, {}])
    listed = [
        vision_models.convolution("a", "input", first),
        vision_models.layer("BatchNormalization", "norm", "a", epsilon=0.001),
        vision_models.layer("MaxPooling3D", "pool", "norm", pool_size=[2, 2, 2], padding="valid"),
        vision_models.layer("UpSampling3D", "up", "pool", size=[2, 2, 2]),
        joined,
        vision_models.convolution("b", "join", last),
        vision_models.layer("Softmax", "end", "b"),
    ]
    tensors = {
        "a/kernel": first,
        "a/bias": np.zeros(2, np.float32),
        "norm/gamma": gamma,
        "norm/beta": beta,
        "norm/moving_mean": mean,
        "norm/moving_variance": variance,
        "b/kernel": last,
        "b/bias": np.float32([0.1, 0.2]),
    }
    folder = vision_models.write_folder(tmp_path, vision_models.topology(listed), tensors, 2)
    volume = rng.uniform(size=(4, 4, 4)).astype(np.float32)
    found = run(tfjs.read(folder), volume)
    values = volume[..., None] * first[0, 0, 0, 0]
    values = (values - mean) / np.sqrt(variance + 0.001) * gamma + beta
    pooled = values.reshape(2, 2, 2, 2, 2, 2, 2).max(axis=(1, 3, 5))
    up = pooled.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    scores = np.concatenate([values, up], -1) @ last[0, 0, 0] + np.float32([0.1, 0.2])
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    assert np.allclose(found, np.moveaxis(shares, -1, 0), atol=1e-5)


def test_what_is_broken_is_refused_with_a_sentence(tmp_path: Path) -> None:
    layers = vision_models.kernels()
    folder = vision_models.write(tmp_path, layers)
    whole = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(whole[:-8])
    with pytest.raises(VisionProblem, match="长度"):
        tfjs.read(folder)
    (folder / "model.bin").write_bytes(whole + b"1234")
    with pytest.raises(VisionProblem, match="长度"):
        tfjs.read(folder)
    (folder / "model.bin").unlink()
    with pytest.raises(VisionProblem, match=r"model\.bin"):
        tfjs.read(folder)
    (folder / "model.bin").write_bytes(np.full(len(whole) // 4, np.nan, np.float32).tobytes())
    with pytest.raises(VisionProblem, match="NaN"):
        tfjs.read(folder)
    (folder / "model.bin").write_bytes(whole)
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"Activation"', '"Lambda"', 1))
    with pytest.raises(VisionProblem, match="Lambda"):
        tfjs.read(folder)
    (folder / "model.json").write_text(text[:-20])
    with pytest.raises(VisionProblem, match=r"model\.json"):
        tfjs.read(folder)


def test_a_name_of_weights_is_no_way_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(b"\0" * 4)
    folder = tmp_path / "model"
    folder.mkdir()
    group = {
        "paths": ["../secret.bin"],
        "weights": [{"name": "a", "shape": [1], "dtype": "float32"}],
    }
    with pytest.raises(VisionProblem, match=r"secret\.bin"):
        weights.read(folder, [group])


def test_weights_in_eight_bits_are_scaled(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes([0, 10, 255]))
    packed = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    entry = {"name": "a", "shape": [3], "dtype": "float32", "quantization": packed}
    found = weights.read(tmp_path, [{"paths": ["w.bin"], "weights": [entry]}])
    assert found["a"].tolist() == [-1.0, 4.0, 126.5]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-3, 300) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    ),
    st.sampled_from(["modelTopology", "weightsManifest", "layers", "config"]),
)
def test_any_other_json_is_refused_as_a_broken_model(
    tmp_path_factory: pytest.TempPathFactory, value: Any, place: str
) -> None:
    folder = vision_models.write(tmp_path_factory.mktemp("m"), vision_models.kernels(2, 2, (1,)))
    plain = json.loads((folder / "model.json").read_text())
    config = plain["modelTopology"]["model_config"]
    if place in plain:
        plain[place] = value
    elif place == "config":
        config["config"] = value
    else:
        config["config"]["layers"] = value
    (folder / "model.json").write_text(json.dumps(plain))
    with pytest.raises(VisionProblem):
        tfjs.read(folder)
