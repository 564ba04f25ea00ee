"""A classifier at work: images in, a score for each class out, and what of them is likely.

Probabilities are those of scores divided by the temperature of the description (Guo et al., On
calibration of modern neural networks, 2017), which `calibration.fitted` finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.hardware import topology
from serving.vision.compiled import compile_model
from serving.vision.folder import Opened
from serving.vision.problem import VisionProblem

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
"""[channel, slice, row, column] for a model of three dimensions, else [channel, row, column]."""

_LEAST = 1e-7
_THREADS_OF_A_STREAM = 2


class Classifier:
    """One model; safe to use by one thread at a time."""

    def __init__(self, opened: Opened, size: tuple[int, ...], threads: int = 0) -> None:
        """``size`` of an image, without channels; ``threads``: 0 for all.

        Raises:
            VisionProblem: the model is no classifier, or does not take this size.
        """
        said = opened.description
        if said.task != "classification":
            raise VisionProblem(
                "该模型不用于分类。", "This model is not for classification (task in vision.yaml)."
            )
        self.opened = opened
        self.shape = (1, said.channels, *size)
        count = threads or len(topology.usable())
        streams = max(count // _THREADS_OF_A_STREAM, 1)
        try:
            model = opened.model.clone()
            model.reshape(list(self.shape))
            compiled = compile_model(model, "f32", threads, streams)
        except RuntimeError:
            raise VisionProblem(
                f"模型不能处理 {size} 大小的图像，请在 vision.yaml 设置 size。",
                f"The graph does not take an image of {size}; set size in vision.yaml.",
            ) from None
        self._requests = [compiled.create_infer_request() for _ in range(streams)]

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(one.name for one in self.opened.description.classes)

    def scores(self, images: Iterable[Image]) -> Floats:
        """[image, class]: logits, whatever the graph gives."""
        made = np.array(list(self._each(images)), np.float64).reshape(-1, self._outputs)
        how = self.opened.description.activation
        if made.shape[1] == 1:
            # One score is the odds of the second class against the first.
            odds = _logit(made) if how == "none" else made
            return np.hstack([np.zeros_like(odds), odds])
        if how == "none":
            found: Floats = np.log(np.clip(made, _LEAST, 1))
            return found
        return made

    def probabilities(self, scores: Floats, temperature: float | None = None) -> Floats:
        """Of [image, class] logits; ``temperature``: by default that of the description."""
        said = self.opened.description
        return probabilities(scores, said.temperature if temperature is None else temperature,
                             self.exclusive)  # fmt: skip

    @property
    def exclusive(self) -> bool:
        """Whether an image is of one class only."""
        return self.opened.description.activation != "sigmoid" or self._outputs == 1

    @property
    def _outputs(self) -> int:
        return int(self.opened.model.outputs[0].get_partial_shape()[1].get_length())

    def _each(self, images: Iterable[Image]) -> Iterator[Image]:
        idle = list(self._requests)
        running: list[Any] = []
        try:
            for one in images:
                if not idle:
                    yield self._done(running, idle)
                request = idle.pop()
                running.append(request)
                request.start_async([one.reshape(self.shape).astype(np.float32)])
            while running:
                yield self._done(running, idle)
        finally:
            for request in running:
                request.wait()

    def _done(self, running: list[Any], idle: list[Any]) -> Image:
        request = running.pop(0)
        request.wait()
        idle.append(request)
        return np.array(request.get_output_tensor(0).data[0], np.float32)


def probabilities(scores: Floats, temperature: float = 1.0, exclusive: bool = True) -> Floats:
    """[image, class] from 0 to 1; they sum to 1 where classes exclude each other."""
    divided = scores / temperature
    if not exclusive:
        found: Floats = 1 / (1 + np.exp(-np.clip(divided, -500, 500)))
        return found
    shares = np.exp(divided - divided.max(axis=1, keepdims=True))
    whole: Floats = shares / shares.sum(axis=1, keepdims=True)
    return whole


def _logit(share: Floats) -> Floats:
    inside = np.clip(share, _LEAST, 1 - _LEAST)
    found: Floats = np.log(inside / (1 - inside))
    return found
