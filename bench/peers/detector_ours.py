"""A detector by `serving.vision`, at the precision that it chooses or is given."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.peers.loop import serve

TEST = "test.npz"


class OurDetector:
    """One model folder and its test images."""

    def load(
        self, path: str, kept: str, precision: str = "auto", threads: int = 0
    ) -> dict[str, Any]:
        """The choice is measured now, and the graph compiled."""
        import numpy as np

        from serving.vision.detector import Detector
        from serving.vision.folder import open_folder

        with np.load(Path(path) / TEST) as held:
            count = sum(name.startswith("image") for name in held)
            self._images = [held[f"image{n}"] for n in range(count)]
        opened = open_folder(Path(path))
        self._detector = Detector(opened, threads, precision, Path(kept))  # type: ignore[arg-type]
        self._detector.detect(self._images[0])
        return {"way": self._detector.way}

    def run(self, number: int, outputs: str = "") -> dict[str, Any]:
        """Seconds for the scores and corrections of an image; they go to the file ``outputs``."""
        import numpy as np

        given = self._images[number][None]
        began, before = time.perf_counter(), time.process_time()
        scores, moves = self._detector.raw(given)
        answer = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - before,
        }
        if outputs:
            np.savez(outputs, scores=scores, moves=moves)
        return answer


if __name__ == "__main__":
    serve(OurDetector())
