"""One piece of a network, compiled for one size."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from serving.hardware import topology

Precision = Literal["f32", "bf16", "int8"]
"""``int8``: a graph that was quantised; what of it is not computes in float32."""


def compile_model(model: Any, precision: Precision, threads: int = 0, streams: int = 1) -> Any:
    """``model`` (an openvino.Model of fixed size) for this processor.

    ``threads``: of all ``streams`` together, 0 for as many as this process may use.
    """
    import openvino
    import openvino.properties as property
    import openvino.properties.hint as hint

    options: dict[Any, Any] = {
        hint.inference_precision(): "bf16" if precision == "bf16" else "f32",
        property.streams.num(): streams,
        property.inference_num_threads(): threads or len(topology.usable()),
        # Several processes would all be pinned to the first cores.
        hint.enable_cpu_pinning(): False,
    }
    return openvino.Core().compile_model(model, "CPU", options)


class Scratch:
    """Memory that pieces have in common, as only one of them runs at a time.

    New memory is costly: the system gives it page by page, each filled with zeros first.
    """

    def __init__(self, given: int = 0, made: int = 0) -> None:
        """``given`` and ``made``: bytes for the largest input and output; pages that nothing
        touches take nothing."""
        self._held = np.empty(given, np.uint8), np.empty(made, np.uint8)

    def array(self, which: int, shape: tuple[int, ...], kind: str) -> NDArray[Any]:
        """An input (``which`` 0) or output (1); its own memory where the common one is too
        small."""
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        held = self._held[which]
        if size > held.nbytes:
            return np.zeros(shape, kind)
        return held[:size].view(kind).reshape(shape)


class Piece:
    """A compiled network whose input and output arrays are this process's own memory.

    bfloat16 is kept as uint16: NumPy has no such type.  With a `Scratch`, ``given`` holds what the
    last piece left.
    """

    def __init__(self, compiled: Any, scratch: Scratch | None = None) -> None:
        """``compiled`` has one input and one output of fixed size."""
        scratch = scratch or Scratch()
        self._request = compiled.create_infer_request()
        self.given, tensor = _array(compiled.input(0), scratch, 0)
        self._request.set_input_tensor(tensor)
        self.made, tensor = _array(compiled.output(0), scratch, 1)
        self._request.set_output_tensor(tensor)

    def run(self) -> NDArray[Any]:
        """Compute ``made`` from ``given``."""
        self._request.infer()
        return self.made


def _array(port: Any, scratch: Scratch, which: int) -> tuple[NDArray[Any], Any]:
    import openvino

    kind = port.get_element_type()
    shape = tuple(port.get_shape())
    name = {"bf16": "uint16", "f32": "float32", "u8": "uint8"}[kind.get_type_name()]
    array = scratch.array(which, shape, name)
    return array, openvino.Tensor(array, list(shape), kind)
