"""Whether a cut-out line stands on its head: a small classifier."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.ocr.cropping import HEIGHT
from serving.ocr.network import Bytes, Network

_WIDTH = 192
_GREY = 127
_SURE = 0.6


class OrientationClassifier:
    """Tells upright lines from turned ones."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def upside_down(self, lines: Sequence[Bytes]) -> NDArray[np.bool_]:
        """For each line [48, W, 3], whether it is turned by 180°."""
        if not lines:
            return np.zeros(0, bool)
        batch = np.full((len(lines), HEIGHT, _WIDTH, 3), _GREY, np.uint8)
        for place, line in enumerate(lines):
            width = min(_WIDTH, line.shape[1])
            batch[place, :, :width] = cv2.resize(line, (width, HEIGHT))
        turned: NDArray[np.bool_] = self._network.run(batch)[0][:, 1] > _SURE
        return turned
