"""A trained network as a model folder that `serving.vision` opens without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from serving.vision import description
from serving.vision.description import Description

GRAPH = "model.xml"


def write(folder: Path, model: Any, said: Description) -> None:
    """``model.xml``, ``model.bin`` and ``vision.yaml``; any size of image."""
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / GRAPH, model, said.dimensions)
    (folder / description.FILE_NAME).write_text(description.as_yaml(said), "utf-8")


def save(path: Path, model: Any, dimensions: int) -> None:
    """The network as OpenVINO IR in float32, batch normalisation folded in."""
    import openvino

    example = torch.zeros([1, 1, *[64] * dimensions])
    with torch.inference_mode():
        made = openvino.convert_model(
            model.eval(),
            example_input=example,
            input=[openvino.PartialShape([-1, 1, *[-1] * dimensions])],
        )
    openvino.save_model(made, path, compress_to_fp16=False)
