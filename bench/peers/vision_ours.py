"""A segmentation network by `serving.vision`, at the precision that it chooses."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.peers.loop import serve


class OurVision:
    """One model folder and one image."""

    def load(
        self, path: str, image: str, kept: str, precision: str = "auto", threads: int = 0
    ) -> dict[str, Any]:
        """``image``: a .npy, scaled.  The choice is measured now, and the graph compiled."""
        import numpy as np

        from serving.vision.folder import open_folder
        from serving.vision.network import Network

        self._array = np.load(image)
        self._network = Network(
            open_folder(Path(path)),
            precision,  # type: ignore[arg-type]
            threads=threads,
            kept=Path(kept),
        )
        began = time.perf_counter()
        self._network.labels(self._array, float(self._array.min()))
        return {"first_seconds": time.perf_counter() - began, "way": self._network.way}

    def run(self, labels: str = "") -> dict[str, Any]:
        """Seconds for the classes; they go to the file ``labels``."""
        import numpy as np

        began, before = time.perf_counter(), time.process_time()
        made = self._network.labels(self._array, float(self._array.min()))
        answer = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - before,
        }
        if labels:
            np.save(labels, made)
        return answer

    def profile(self) -> dict[str, Any]:
        """Milliseconds by kind of node and of kernel, of one window or one piece of a layer: which
        products are of eight bits, and what changing layouts costs."""
        return {"milliseconds": profiled(self._network, self._array.shape)}


def profiled(network: Any, shape: tuple[int, ...]) -> dict[str, float]:
    """See `OurVision.profile`."""
    import openvino

    from serving.vision import layer_graph

    precision = network.precision
    if network.stages is not None:
        numbers: Any = "bf16" if precision == "bf16" else "f32"
        stages = max(network.stages, key=lambda one: one.kernel.size)
        model = layer_graph.graph([stages], (layer_graph.SLICES, 96, 96), numbers, numbers, False)
    else:
        size = network.given_at_once(shape)
        eight = network.opened.eight_bits
        model = (eight if precision == "int8" else network.opened.model).clone()
        flat = network.opened.description.dimensions == 2
        model.reshape([1, 1, *size[1:]] if flat else [1, 1, *size])
    hint = "bf16" if precision == "bf16" else "f32"
    options = {"INFERENCE_PRECISION_HINT": hint, "PERF_COUNT": True, "NUM_STREAMS": 1}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    for _ in range(2):
        request.infer()
    found: dict[str, float] = {}
    for one in request.get_profiling_info():
        taken = one.real_time.total_seconds() * 1000
        if taken > 0:
            name = f"{one.node_type} {one.exec_type}"
            found[name] = round(found.get(name, 0) + taken, 2)
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


if __name__ == "__main__":
    serve(OurVision())
