"""Small image models with weights that are made here, and what they answer by another way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Kernels = list[tuple[NDArray[np.float32], NDArray[np.float32], int]]
"""[depth, height, width, in, out], bias and dilation of each layer, as Keras has them."""


def kernels(channels: int = 3, classes: int = 4, dilations: Sequence[int] = (1, 2, 1)) -> Kernels:
    """Layers of 3 × 3 × 3 and a last one of 1 × 1 × 1."""
    rng = np.random.default_rng(5)
    made: Kernels = []
    given = 1
    for dilation in dilations:
        kernel = rng.normal(0, 0.4, (3, 3, 3, given, channels)).astype(np.float32)
        made.append((kernel, rng.normal(0, 0.3, channels).astype(np.float32), dilation))
        given = channels
    kernel = rng.normal(0, 1, (1, 1, 1, given, classes)).astype(np.float32)
    made.append((kernel, rng.normal(0, 0.3, classes).astype(np.float32), 1))
    return made


def answer(layers: Kernels, volume: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scores [class, slice, row, column] of the layers with ELU between them, by SciPy."""
    values = [volume.astype(np.float64)]
    for number, (kernel, bias, dilation) in enumerate(layers):
        made = []
        size = (kernel.shape[0] - 1) * dilation + 1
        for out in range(kernel.shape[4]):
            total = np.full(volume.shape, float(bias[out]))
            for channel, value in enumerate(values):
                spread = np.zeros((size, size, size))
                spread[::dilation, ::dilation, ::dilation] = kernel[..., channel, out]
                total += ndimage.correlate(value, spread, mode="constant")
            made.append(total)
        if number < len(layers) - 1:
            made = [np.where(one > 0, one, np.expm1(np.minimum(one, 0))) for one in made]
        values = made
    return np.array(values)


def layer(kind: str, name: str, source: str, **config: Any) -> dict[str, Any]:
    """A Keras layer behind ``source``."""
    return {
        "class_name": kind,
        "name": name,
        "config": {"name": name, **config},
        "inbound_nodes": [[[source, 0, 0, {}]]],
    }


def convolution(name: str, source: str, kernel: NDArray[Any], dilation: int = 1) -> dict[str, Any]:
    """A `Conv3D` that keeps the size."""
    return layer(
        "Conv3D",
        name,
        source,
        filters=kernel.shape[-1],
        kernel_size=list(kernel.shape[:3]),
        strides=[1, 1, 1],
        dilation_rate=[dilation] * 3,
        padding="same",
        data_format="channels_last",
        activation="linear",
        use_bias=True,
    )


def topology(layers: list[dict[str, Any]], size: int | None = 16) -> dict[str, Any]:
    """``modelTopology`` of an input and ``layers``, the last of which is the output."""
    start = {
        "class_name": "InputLayer",
        "name": "input",
        "config": {"name": "input", "batch_input_shape": [None, size, size, size, 1]},
        "inbound_nodes": [],
    }
    config = {
        "layers": [start, *layers],
        "input_layers": [["input", 0, 0]],
        "output_layers": [[layers[-1]["name"], 0, 0]],
    }
    return {"model_config": {"class_name": "Functional", "config": config}}


def write(folder: Path, layers: Kernels, size: int | None = 16) -> Path:
    """The layers as a TF.js folder, with colours and names of its classes."""
    tensors: dict[str, NDArray[np.float32]] = {}
    listed = []
    source = "input"
    for number, (kernel, bias, dilation) in enumerate(layers):
        name = f"conv{number}"
        tensors |= {f"{name}/kernel": kernel, f"{name}/bias": bias}
        listed.append(convolution(name, source, kernel, dilation))
        source = name
        if number < len(layers) - 1:
            listed.append(layer("Activation", f"act{number}", name, activation="elu"))
            source = f"act{number}"
    return write_folder(folder, topology(listed, size), tensors, layers[-1][0].shape[-1])


def write_folder(
    folder: Path, model: dict[str, Any], tensors: dict[str, NDArray[np.float32]], classes: int
) -> Path:
    """A TF.js folder with this topology and these weights."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        {"name": name, "shape": list(one.shape), "dtype": "float32"}
        for name, one in tensors.items()
    ]
    plain = {
        "format": "layers-model",
        "modelTopology": model,
        "weightsManifest": [{"paths": ["model.bin"], "weights": entries}],
    }
    (folder / "model.json").write_text(json.dumps(plain))
    (folder / "model.bin").write_bytes(b"".join(one.tobytes() for one in tensors.values()))
    colours = [40 * number for number in range(classes)]
    names = ["background", "Thalamus", "Brain-Stem", "Putamen", "other"][:classes]
    (folder / "colormap.json").write_text(
        json.dumps({"R": colours, "G": colours, "B": colours, "labels": names})
    )
    return folder


def head(shape: tuple[int, int, int], seed: int = 3) -> NDArray[np.float32]:
    """Noise in a ball off the middle, zero around it."""
    rng = np.random.default_rng(seed)
    middle = np.array(shape) * 0.45
    radius = np.array(shape) * 0.2
    places = (np.indices(shape).reshape(3, -1).T - middle) / radius
    inside = (np.linalg.norm(places, axis=1) < 1).reshape(shape)
    values = rng.uniform(0.1, 1, shape) * inside
    return values.astype(np.float32)
