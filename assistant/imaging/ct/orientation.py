"""An image with its axes as the algorithms take them: slices to the head, rows to the back,
columns to the patient's left; and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Grid

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Orientation:
    """How the axes of an array are put in order: ``order[i]`` becomes axis i, then flips."""

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @classmethod
    def of(cls, grid: Grid) -> Orientation:
        """The nearest right-angled turn; oblique axes stay a little oblique."""
        along = np.asarray(grid.axes, float)[::-1]  # rows z, y, x; columns slice, row, column
        order = max(
            permutations(range(3)), key=lambda p: sum(abs(along[i, p[i]]) for i in range(3))
        )
        flips = tuple(bool(along[i, order[i]] < 0) for i in range(3))
        return cls(order, flips)  # type: ignore[arg-type]

    def turned(self, array: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """A view of ``array`` as (to the head, to the back, to the left)."""
        return array.transpose(self.order)[self._steps]

    def back(self, array: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """The inverse of `turned`, as a contiguous array."""
        return np.ascontiguousarray(array[self._steps].transpose(np.argsort(self.order)))

    def spacing(self, grid: Grid) -> tuple[float, float, float]:
        """Millimetres along the turned axes."""
        z, y, x = (grid.spacing[axis] for axis in self.order)
        return z, y, x

    @property
    def _steps(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)
