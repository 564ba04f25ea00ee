"""One image network at work: bytes in, several requests at once."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Numbers = Literal["f32", "bf16", "int8"]
"""Of a network made in eight bits, the rest computes in float32."""
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def takes_bytes(model: Any) -> Any:
    """``model`` with an input of uint8 RGB pixels [N, H, W, 3] in the place of scaled BGR planes.

    The models were trained on (value / 255 - 0.5) / 0.5; in the graph that costs one pass.
    """
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(model)
    given = steps.input()
    given.tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(
        ColorFormat.RGB
    )
    given.model().set_layout(Layout("NCHW"))
    given.preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.BGR).mean(
        127.5
    ).scale(127.5)
    return steps.build()


class Network:
    """A compiled network with as many requests as streams; several threads may use it."""

    def __init__(self, model: Any, numbers: Numbers, streams: int, threads: int) -> None:
        """Compile (some tenths of a second).

        ``threads``: for all streams together.
        """
        import openvino
        import openvino.properties as property
        import openvino.properties.hint as hint

        options: dict[Any, Any] = {
            hint.inference_precision(): "bf16" if numbers == "bf16" else "f32",
            property.streams.num(): streams,
            property.inference_num_threads(): threads,
            # Several processes would all be pinned to the first cores.
            hint.enable_cpu_pinning(): False,
        }
        self.streams = streams
        self._compiled: Any = openvino.Core().compile_model(model, "CPU", options)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(streams):
            self._idle.put(self._compiled.create_infer_request())

    def run(self, pixels: Bytes) -> list[NDArray[Any]]:
        """The outputs for one batch [N, H, W, 3]."""
        return next(iter(self.each([pixels])))

    def each(self, batches: Iterable[Bytes]) -> Iterator[list[NDArray[Any]]]:
        """The outputs of each batch, in the order given; a few run at once."""
        running: list[Any] = []
        try:
            for pixels in batches:
                if running and (len(running) >= self.streams or self._idle.empty()):
                    yield self._done(running.pop(0))
                request = self._idle.get()
                running.append(request)
                request.start_async([pixels], share_inputs=False)
            while running:
                yield self._done(running.pop(0))
        finally:
            for request in running:
                request.wait()
                self._idle.put(request)

    def _done(self, request: Any) -> list[NDArray[Any]]:
        try:
            request.wait()
            return [np.array(request.get_tensor(port).data) for port in request.model_outputs]
        finally:
            self._idle.put(request)
