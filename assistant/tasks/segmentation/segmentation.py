"""What comes of segmenting an image, whatever did it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.tasks.segmentation.structure import Structure

Report = Callable[[int, int, str], None]
"""(done, total, what)."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """``labels`` are on the image's own grid; ``precision`` is empty where no network ran."""

    labels: NDArray[np.uint8]
    structures: list[Structure]
    model: str
    digest: str = ""
    precision: str = ""
    seconds: float = 0.0
