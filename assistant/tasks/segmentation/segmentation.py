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
    """``labels`` are on the image's own grid; ``precision`` is empty where no network ran.

    ``inner``, where there is one, has the labels of what lies inside another structure and does not
    take anything away from it, such as the vessels of the lungs.
    """

    labels: NDArray[np.uint8]
    structures: list[Structure]
    model: str
    digest: str = ""
    precision: str = ""
    seconds: float = 0.0
    inner: NDArray[np.uint8] | None = None

    def mask(self, label: int) -> NDArray[np.bool_]:
        """The voxels of a structure, as far as no other is laid over them."""
        found: NDArray[np.bool_] = self.labels == label
        return found if self.inner is None else found | (self.inner == label)

    def shown(self, chosen: frozenset[int] | None = None) -> NDArray[np.uint8]:
        """One map to look at: what lies inside over what it lies in.  ``chosen``: labels that are
        wanted; None: all."""
        if self.inner is None:
            return self.labels
        over = self.inner > 0
        if chosen is not None:
            over &= np.isin(self.inner, sorted(chosen))
        return np.where(over, self.inner, self.labels)
