"""Keras layers as OpenVINO operations.  Values are ``[batch, channel, …space]`` here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from serving.vision.problem import VisionProblem
from serving.vision.weights import Floats

Config = Mapping[str, Any]
Tensors = Mapping[str, Floats]

_SAME = {"Dropout", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout"}


def build(kind: str, config: Config, inputs: Sequence[Any], tensors: Tensors) -> Any:
    """The output of one layer; ``tensors`` are all weights of the model.

    Raises:
        VisionProblem: the layer is not known, or lacks weights.
    """
    if config.get("data_format", "channels_last") != "channels_last":
        raise _unknown(f"{kind} channels_first")
    if kind in _SAME:
        return inputs[0]
    maker = _MAKERS.get(kind)
    if maker is None:
        raise _unknown(kind)
    return maker(config, inputs, tensors)


def activated(value: Any, name: str, config: Config) -> Any:
    """``value`` after the activation called ``name``."""
    from openvino import opset13 as ops

    if name in ("linear", ""):
        return value
    if name == "elu":
        return ops.elu(value, float(config.get("alpha", 1.0)))
    if name == "leaky_relu":
        slope = np.float32(config.get("alpha", config.get("negative_slope", 0.3)))
        return ops.prelu(value, ops.constant(np.array([slope])))
    simple: dict[str, Callable[[], Any]] = {
        "relu": lambda: ops.relu(value),
        "relu6": lambda: ops.clamp(value, 0.0, 6.0),
        "selu": lambda: ops.selu(value, np.float32(1.6732632), np.float32(1.050701)),
        "sigmoid": lambda: ops.sigmoid(value),
        "tanh": lambda: ops.tanh(value),
        "softplus": lambda: ops.softplus(value),
        "swish": lambda: ops.swish(value),
        "gelu": lambda: ops.gelu(value, "erf"),
        "softmax": lambda: ops.softmax(value, 1),
    }
    if name not in simple:
        raise _unknown(name)
    return simple[name]()


def _shape(value: Any) -> Any:
    """The shape of a node's only output, or of one output."""
    return (value.output(0) if hasattr(value, "output") else value).get_partial_shape()


def _weight(tensors: Tensors, config: Config, part: str) -> Floats:
    name = f"{config.get('name')}/{part}"
    if name not in tensors:
        raise VisionProblem(
            f"权重 {name} 缺失，请重新导出模型。", f"The weights {name} are missing; export again."
        )
    return tensors[name]


def _convolution(config: Config, inputs: Sequence[Any], tensors: Tensors) -> Any:
    from openvino import opset13 as ops

    kernel = _weight(tensors, config, "kernel")
    space = kernel.ndim - 2
    channels = _shape(inputs[0])[1].get_length()
    groups = int(config.get("groups") or 1)
    if kernel.shape[-2] * groups != channels:
        raise VisionProblem(
            f"卷积层 {config.get('name')} 的通道数与权重不符。",
            f"The layer {config.get('name')} has weights for {kernel.shape[-2] * groups} channels, "
            f"but is given {channels}.",
        )
    strides = [int(one) for one in config.get("strides", [1] * space)]
    dilation = [int(one) for one in config.get("dilation_rate", [1] * space)]
    # [kernel…, in, out] → [out, in, kernel…]
    turned = np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))
    pads, automatic = _padding(config, kernel.shape[:space], strides, dilation)
    if groups == 1:
        made = ops.convolution(
            inputs[0], ops.constant(turned), strides, pads, pads, dilation, automatic
        )
    else:
        out = turned.shape[0] // groups
        split = turned.reshape(groups, out, *turned.shape[1:])
        made = ops.group_convolution(
            inputs[0], ops.constant(split), strides, pads, pads, dilation, automatic
        )
    return _biased(made, config, tensors, space)


