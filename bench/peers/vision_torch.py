"""A segmentation network in stock PyTorch, float32, in the way that is quickest here.

A U-Net of ours from its weights, or a row of convolutions from its kernels; the classes of one
image, as `serving.vision` gives them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.peers.loop import serve

SHAPE, WEIGHTS, CHAIN = "shape.json", "weights.safetensors", "chain.npz"


class TorchVision:
    """One network and one image."""

    def load(self, path: str, image: str, threads: int = 0, ways: str = "") -> dict[str, Any]:
        """``path`` holds `SHAPE` and `WEIGHTS`, or `CHAIN`; ``image``: a .npy, scaled.

        Every way is tried, and the quickest kept; answers with the seconds of each.
        """
        import numpy as np
        import torch

        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        array = np.load(image)
        chain = (Path(path) / CHAIN).is_file()
        self._model = _chain(Path(path)) if chain else _network(Path(path))
        flat = not chain and array.shape[0] == 1
        self._given = torch.from_numpy(array[None] if flat else array[None, None])
        self._flat = flat
        tried: dict[str, Any] = {}
        best = float("inf")
        for name in ways.split(",") if ways else _WAYS:
            try:
                run = _WAYS[name](self._model, self._given, flat)
                run()
                began = time.perf_counter()
                run()
                tried[name] = round(time.perf_counter() - began, 4)
            except Exception as error:
                tried[name] = type(error).__name__
                continue
            if tried[name] < best:
                best, self._run = tried[name], run
        return {"tried": tried, "torch": torch.__version__}

    def run(self, labels: str = "") -> dict[str, Any]:
        """Seconds for the classes; they go to the file ``labels``."""
        import numpy as np

        began, before = time.perf_counter(), time.process_time()
        with self._torch.inference_mode():
            made = self._run().argmax(1)[0].to(self._torch.uint8).numpy()
        answer = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - before,
        }
        if labels:
            np.save(labels, made[None] if self._flat else made)
        return answer


def _network(folder: Path) -> Any:
    from safetensors.torch import load_file

    from assistant.training.segmentation.networks import Shape, build

    model = build(Shape(**json.loads((folder / SHAPE).read_text())))
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.eval()


def _chain(folder: Path) -> Any:
    import numpy as np
    import torch

    steps: list[Any] = []
    with np.load(folder / CHAIN) as held:
        for at in range(int(held["count"])):
            kernel = held[f"k{at}"]
            out, given, *size = kernel.shape
            dilation = [int(one) for one in held[f"d{at}"]]
            step = torch.nn.Conv3d(given, out, size, padding="same", dilation=dilation)
            step.weight.data = torch.from_numpy(kernel)
            step.bias.data = torch.from_numpy(held[f"b{at}"])
            steps.append(step)
            if name := str(held[f"a{at}"]):
                steps.append(torch.nn.ELU(inplace=True) if name == "elu" else torch.nn.ReLU(True))
    return torch.nn.Sequential(*steps).eval()


Run = Callable[[], Any]


def _eager(model: Any, given: Any, flat: bool) -> Run:
    import torch

    def run() -> Any:
        with torch.inference_mode():
            return model(given)

    return run


def _last(model: Any, given: Any, flat: bool) -> Run:
    import torch

    form = torch.channels_last if flat else torch.channels_last_3d
    turned, value = model.to(memory_format=form), given.contiguous(memory_format=form)
    return _eager(turned, value, flat)


def _frozen(model: Any, given: Any, flat: bool) -> Run:
    import torch

    with torch.inference_mode():
        traced = torch.jit.optimize_for_inference(torch.jit.trace(model, given, check_trace=False))
    return _eager(traced, given, flat)


def _compiled(model: Any, given: Any, flat: bool) -> Run:
    import torch

    return _eager(torch.compile(model), given, flat)


_WAYS: dict[str, Callable[[Any, Any, bool], Run]] = {
    "eager": _eager,
    "jit": _frozen,
    "channels_last": _last,
    "compile": _compiled,
}

if __name__ == "__main__":
    serve(TorchVision())
