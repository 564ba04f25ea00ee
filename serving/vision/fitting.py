"""Whether a graph is what its description says, by the shapes of what goes in and comes out."""

from __future__ import annotations

from typing import Any

from serving.vision.description import Description
from serving.vision.problem import VisionProblem

_OUTPUTS = {"decoded": (2, 3), "rows": (1, 1), "yolo": (1, 1), "retinanet": (2, 2)}
"""How many outputs a detector has: least and most."""


def checked(model: Any, said: Description) -> int:
    """The number of classes that the graph gives; 0 where its shape does not tell.

    Raises:
        VisionProblem: the graph is not what is described.
    """
    _check_input(model, said)
    if said.task == "detection":
        return _detector(model, said)
    if len(model.outputs) != 1:
        raise VisionProblem("模型须有一个输出。", "A model must have one output.")
    return _classifier(model) if said.task == "classification" else _segmenter(model, said)


def _check_input(model: Any, said: Description) -> None:
    if len(model.inputs) != 1:
        raise VisionProblem("模型须有一个输入。", "A model must have one input.")
    given = model.inputs[0].get_partial_shape()
    if given.rank.is_dynamic or len(given) != said.dimensions + 2:
        raise VisionProblem(
            f"vision.yaml 写的是 {said.dimensions} 维，但模型的输入不是，请核对 dimensions。",
            f"vision.yaml says {said.dimensions} dimensions, but the model's input has others.",
        )
    if given[1].is_static and given[1].get_length() != said.channels:
        raise VisionProblem(
            f"模型需要 {given[1].get_length()} 个通道，而 vision.yaml 写的是 {said.channels} 个，"
            "请核对 channels（分割只支持单通道图像）；若通道在最后，请写 layout: channels_last。",
            f"The model takes {given[1].get_length()} channels and vision.yaml says "
            f"{said.channels}; correct channels (1 for segmentation), and where they come last, "
            "say layout: channels_last.",
        )


def _segmenter(model: Any, said: Description) -> int:
    if said.channels != 1:
        raise VisionProblem(
            "分割只支持单通道图像，请写 channels: 1。", "Segmentation takes one channel."
        )
    made = model.outputs[0].get_partial_shape()
    if made.rank.is_dynamic or len(made) != said.dimensions + 2 or made[1].is_dynamic:
        raise VisionProblem(
            "模型的输出不是每类一个得分图，无法用于分割。",
            "The model's output is no map of scores with a channel for each class.",
        )
    count = int(made[1].get_length())
    if not 2 <= count <= 256:
        raise VisionProblem(
            f"模型输出 {count} 个通道；分割需要 2 到 256 个类别。",
            f"The model gives {count} channels; for segmentation it must be 2 to 256.",
        )
    return count


def _classifier(model: Any) -> int:
    """A single score is that of the second of two classes."""
    made = model.outputs[0].get_partial_shape()
    if made.rank.is_dynamic or len(made) != 2 or made[1].is_dynamic:
        raise VisionProblem(
            "模型的输出不是每类一个得分（[1, 类别数]），无法用于分类。",
            "The model's output is no row of scores ([1, classes]), as of a classifier.",
        )
    return max(int(made[1].get_length()), 2)


def _detector(model: Any, said: Description) -> int:
    """Classes with the background before them, where the shape of the outputs tells."""
    assert said.boxes is not None
    how = said.boxes
    least, most = _OUTPUTS[how.kind]
    if not least <= len(how.outputs or model.outputs) <= most:
        raise VisionProblem(
            f"boxes 的 kind 为 {how.kind} 时需要 {least} 到 {most} 个输出，"
            f"模型有 {len(model.outputs)} 个，请核对 boxes。",
            f"boxes of the kind {how.kind} are read from {least} to {most} outputs, and the model "
            f"has {len(model.outputs)}; correct boxes.",
        )
    known = {name for one in model.outputs for name in one.get_names()}
    if missing := [name for name in how.outputs if name not in known]:
        raise VisionProblem(
            f"模型没有名为 {missing[0][:60]} 的输出，请核对 boxes.outputs。",
            f"The model has no output {missing[0][:60]}; correct boxes.outputs.",
        )
    if how.kind == "retinanet":
        name = how.outputs[0] if how.outputs else 0
        made = model.output(name).get_partial_shape()
        if made.rank.is_static and len(made) == 3 and made[2].is_static:
            return int(made[2].get_length()) + 1
    return 0
