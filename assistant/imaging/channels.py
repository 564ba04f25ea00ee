"""An image of one or three channels, whatever it came from: DICOM, NIfTI, NRRD, PNG or JPEG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import archive, dicom, photograph, projection, series, web
from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import known_as, read_image
from assistant.imaging.volume import Volume

PICTURES = (".png", ".jpg", ".jpeg")
_OTHERS = (".nii", ".nii.gz", ".nrrd", ".nhdr")
_LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True, slots=True)
class Channels:
    """``planes`` lie on one grid: one grey, or red, green and blue."""

    planes: tuple[Volume, ...]

    @property
    def first(self) -> Volume:
        """Where it lies and what it is."""
        return self.planes[0]

    @property
    def slices(self) -> int:
        """How many there are."""
        return self.first.grid.shape[0]

    def grey(self) -> Volume:
        """The luminance of colours."""
        if len(self.planes) == 1:
            return self.first
        mixed = sum(share * one.array for share, one in zip(_LUMINANCE, self.planes, strict=True))
        return self.first.with_array(np.asarray(mixed, np.float32))

    def of(self, count: int) -> tuple[Volume, ...]:
        """As one channel or three; grey is the same in all three."""
        if count == len(self.planes):
            return self.planes
        return (self.grey(),) if count == 1 else (self.first,) * count

    def slice(self, number: int) -> Channels:
        """One slice of it.  Raises `ImageProblem`."""
        if not 0 <= number < self.slices:
            raise ImageProblem(
                f"没有第 {number + 1} 层，图像共 {self.slices} 层。",
                f"There is no slice {number + 1}; the image has {self.slices}.",
            )
        index = np.array([[float(number), 0, 0]])
        return Channels(
            tuple(
                replace(
                    one,
                    array=one.array[number : number + 1],
                    grid=replace(
                        one.grid,
                        shape=(1, *one.grid.shape[1:]),
                        origin=one.grid.positions(index)[0],
                    ),
                )
                for one in self.planes
            )
        )


def read(path: Path, modality: str = "") -> Channels:
    """Of a file, a folder or an address.  ``modality``: of files that do not say.

    Raises `ImageProblem`.
    """
    name = path.name.lower()
    if web.is_address(path) or name.endswith(_OTHERS) or not path.exists():
        return Channels((known_as(read_image(path), modality),))
    if name.endswith(PICTURES):
        return of_picture(path.read_bytes(), modality)
    return of_dicom(archive.files(path))


def of_picture(data: bytes, modality: str = "") -> Channels:
    """Of a PNG or JPEG.  Raises `ImageProblem`."""
    return Channels(tuple(known_as(one, modality) for one in photograph.read(data)))


def of_dicom(contents: Iterable[bytes]) -> Channels:
    """Of the files of a series.  Raises `ImageProblem`."""
    found = list(dicom.datasets(contents))
    if projection.is_projection(found):
        return Channels(projection.read(found[0]))
    return Channels((series.assemble(found),))


def normalised(
    values: NDArray[np.float32], mean: Sequence[float], deviation: Sequence[float]
) -> NDArray[np.float32]:
    """[channel, …] less the mean of each channel, divided by its deviation; where given."""
    shape = (-1, *[1] * (values.ndim - 1))
    if mean:
        values = values - np.asarray(mean, np.float32).reshape(shape)
    if deviation:
        values = values / np.asarray(deviation, np.float32).reshape(shape)
    return np.ascontiguousarray(values, np.float32)
