"""NIfTI files (``.nii``, ``.nii.gz``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import MAX_VOXELS, Grid, checked

_SECONDS = {"msec": 1e-3, "usec": 1e-6}
_LIKELY_SECONDS = 60
"""No two times of a study are further apart: a greater step without a unit is in milliseconds."""


def opened(path: Path) -> Any:
    """The file as nibabel has it, its voxels not read yet.  Raises `ImageProblem`."""
    import nibabel

    with _readable():
        return nibabel.load(path)


def read(path: Path) -> tuple[NDArray[Any], Grid]:
    """Intensities [slice, row, column] and their grid.

    NIfTI has positions with x to the right and y to the front; both are turned.  Raises
    `ImageProblem`.
    """
    image = opened(path)
    return place(_voxels(image), affine_of(image))


def read_times(path: Path) -> tuple[NDArray[Any], Grid, float | None]:
    """As `read`; an image of several times is [time, slice, row, column], and the last value is
    the seconds between them (0: the header does not say), None for an image of one.

    Raises `ImageProblem`.
    """
    image = opened(path)
    array, affine = _voxels(image), affine_of(image)
    if array.ndim != 4:
        return *place(array, affine), None
    placed = [place(array[..., time], affine) for time in range(array.shape[3])]
    return np.stack([volume for volume, _ in placed]), placed[0][1], step_of(image)


def step_of(image: Any) -> float:
    """Seconds between the times of an image; 0 where the header does not say."""
    zooms = image.header.get_zooms()
    step = float(zooms[3]) if len(zooms) > 3 else 0.0
    unit = image.header.get_xyzt_units()[1]
    # Some writers leave the unit out and give milliseconds.
    late = unit == "unknown" and step > _LIKELY_SECONDS
    step *= 1e-3 if late else _SECONDS.get(unit, 1.0)
    return step if np.isfinite(step) and step > 0 else 0.0


def affine_of(image: Any) -> NDArray[np.float64]:
    """Voxels → the patient system that DICOM has, 4 × 4."""
    return np.asarray(image.affine, float) * [[-1], [-1], [1], [1]]


def _voxels(image: Any) -> NDArray[Any]:
    """[x, y, z], and what lies behind; one time that is stored as a series of one is no series."""
    if float(np.prod([float(n) for n in image.shape])) > MAX_VOXELS:
        raise ImageProblem("图像过大，请裁剪后重试。", "The image is too large; crop it.")
    with _readable():
        array: NDArray[Any] = np.asanyarray(image.dataobj)
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except Exception:
        # The library raises many kinds for broken files.
        raise ImageProblem(
            "NIfTI 文件损坏或不完整，请重新导出。", "The NIfTI file is broken; export it again."
        ) from None


def place(array: NDArray[Any], affine: NDArray[np.float64]) -> tuple[NDArray[Any], Grid]:
    """An array [x, y, z] and its 4 × 4 affine in the patient system, as ours."""
    if array.ndim == 3:
        steps = affine[:3, 2::-1]
        spacing = np.linalg.norm(steps, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            axes = steps / spacing
        array = array.transpose(2, 1, 0)
        shape = (array.shape[0], array.shape[1], array.shape[2])
        size = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
        grid = Grid(shape, size, affine[:3, 3].copy(), axes)
    else:
        grid = Grid((1, 1, 1), (1.0, 1.0, 1.0))
    checked(array, grid)
    return array, grid
