"""A model's folder: a graph (OpenVINO IR, ONNX or TF.js layers) and its ``vision.yaml``.

Whether both fit is checked when it is opened, so that a wrong description is refused before an
image is looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from serving.vision import description, fitting, tfjs
from serving.vision.description import Class, Description, Size
from serving.vision.problem import VisionProblem

Origin = Literal["ir", "onnx", "tfjs"]
EIGHT_BITS = "int8.xml"
"""The quantised graph, beside the one that it was made of."""

_MAX_FILES = 64
_CONFORMED = (256, 256, 256)
_OF_BOXES = 3
"""Dimensions at most of a detector's outputs."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that was read and fits its description.

    ``model`` is an ``openvino.Model`` with channels first, ``digest`` the SHA-256 over its files;
    ``eight_bits`` is the same network quantised, where `quantising` has made one.
    """

    model: Any
    description: Description
    digest: str
    origin: Origin
    folder: Path
    eight_bits: Any | None = None


def is_vision(folder: Path) -> bool:
    """Whether ``folder`` is one, by the names of its files."""
    return folder.is_dir() and (
        (folder / description.FILE_NAME).is_file() or _is_layers(folder / tfjs.FILE_NAME)
    )


def _is_layers(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b"layers-model" in file.read(65536) or b"weightsManifest" in path.read_bytes()


def open_folder(folder: Path) -> Opened:
    """The model of ``folder``.

    Raises:
        VisionProblem: there is none, a file is broken, or the description is of another model.
    """
    origin, path = _graph(folder)
    model = tfjs.read(folder) if origin == "tfjs" else _read(path)
    given = folder / description.FILE_NAME
    said = description.read(given) if given.is_file() else Description()
    model = _channels_first(model, said)
    channels = fitting.checked(model, said)
    if origin == "tfjs" and not given.is_file():
        said = _of_layers(folder, said)
    if not said.classes and channels:
        said = said.model_copy(update={"classes": _classes(folder, channels)})
    if channels and len(said.classes) != channels:
        raise VisionProblem(
            f"vision.yaml 列出 {len(said.classes)} 个类别，但模型输出 {channels} 个，请核对。",
            f"vision.yaml names {len(said.classes)} classes, but the model gives {channels}.",
        )
    if not said.name:
        said = said.model_copy(update={"name": folder.resolve().name})
    eight_bits = None
    if said.task != "classification":
        eight_bits = _eight_bits(folder / EIGHT_BITS, model)
    return Opened(model, said, digest(folder), origin, folder, eight_bits)


def _graph(folder: Path) -> tuple[Origin, Path]:
    if not folder.is_dir():
        raise VisionProblem("没有这个模型文件夹。", "There is no such model folder.")
    if (folder / tfjs.FILE_NAME).is_file():
        return "tfjs", folder / tfjs.FILE_NAME
    origins: tuple[tuple[Origin, str], ...] = (("ir", "*.xml"), ("onnx", "*.onnx"))
    for origin, pattern in origins:
        found = sorted(path for path in folder.glob(pattern) if path.name != EIGHT_BITS)
        if len(found) > 1:
            raise VisionProblem(
                "文件夹里有多个模型，请每个模型单独放一个文件夹。",
                "There are several models in the folder; give each its own.",
            )
        if found:
            if origin == "ir" and not found[0].with_suffix(".bin").is_file():
                raise VisionProblem(
                    f"缺少权重文件 {found[0].with_suffix('.bin').name}。",
                    f"The weights {found[0].with_suffix('.bin').name} are missing.",
                )
            return origin, found[0]
    raise VisionProblem(
        "文件夹里没有模型，请放入 OpenVINO IR（.xml 和 .bin）、ONNX 或 TF.js（model.json）。",
        "There is no model in the folder; put OpenVINO IR (.xml, .bin), ONNX or TF.js there.",
    )


def _read(path: Path) -> Any:
    import openvino

    try:
        return openvino.Core().read_model(path)
    except RuntimeError:
        raise VisionProblem(
            f"OpenVINO 读不了 {path.name}，文件可能不完整，请重新导出。",
            f"OpenVINO cannot read {path.name}; is it whole? Export it again.",
        ) from None


def _eight_bits(path: Path, model: Any) -> Any | None:
    """The quantised graph; it has been given channels first already."""
    if not path.is_file():
        return None
    found = _read(path)
    made, wanted = ([_last(port) for port in one.outputs] for one in (found, model))
    if len(found.inputs) != 1 or made != wanted:
        raise VisionProblem(
            f"{EIGHT_BITS} 与模型不符，请删除后重新运行 bedside model quantise-vision。",
            f"{EIGHT_BITS} is of another model; delete it and quantise again.",
        )
    return found


def _last(port: Any) -> Any:
    """What does not change with the size of the image: the channels of scores of voxels, the
    numbers of a box."""
    shape = port.get_partial_shape()
    return shape[1] if len(shape) > _OF_BOXES else shape[-1]


def _channels_first(model: Any, said: Description) -> Any:
    if said.layout == "channels_first":
        return model
    from openvino import Layout
    from openvino.preprocess import PrePostProcessor

    last, first = ("NHWC", "NCHW") if said.dimensions == 2 else ("NDHWC", "NCDHW")
    steps = PrePostProcessor(model)
    steps.input().tensor().set_layout(Layout(first))
    steps.input().model().set_layout(Layout(last))
    if said.task == "segmentation":
        steps.output().model().set_layout(Layout(last))
        steps.output().tensor().set_layout(Layout(first))
    return steps.build()


def _of_layers(folder: Path, said: Description) -> Description:
    """What can be told of a TF.js model without a description: its size of image."""
    size = tfjs.input_size(folder)
    if len(size) != 3:
        return said
    update: dict[str, Any] = {"size": size}
    if size == _CONFORMED:
        # What FreeSurfer makes of a head, and these networks were made on.
        update |= {"modality": "MR", "orientation": "LIA", "spacing": (1.0, 1.0, 1.0)}
    return said.model_copy(update=update)


def _classes(folder: Path, count: int) -> tuple[Class, ...]:
    listed = tfjs.labels(folder, count)
    if listed:
        return tuple(Class(**one) for one in listed)
    return tuple(
        Class(name="background" if number == 0 else f"class {number}", colour=_colour(number))
        for number in range(count)
    )


def _colour(number: int) -> tuple[int, int, int]:
    """Neighbours in the list differ: hues by the golden ratio."""
    import colorsys

    red, green, blue = colorsys.hsv_to_rgb(number * 0.618 % 1, 0.7, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def fixed_window(opened: Opened) -> Size3 | None:
    """The size of image that the graph takes, where it takes but one."""
    shape = opened.model.inputs[0].get_partial_shape()
    sizes = [shape[at] for at in range(2, len(shape))]
    if any(one.is_dynamic for one in sizes):
        return None
    fixed = [int(one.get_length()) for one in sizes]
    depth, height, width = fixed if len(fixed) == 3 else [1, *fixed]
    return depth, height, width


Size3 = tuple[Size, Size, Size]


def digest(folder: Path) -> str:
    """SHA-256 (hex) over the names and contents of the model's files."""
    found = hashlib.sha256()
    for path in files(folder):
        with path.open("rb") as file:
            found.update(
                f"{path.name}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode()
            )
    return found.hexdigest()


def files(folder: Path) -> Sequence[Path]:
    """The files of a model, by name; what is hidden, and the manifest, are none of it."""
    found = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and path.name != "bedside.json"
    )
    if len(found) > _MAX_FILES:
        raise VisionProblem(
            "文件夹里的文件过多，请只放模型文件。", "Too many files in the folder of a model."
        )
    return found
