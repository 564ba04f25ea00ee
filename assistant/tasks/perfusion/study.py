"""A perfusion study: a volume at several times, reduced as far as the maps allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid

Curves = NDArray[np.float32]
Floats = NDArray[np.float64]

LEAST_TIMES = 10
MAX_BYTES = 2 * 1024**3
_AXIAL = 0.7
"""Cosine of slices' normal to the long axis of the body: 45°, more than any gantry or head."""

LARGEST_PLANE = 320
"""Rows and columns of a slice that is not reduced; a slice of 512 becomes one of 256."""


@dataclass(frozen=True, slots=True)
class Study:
    """Intensities [time, slice, row, column] and when each slice was taken.

    ``times``: (slices, times) in seconds, from 0 on.  ``grid`` is that of ``array``; ``source``
    that of the files, whose slices were averaged over ``reduction`` × ``reduction`` pixels.
    """

    array: NDArray[np.float32]
    times: Floats
    grid: Grid
    source: Grid
    reduction: int = 1
    modality: str = ""
    echo_time: float = 0.0
    """Seconds; 0 where it is not known.  It scales ΔR2* and cancels in every map."""

    series: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    """The UIDs of the images of the first time, slice by slice, where it is DICOM."""

    notes: tuple[str, ...] = ()
    """Keys of what is doubtful about the files, see `doubts`."""

    @property
    def voxel_ml(self) -> float:
        """The volume of a voxel of ``grid``."""
        return float(np.prod(self.grid.spacing)) / 1000

    @property
    def is_shuttle(self) -> bool:
        """Whether slices were taken at different times."""
        return bool(np.ptp(self.times, axis=0).max() > 1e-3)


def reduction_of(rows: int, columns: int) -> int:
    """By how much a plane is averaged: as vendors do, maps have at most 256 to 320 pixels."""
    factor = 1
    while max(rows, columns) / factor > LARGEST_PLANE:
        factor *= 2
    return factor


def reduced(plane: NDArray[np.generic], factor: int) -> NDArray[np.float32]:
    """The mean over ``factor`` × ``factor`` pixels of [..., row, column]; the rest is cut off."""
    if factor == 1:
        return np.asarray(plane, np.float32)
    rows, columns = (size // factor for size in plane.shape[-2:])
    cut = plane[..., : rows * factor, : columns * factor]
    parts = cut.reshape(*cut.shape[:-2], rows, factor, columns, factor)
    mean: NDArray[np.float32] = parts.mean(axis=(-3, -1), dtype=np.float32)
    return mean


def reduced_grid(grid: Grid, factor: int) -> Grid:
    """The grid of `reduced` slices."""
    if factor == 1:
        return grid
    slices, rows, columns = grid.shape
    between, down, across = grid.spacing
    centre = (factor - 1) / 2
    return Grid(
        (slices, rows // factor, columns // factor),
        (between, down * factor, across * factor),
        grid.positions(np.array([[0, centre, centre]]))[0],
        grid.axes,
    )


def restored(volume: NDArray[np.generic], study: Study) -> NDArray[np.generic]:
    """A map [slice, row, column] on the grid of the files, each value repeated."""
    factor = study.reduction
    if factor == 1:
        return volume
    full = np.zeros(study.source.shape, volume.dtype)
    large = np.repeat(np.repeat(volume, factor, axis=1), factor, axis=2)
    full[:, : large.shape[1], : large.shape[2]] = large
    return full


def check_size(values: float) -> None:
    """Raise `ImageProblem` where so many numbers of 32 bits are above the limit."""
    if values * 4 > MAX_BYTES:
        raise ImageProblem(
            "检查过大（降采样后仍超过 2 GB），请裁剪层数或时相后重试。",
            "The study is too large (over 2 GB after reduction); crop slices or times.",
        )


def checked_times(times: Floats, slices: int) -> Floats:
    """Times (times,) or (slices, times) as (slices, times) from 0 on.  Raises `ImageProblem`."""
    found = np.atleast_2d(np.asarray(times, np.float64))
    if found.shape[1] < LEAST_TIMES:
        raise ImageProblem(
            f"只有 {found.shape[1]} 个时间点，灌注分析至少需要 {LEAST_TIMES} 个。",
            f"There are {found.shape[1]} times; perfusion needs {LEAST_TIMES} at least.",
        )
    if not np.isfinite(found).all():
        raise ImageProblem(
            "采集时间无效（NaN 或无穷大），请检查时间文件。",
            "The times are not valid numbers; look at the file of times.",
        )
    if (np.diff(found, axis=1) <= 0).any():
        raise ImageProblem(
            "采集时间没有逐点递增，请检查时间文件或 DICOM 时间标签。",
            "The times do not increase; look at the file of times or the DICOM tags.",
        )
    if found[0, -1] - found[0, 0] > 1800:
        raise ImageProblem(
            "采集跨度超过 30 分钟，时间单位可能是毫秒，请改用秒。",
            "The study lasts over 30 minutes; are the times in milliseconds? Give seconds.",
        )
    found = found - found.min()
    return np.repeat(found, slices, axis=0) if len(found) == 1 and slices > 1 else found


def check_axial(grid: Grid) -> None:
    """Raise `ImageProblem` for slices that are not axial or nearly so: brain and mirror plane are
    looked for within slices, and other planes would give other volumes."""
    if abs(float(grid.axes[2, 0])) < _AXIAL:
        raise ImageProblem(
            "层面不是轴位，灌注分析按轴位层进行，请先把图像重排为轴位（如 RAS 或 LPS）再导入。",
            "The slices are not axial; reorder the image (to RAS or LPS) so that they are.",
        )


def check_values(array: NDArray[np.float32]) -> None:
    """Raise `ImageProblem` for NaN, and for a study in which nothing changes."""
    if not all(np.isfinite(frame).all() for frame in array):
        raise ImageProblem(
            "图像含 NaN 或无穷大的体素，请检查导出或预处理步骤。",
            "The images have voxels that are NaN or infinite; check how they were exported.",
        )
    first = array[0]
    if all(np.array_equal(frame, first) for frame in array[1:]):
        raise ImageProblem(
            "图像不随时间变化，不是灌注检查，或各时相重复导出。",
            "Nothing changes with time: no perfusion study, or one phase exported many times.",
        )
