"""A volume: intensities on a regular grid, and where that grid lies in the patient.

Arrays are indexed ``[slice, row, column]``; positions are millimetres of the DICOM patient system
(x to the left, y to the back, z to the head).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MAX_VOXELS = 400_000_000
"""Of an image; 512 × 512 × 1,500 slices; more is no single series and would not fit."""

TOLERANCE = 0.01
"""Millimetres by which two grids that are the same may differ at their corners, per file rounding."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where voxels lie.  ``shape`` is (slices, rows, columns); ``spacing`` in the same order, mm.

    ``origin`` is the centre of voxel [0, 0, 0]; the columns of ``axes`` are the unit vectors of a
    step to the next slice, row and column.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: Floats = field(default_factory=lambda: np.zeros(3))
    axes: Floats = field(default_factory=lambda: np.eye(3)[:, ::-1].copy())

    @property
    def step(self) -> Floats:
        """3 × 3: what an index (slice, row, column) is multiplied with, mm."""
        return self.axes * np.asarray(self.spacing)

    def positions(self, index: Floats) -> Floats:
        """(n, 3) indices (slice, row, column) → (n, 3) positions in the patient, mm."""
        moved: Floats = self.origin + np.asarray(index, float) @ self.step.T
        return moved

    def indices(self, positions: Floats) -> Floats:
        """The inverse of `positions`; fractions where a position is between voxels."""
        found: Floats = np.linalg.solve(self.step, (np.asarray(positions, float) - self.origin).T).T
        return found

    def same_as(self, other: Grid) -> bool:
        """Whether both are one grid, but for the rounding of files."""
        if self.shape != other.shape:
            return False
        corners = np.array([[0, 0, 0], [n - 1 for n in self.shape]], float)
        corners = np.vstack([corners, np.diag(corners[1])])
        apart = np.abs(self.positions(corners) - other.positions(corners)).max()
        return bool(apart <= TOLERANCE + 1e-3 * min(self.spacing))


@dataclass(frozen=True, slots=True)
class Volume:
    """An image.  ``unit`` is HU, SUV or empty where intensities have none."""

    array: NDArray[np.floating]
    grid: Grid
    modality: str = ""
    unit: str = ""
    frame_of_reference: str = ""
    instances: tuple[str, ...] = ()
    """The UIDs of its instances, slice by slice, where it is a DICOM series."""

    series: str = ""

    def with_array(self, array: NDArray[np.floating], unit: str | None = None) -> Volume:
        """The same place with other intensities."""
        return replace(self, array=array, unit=self.unit if unit is None else unit)


def checked(array: NDArray[np.generic], grid: Grid) -> None:
    """Raise `ImageProblem` for what no image of a patient is."""
    if array.ndim != 3:
        raise ImageProblem(
            f"图像是 {array.ndim} 维的，请提供三维图像（单个时相、单个通道）。",
            "The image is not three-dimensional; give one phase and one channel.",
        )
    if 0 in array.shape:
        raise ImageProblem("图像没有体素，请重新导出。", "The image has no voxels; export it again.")
    if not (np.isfinite(grid.spacing).all() and min(grid.spacing) > 0 and max(grid.spacing) < 1000):
        raise ImageProblem(
            "体素间距缺失或无效，请重新导出并保留间距。",
            "The voxel spacing is missing or not valid; export the image with it.",
        )
    if not (np.isfinite(grid.axes).all() and np.isfinite(grid.origin).all()):
        raise ImageProblem(
            "图像方位信息无效，请重新导出。", "The orientation is not valid; export it again."
        )
    skew = np.abs(grid.axes.T @ grid.axes - np.eye(3)).max()
    if skew > 2e-3:
        raise ImageProblem(
            "图像轴不互相垂直（如机架倾斜），请先做倾斜校正再提取。",
            "The axes of the image are not at right angles (gantry tilt?); correct this first.",
        )


def check_finite(volume: Volume, where: Mask | None = None) -> None:
    """Raise `ImageProblem` where there are NaN or infinite values (``where``: only there)."""
    values = volume.array if where is None else volume.array[where]
    if not np.isfinite(values).all():
        raise ImageProblem(
            "图像含 NaN 或无穷大的体素，请检查导出或预处理步骤。",
            "The image has voxels that are NaN or infinite; check how it was exported.",
        )
