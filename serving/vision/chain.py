"""A graph that is nothing but convolutions in a row: those may be computed layer by layer.

Such networks (dilated ones above all) keep the size of the image, so that every layer is computed
once for each voxel, whatever the size of the pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Activation = Literal["", "relu", "elu"]
Floats = NDArray[np.float32]

_PASSED = {"Softmax", "Sigmoid"}  # they do not change which class is greatest


@dataclass(frozen=True, slots=True)
class Stage:
    """One convolution with its activation.  ``kernel`` is [out, in, depth, height, width]."""

    kernel: Floats
    bias: Floats
    dilation: tuple[int, int, int]
    activation: Activation = ""
    alpha: float = 1.0

    @property
    def reach(self) -> tuple[int, int, int]:
        """How many voxels it looks to either side."""
        sizes = self.kernel.shape[2:]
        found = tuple((n - 1) // 2 * d for n, d in zip(sizes, self.dilation, strict=True))
        return found[0], found[1], found[2]

    def constant(self, value: Floats) -> Floats:
        """What it makes of an image that has ``value`` [in] everywhere; [out]."""
        made = self.kernel.sum(axis=(2, 3, 4), dtype=np.float64) @ value + self.bias
        if self.activation == "relu":
            made = np.maximum(made, 0)
        elif self.activation == "elu":
            made = np.where(made > 0, made, self.alpha * np.expm1(np.minimum(made, 0)))
        found: Floats = made.astype(np.float32)
        return found


def stages_of(model: Any) -> list[Stage] | None:
    """The stages of an ``openvino.Model``, or None where it is no such row.

    Three dimensions, one channel in, stride 1, as much padding as keeps the size.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    node = model.outputs[0].get_node().input_value(0).get_node()
    if node.get_type_name() in _PASSED:
        node = node.input_value(0).get_node()
    found: list[Stage] = []
    while node.get_type_name() != "Parameter":
        read = _stage(node)
        if read is None:
            return None
        stage, node = read
        found.insert(0, stage)
    return found or None


def _stage(node: Any) -> tuple[Stage, Any] | None:
    """The stage that ends in ``node``, and what it is given."""
    activation: Activation = ""
    alpha = 1.0
    kind = node.get_type_name()
    if kind == "Elu":
        activation, alpha = "elu", float(node.get_attributes()["alpha"])
    elif kind == "Relu":
        activation = "relu"
    if activation:
        node = node.input_value(0).get_node()
    bias: Floats | None = None
    if node.get_type_name() == "Add":
        value = _constant(node.input_value(1).get_node())
        if value is None or value.ndim != 5 or value.size != value.shape[1]:
            return None
        bias = value.reshape(-1)
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Convolution":
        return None
    kernel = _constant(node.input_value(1).get_node())
    given = node.get_attributes()
    if kernel is None or kernel.ndim != 5 or list(given["strides"]) != [1, 1, 1]:
        return None
    if any(size % 2 == 0 for size in kernel.shape[2:]):
        return None
    dilation = tuple(int(one) for one in given["dilations"])
    zeros = np.zeros(kernel.shape[0], np.float32)
    stage = Stage(
        kernel,
        zeros if bias is None else bias,
        (dilation[0], dilation[1], dilation[2]),
        activation,
        alpha,
    )
    if not _keeps_size(given, stage.reach):
        return None
    return stage, node.input_value(0).get_node()


def _keeps_size(given: dict[str, Any], reach: tuple[int, int, int]) -> bool:
    automatic = str(given.get("auto_pad", "explicit")).lower()
    if "same" in automatic:
        return True
    ends = list(given["pads_begin"]), list(given["pads_end"])
    return all(list(end) == list(reach) for end in ends)


def _constant(node: Any) -> Floats | None:
    """A constant's value; it may be kept in sixteen bits."""
    if node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Constant":
        return None
    found: Floats = np.asarray(node.data, np.float32)
    return found
