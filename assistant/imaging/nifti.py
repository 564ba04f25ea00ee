"""NIfTI files (``.nii``, ``.nii.gz``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import MAX_VOXELS, Grid, checked


def read(path: Path) -> tuple[NDArray[Any], Grid]:
    """Intensities [slice, row, column] and their grid.

    NIfTI has positions with x to the right and y to the front; both are turned.  Raises
    `ImageProblem`.
    """
    import nibabel

    try:
        image = nibabel.load(path)
        shape = image.shape
        # One phase that is stored as a series of one.
        if int(np.prod([float(n) for n in shape])) > MAX_VOXELS:
            raise ImageProblem("图像过大，请裁剪后重试。", "The image is too large; crop it.")
        array = np.asanyarray(image.dataobj)
    except ImageProblem:
        raise
    except Exception:
        # The library raises many kinds for broken files.
        raise ImageProblem(
            "NIfTI 文件损坏或不完整，请重新导出。", "The NIfTI file is broken; export it again."
        ) from None
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    return place(array, np.asarray(image.affine, float) * [[-1], [-1], [1], [1]])


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
