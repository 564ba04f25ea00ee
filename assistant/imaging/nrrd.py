"""NRRD files (``.nrrd``, ``.nhdr`` is not taken: its data is elsewhere)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.nifti import place
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import MAX_VOXELS, Grid

_TURN = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}


def read(path: Path) -> tuple[NDArray[Any], Grid]:
    """Intensities [slice, row, column] and their grid.  Raises `ImageProblem`."""
    import nrrd

    try:
        header = nrrd.read_header(str(path))
        if "data file" in header or "datafile" in header:
            raise ImageProblem(
                "请提供数据与头在同一文件的 NRRD。", "Give an NRRD file that holds its own data."
            )
        if int(np.prod([float(n) for n in header["sizes"]])) > MAX_VOXELS:
            raise ImageProblem("图像过大，请裁剪后重试。", "The image is too large; crop it.")
        array, header = nrrd.read(str(path), index_order="F")
    except ImageProblem:
        raise
    except Exception:
        raise ImageProblem(
            "NRRD 文件损坏或不完整，请重新导出。", "The NRRD file is broken; export it again."
        ) from None
    return place(np.asarray(array), _affine(header))


def _affine(header: dict[str, Any]) -> NDArray[np.float64]:
    affine = np.eye(4)
    directions = header.get("space directions")
    if directions is not None:
        affine[:3, :3] = np.asarray(directions, float)[-3:].T
    elif "spacings" in header:
        affine[:3, :3] = np.diag(np.asarray(header["spacings"], float)[-3:])
    if "space origin" in header:
        affine[:3, 3] = np.asarray(header["space origin"], float)
    turn = _TURN.get(str(header.get("space", "lps")).lower())
    if turn is None:
        raise ImageProblem(
            "NRRD 的坐标空间不受支持，请以 LPS 或 RAS 导出。",
            "The space of the NRRD file is not known; export it as LPS or RAS.",
        )
    affine[:3] *= np.array(turn, float)[:, None]
    return affine
