"""A volume that somebody looks at, cut into slices as numbers that a page draws."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assistant.imaging.picture import PLANES, WINDOWS, largest
from assistant.imaging.problem import ImageProblem

_KEPT_BYTES = 2 * 1024**3
_LEAST, _MOST = -32_768, 32_767
_STEPS = 65_000
"""Of intensities that are no whole numbers of 16 bits."""


class ViewedClass(BaseModel):
    """A class of the labels, as the list beside the slices has it."""

    label: int
    name: str
    colour: tuple[int, int, int]


class Opened(BaseModel):
    """What a page needs to know before the first slice.  ``shape`` and ``spacing`` (mm) are of
    slices, rows and columns; an intensity is ``number * slope + intercept``; windows are (least,
    most); ``starts`` has the slice to begin with in each plane."""

    token: str
    image: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    unit: str
    slope: float
    intercept: float
    seconds: list[float]
    auto: tuple[float, float]
    windows: dict[str, tuple[float, float]]
    classes: list[ViewedClass]
    starts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Viewing:
    """``frames`` are [time, slice, row, column] at ``seconds``; ``image`` names them.

    ``maps`` are labels [slice, row, column]; what the second has lies over the first.
    """

    image: str
    frames: NDArray[np.floating]
    spacing: tuple[float, float, float]
    unit: str = ""
    seconds: Sequence[float] = (0.0,)
    maps: Sequence[NDArray[np.uint8]] = ()
    classes: Sequence[ViewedClass] = ()

    def opened(self, token: str) -> Opened:
        """What a page is told."""
        slope, intercept = self.scale()
        depth, rows, columns = self.frames.shape[1:]
        return Opened(
            token=token,
            image=self.image,
            shape=(depth, rows, columns),
            spacing=self.spacing,
            unit=self.unit,
            slope=slope,
            intercept=intercept,
            seconds=[round(float(one), 3) for one in self.seconds],
            auto=self._window(),
            windows={name: _ends(*one) for name, one in WINDOWS.items()}
            if self.unit == "HU"
            else {},
            classes=list(self.classes),
            starts={plane: self._start(plane) for plane in PLANES},
        )

    def scale(self) -> tuple[float, float]:
        """(slope, intercept) of the numbers that are sent: 1 and 0 for whole intensities."""
        low, high = self._ends()
        middle = self.frames[0, self.frames.shape[1] // 2]
        if low >= _LEAST and high <= _MOST and np.array_equal(middle, np.round(middle)):
            return 1.0, 0.0
        return max(high - low, 1e-9) / _STEPS, (high + low) / 2

    def slice(self, plane: str, number: int, time: int, scale: tuple[float, float]) -> bytes:
        """Numbers of 16 bits, little end first, row by row.  Raises `ImageProblem`."""
        self._check(plane, number, time)
        slope, intercept = scale
        part = np.asarray(_cut(self.frames[time], plane, number), np.float64)
        with np.errstate(invalid="ignore"):
            numbers = np.round((part - intercept) / slope)
        found = np.nan_to_num(numbers, nan=_LEAST).clip(_LEAST, _MOST)
        return found.astype("<i2").tobytes()

    def labels(self, plane: str, number: int) -> bytes:
        """A byte a pixel, one map after the other.  Raises `ImageProblem`."""
        self._check(plane, number, 0)
        return b"".join(_cut(one, plane, number).tobytes() for one in self.maps)

    def curve(self, index: tuple[int, int, int]) -> list[float]:
        """The intensities of a voxel (slice, row, column) over time.  Raises `ImageProblem`."""
        if not all(0 <= at < size for at, size in zip(index, self.frames.shape[1:], strict=True)):
            raise _outside()
        z, y, x = index
        return [round(float(one), 3) for one in np.nan_to_num(self.frames[:, z, y, x])]

    def _check(self, plane: str, number: int, time: int) -> None:
        if (
            plane not in PLANES
            or not 0 <= number < self.frames.shape[1 + PLANES.index(plane)]
            or not 0 <= time < len(self.frames)
        ):
            raise _outside()

    def _ends(self) -> tuple[float, float]:
        low, high = float(np.nanmin(self.frames)), float(np.nanmax(self.frames))
        return (low, high) if np.isfinite([low, high]).all() else (0.0, 1.0)

    def _window(self) -> tuple[float, float]:
        if self.unit == "HU":
            return _ends(*WINDOWS["soft"])
        middle = self.frames[0, self.frames.shape[1] // 2]
        known = middle[np.isfinite(middle)]
        low, high = np.percentile(known, [1, 99]) if known.size else (0.0, 1.0)
        return float(low), max(float(high), float(low) + 1e-6)

    def _start(self, plane: str) -> int:
        if not self.maps:
            return int(self.frames.shape[1 + PLANES.index(plane)] // 2)
        return largest(self.maps[0] > 0, plane)


class Viewings:
    """What is being looked at in this process, by tokens that stand for who may see what."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[str, Viewing, tuple[float, float]]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, actor: str, viewing: Viewing) -> Opened:
        """Keep it for ``actor``; older ones go when all together are too large."""
        token = secrets.token_urlsafe(18)
        opened = viewing.opened(token)
        with self._lock:
            self._held[token] = actor, viewing, (opened.slope, opened.intercept)
            while len(self._held) > 1 and self._bytes() > _KEPT_BYTES:
                self._held.popitem(last=False)
        return opened

    def get(self, actor: str, token: str) -> tuple[Viewing, tuple[float, float]] | None:
        """What ``actor`` has opened, with its `Viewing.scale`; None where it is gone."""
        with self._lock:
            found = self._held.get(token)
            if found is None or found[0] != actor:
                return None
            self._held.move_to_end(token)
        return found[1:]

    def _bytes(self) -> int:
        arrays = {id(a): a.nbytes for _, one, _ in self._held.values() for a in _arrays(one)}
        return sum(arrays.values())


def _arrays(one: Viewing) -> list[NDArray[np.generic]]:
    # A view has the bytes of what it is a view of, which others may show too.
    return [a if a.base is None else np.asarray(a.base) for a in (one.frames, *one.maps)]


def _cut(array: NDArray[np.generic], plane: str, number: int) -> NDArray[np.generic]:
    """As `assistant.imaging.picture` shows it: but for the axial plane the head is above."""
    axis = PLANES.index(plane)
    part: NDArray[np.generic] = np.take(array, number, axis=axis)
    return np.ascontiguousarray(part if axis == 0 else part[::-1])


def _ends(centre: float, width: float) -> tuple[float, float]:
    return centre - width / 2, centre + width / 2


def _outside() -> ImageProblem:
    return ImageProblem("没有这一层。", "There is no such slice.")
