"""A TF.js layers model (``model.json`` and weights) as an OpenVINO graph, without TensorFlow.

The format keeps Keras' own description of the layers.  Keras has channels last; the graph has them
first, since the plugin lays them out as it likes anyway: weights are turned, nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from serving.vision import layers, weights
from serving.vision.problem import VisionProblem

FILE_NAME = "model.json"


def read(folder: Path) -> Any:
    """The model in ``folder`` as an ``openvino.Model``, of any size of image.

    Raises:
        VisionProblem: the files are broken, or a layer is not known.
    """
    import openvino
    from openvino import opset13 as ops

    values: dict[str, Any] = {}
    parameters = []
    try:
        described = topology(folder)
        config = described["config"]
        tensors = weights.read(folder, described["manifest"])
        for layer in config["layers"]:
            name, kind = str(layer["name"]), str(layer["class_name"])
            settings = layer["config"]
            if kind == "InputLayer":
                shape = settings["batch_input_shape"]
                parameters.append(ops.parameter([1, int(shape[-1]), *[-1] * (len(shape) - 2)]))
                values[name] = parameters[-1]
                continue
            inputs = [values[one] for one in _sources(layer)]
            values[name] = layers.build(kind, settings, inputs, tensors)
        results = [values[str(one[0])] for one in config["output_layers"]]
    except VisionProblem:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, OverflowError) as error:
        # What the file says is of any form.
        raise _broken() from error
    except RuntimeError as error:
        raise VisionProblem(
            "模型的层无法连接，请重新导出。", "The model's layers do not fit; export it again."
        ) from error
    if len(parameters) != 1 or len(results) != 1:
        raise VisionProblem(
            "模型须有一个输入和一个输出。", "A model must have one input and one output."
        )
    return openvino.Model(results, parameters, "layers")


def topology(folder: Path) -> dict[str, Any]:
    """What ``model.json`` says: ``config`` of the model, and the ``manifest`` of its weights."""
    try:
        plain = json.loads((folder / FILE_NAME).read_bytes())
        model = plain["modelTopology"]
        model = model.get("model_config", model)
        config = model["config"]
        if isinstance(config, list):
            config = {"layers": config}
        if str(model["class_name"]) == "Sequential":
            config = _sequence(config["layers"])
        manifest = plain["weightsManifest"]
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise _broken() from error
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise _broken()
    if not isinstance(manifest, list):
        raise _broken()
    return {"config": config, "manifest": manifest}


def input_size(folder: Path) -> tuple[int, ...]:
    """The size of image that the model was made for; empty where it says none."""
    for layer in topology(folder)["config"]["layers"]:
        if layer.get("class_name") == "InputLayer":
            sizes = layer["config"]["batch_input_shape"][1:-1]
            return tuple(int(one) for one in sizes) if all(sizes) else ()
    return ()


def _sources(layer: Mapping[str, Any]) -> list[str]:
    nodes = layer["inbound_nodes"]
    if len(nodes) != 1:
        raise VisionProblem(
            "模型重复使用同一层，暂不支持。", "A layer that is used twice is not supported."
        )
    return [str(one[0]) for one in nodes[0]]


def _sequence(listed: list[dict[str, Any]]) -> dict[str, Any]:
    """The layers of a Sequential model, each joined to the one before."""
    made: list[dict[str, Any]] = []
    if listed and listed[0]["class_name"] != "InputLayer":
        shape = listed[0]["config"]["batch_input_shape"]
        start = {"batch_input_shape": shape, "name": "input"}
        made.append({"class_name": "InputLayer", "config": start, "name": "input"})
    for layer in listed:
        before = [[[made[-1]["name"], 0, 0, {}]]] if made else []
        made.append({**layer, "name": layer["config"]["name"], "inbound_nodes": before})
    return {"layers": made, "output_layers": [[made[-1]["name"], 0, 0]]}


def _broken() -> VisionProblem:
    return VisionProblem(
        "model.json 损坏或不是 TF.js layers 模型，请重新导出。",
        "model.json is broken or no TF.js layers model; export it again.",
    )


def labels(folder: Path, count: int) -> list[dict[str, Any]]:
    """Names and colours of ``count`` classes from a ``colormap*.json`` beside the model.

    A model may have several such files; the one that has as many names is its.  Empty: none has.
    """
    for path in sorted(folder.glob("colormap*.json")):
        try:
            plain = json.loads(path.read_bytes())
            names = [str(one) for one in plain["labels"]]
            colours = np.array([plain["R"], plain["G"], plain["B"]]).T.clip(0, 255).astype(int)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if len(names) == count == len(colours):
            return [
                {"name": name, "colour": tuple(colour.tolist())}
                for name, colour in zip(names, colours, strict=True)
            ]
    return []
