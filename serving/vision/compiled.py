"""One piece of a network, compiled for one size."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from serving.hardware import topology

Precision = Literal["f32", "bf16"]
PRECISIONS: tuple[Precision, ...] = ("f32", "bf16")


def compile_model(model: Any, precision: Precision, threads: int = 0) -> Any:
    """``model`` (an openvino.Model of fixed size) for this processor.

    ``threads``: 0 for as many as this process may use.
    """
    import openvino
    import openvino.properties as property
    import openvino.properties.hint as hint

    options: dict[Any, Any] = {
        hint.inference_precision(): precision,
        property.streams.num(): 1,
        property.inference_num_threads(): threads or len(topology.usable()),
        # Several processes would all be pinned to the first cores.
        hint.enable_cpu_pinning(): False,
    }
    return openvino.Core().compile_model(model, "CPU", options)


class Piece:
    """A compiled network whose input and output arrays are this process's own memory.

    bfloat16 is kept as uint16: NumPy has no such type.
    """

    def __init__(self, compiled: Any) -> None:
        """``compiled`` has one input and one output of fixed size."""
        self._request = compiled.create_infer_request()
        self.given, tensor = _array(compiled.input(0))
        self._request.set_input_tensor(tensor)
        self.made, tensor = _array(compiled.output(0))
        self._request.set_output_tensor(tensor)

    def run(self) -> NDArray[Any]:
        """Compute ``made`` from ``given``."""
        self._request.infer()
        return self.made


def _array(port: Any) -> tuple[NDArray[Any], Any]:
    import openvino

    kind = port.get_element_type()
    shape = tuple(port.get_shape())
    name = {"bf16": "uint16", "f32": "float32", "u8": "uint8"}[kind.get_type_name()]
    array = np.zeros(shape, name)
    return array, openvino.Tensor(array, list(shape), kind)
