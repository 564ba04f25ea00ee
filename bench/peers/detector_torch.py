"""A RetinaNet in stock PyTorch, float32, in the way that is quickest here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.peers.loop import serve
from bench.peers.retinanet import TEST, TRACED


class TorchDetector:
    """One network and its test images."""

    def load(self, path: str, threads: int = 0) -> dict[str, Any]:
        """Every way is tried, and the quickest kept; answers with the seconds of each."""
        import numpy as np
        import torch

        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        with np.load(Path(path) / TEST) as held:
            count = sum(name.startswith("image") for name in held)
            self._images = [torch.from_numpy(held[f"image{n}"][None]) for n in range(count)]
        plain = torch.jit.load(str(Path(path) / TRACED))
        ways = {
            "eager": lambda: plain,
            "jit": lambda: torch.jit.optimize_for_inference(plain.eval()),
            "channels_last": lambda: plain.to(memory_format=torch.channels_last),
        }
        tried: dict[str, Any] = {}
        best = float("inf")
        for name, make in ways.items():
            self._form = torch.channels_last if name == "channels_last" else torch.preserve_format
            try:
                model = make()
                self._once(model, 0)
                began = time.perf_counter()
                self._once(model, 0)
                tried[name] = round(time.perf_counter() - began, 4)
            except Exception as error:
                tried[name] = type(error).__name__
                continue
            if tried[name] < best:
                best, self._model, chosen = tried[name], model, self._form
        self._form = chosen
        return {"tried": tried, "torch": torch.__version__}

    def run(self, number: int, outputs: str = "") -> dict[str, Any]:
        """Seconds for the scores and corrections of an image; they go to the file ``outputs``."""
        import numpy as np

        began, before = time.perf_counter(), time.process_time()
        scores, moves = self._once(self._model, number)
        answer = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - before,
        }
        if outputs:
            np.savez(outputs, scores=scores.numpy(), moves=moves.numpy())
        return answer

    def _once(self, model: Any, number: int) -> Any:
        with self._torch.inference_mode():
            return model(self._images[number].contiguous(memory_format=self._form))


if __name__ == "__main__":
    serve(TorchDetector())