def _padding(
    config: Config, kernel: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> tuple[list[int], str]:
    if config.get("padding", "valid") != "same":
        return [0] * len(kernel), "explicit"
    reach = [(size - 1) * wide for size, wide in zip(kernel, dilation, strict=True)]
    if all(stride == 1 for stride in strides) and all(one % 2 == 0 for one in reach):
        return [one // 2 for one in reach], "explicit"
    return [0] * len(kernel), "same_upper"


def _biased(value: Any, config: Config, tensors: Tensors, space: int) -> Any:
    from openvino import opset13 as ops

    if config.get("use_bias", True):
        bias = _weight(tensors, config, "bias").reshape(1, -1, *[1] * space)
        value = ops.add(value, ops.constant(bias))
    return activated(value, str(config.get("activation") or "linear"), config)


def _transposed(config: Config, inputs: Sequence[Any], tensors: Tensors) -> Any:
    from openvino import opset13 as ops

    kernel = _weight(tensors, config, "kernel")
    space = kernel.ndim - 2
    strides = [int(one) for one in config.get("strides", [1] * space)]
    # [kernel…, out, in] → [in, out, kernel…]
    turned = np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))
    # With explicit pads of nothing the result is cut to what "same" gives: input times stride.
    pads = [0] * space
    excess = [max(size - stride, 0) for size, stride in zip(kernel.shape, strides, strict=False)]
    begins = [one // 2 for one in excess] if config.get("padding") == "same" else pads
    ends = [one - one // 2 for one in excess] if config.get("padding") == "same" else pads
    made = ops.convolution_backprop_data(
        inputs[0],
        ops.constant(turned),
        strides,
        pads_begin=begins,
        pads_end=ends,
        dilations=[1] * space,
    )
    return _biased(made, config, tensors, space)


def _normalised(config: Config, inputs: Sequence[Any], tensors: Tensors) -> Any:
    from openvino import opset13 as ops

    mean = _weight(tensors, config, "moving_mean")
    variance = _weight(tensors, config, "moving_variance")
    scale = 1 / np.sqrt(variance + np.float32(config.get("epsilon", 1e-3)))
    if config.get("scale", True):
        scale = scale * _weight(tensors, config, "gamma")
    shift = -mean * scale
    if config.get("center", True):
        shift = shift + _weight(tensors, config, "beta")
    space = len(_shape(inputs[0])) - 2
    shape = (1, -1, *[1] * space)
    scaled = ops.multiply(inputs[0], ops.constant(scale.astype(np.float32).reshape(shape)))
    return ops.add(scaled, ops.constant(shift.astype(np.float32).reshape(shape)))


def _pooled(config: Config, inputs: Sequence[Any], average: bool) -> Any:
    from openvino import opset13 as ops

    size = [int(one) for one in config["pool_size"]]
    strides = [int(one) for one in config.get("strides") or size]
    zeros = [0] * len(size)
    automatic = "same_upper" if config.get("padding") == "same" else "explicit"
    if average:
        return ops.avg_pool(inputs[0], strides, zeros, zeros, size, True, auto_pad=automatic)
    made = ops.max_pool(inputs[0], strides, [1] * len(size), zeros, zeros, size, auto_pad=automatic)
    # The places of the greatest are another output.
    return made.output(0)


def _upsampled(config: Config, inputs: Sequence[Any], tensors: Tensors) -> Any:
    from openvino import opset13 as ops

    size = [float(one) for one in config["size"]]
    linear = config.get("interpolation", "nearest") != "nearest"
    axes = list(range(2, 2 + len(size)))
    return ops.interpolate(
        inputs[0],
        ops.constant(np.array(size, np.float32)),
        "linear_onnx" if linear else "nearest",
        "scales",
        axes=ops.constant(np.array(axes)),
        coordinate_transformation_mode="half_pixel" if linear else "asymmetric",
        nearest_mode="floor",
    )


def _joined(config: Config, inputs: Sequence[Any], tensors: Tensors) -> Any:
    from openvino import opset13 as ops

    axis = int(config.get("axis", -1))
    if axis not in (-1, len(_shape(inputs[0])) - 1):
        raise _unknown("Concatenate")
    return ops.concat([one.output(0) if hasattr(one, "output") else one for one in inputs], 1)


def _added(config: Config, inputs: Sequence[Any], tensors: Tensors) -> Any:
    from openvino import opset13 as ops

    total = inputs[0]
    for one in inputs[1:]:
        total = ops.add(total, one)
    return total


_MAKERS: dict[str, Callable[[Config, Sequence[Any], Tensors], Any]] = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv2DTranspose": _transposed,
    "Conv3DTranspose": _transposed,
    "BatchNormalization": _normalised,
    "MaxPooling2D": lambda config, inputs, tensors: _pooled(config, inputs, False),
    "MaxPooling3D": lambda config, inputs, tensors: _pooled(config, inputs, False),
    "AveragePooling2D": lambda config, inputs, tensors: _pooled(config, inputs, True),
    "AveragePooling3D": lambda config, inputs, tensors: _pooled(config, inputs, True),
    "UpSampling2D": _upsampled,
    "UpSampling3D": _upsampled,
    "Concatenate": _joined,
    "Add": _added,
    "Activation": lambda config, inputs, tensors: activated(
        inputs[0], str(config.get("activation", "")), config
    ),
    "ReLU": lambda config, inputs, tensors: activated(inputs[0], "relu", config),
    "ELU": lambda config, inputs, tensors: activated(inputs[0], "elu", config),
    "LeakyReLU": lambda config, inputs, tensors: activated(inputs[0], "leaky_relu", config),
    "Softmax": lambda config, inputs, tensors: activated(inputs[0], "softmax", config),
}


def _unknown(kind: str) -> VisionProblem:
    return VisionProblem(
        f"模型含不支持的层 {kind[:40]}，请转为 ONNX 或 OpenVINO IR。",
        f"The model has a layer that is not known ({kind[:40]}); give it as ONNX or OpenVINO IR.",
    )
