"""The files of an analysis: maps as NIfTI on the grid of the study, pictures, the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.tasks.perfusion.picture import SCALES, curve_picture, lesion_picture, map_picture
from assistant.tasks.perfusion.study import Study, restored

if TYPE_CHECKING:
    from assistant.tasks.perfusion.analysis import Analysis


def written(found: Analysis, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Write maps, masks and pictures; their paths by name.  Raises `ImageProblem`."""
    masks = {
        "tissue": found.tissue,
        "core": found.lesion.core,
        "hypoperfused": found.lesion.hypoperfused,
        "artery": found.artery.mask,
    }
    maps, pictures = {}, {}
    try:
        for name, values in (*found.maps.items(), *masks.items()):
            path = folder / f"{name}.nii.gz"
            _save(values, found.study, path)
            maps[name] = str(path)
        for name in SCALES:
            pictures[name] = _put(folder / f"{name}.png", map_picture(found, name).png)
        pictures["lesion"] = _put(folder / "lesion.png", lesion_picture(found).png)
        pictures["curves"] = _put(folder / "curves.png", curve_picture(found))
    except OSError:
        raise ImageProblem(
            "结果无法写入，请检查磁盘空间和权限。",
            "The results cannot be written; look at the disk's space and permissions.",
        ) from None
    return maps, pictures


def affine(study: Study) -> NDArray[np.float64]:
    """The NIfTI affine (x to the right, y to the front) of arrays [column, row, slice]."""
    grid = study.source
    matrix = np.eye(4)
    matrix[:3, :3] = grid.step[:, ::-1]
    matrix[:3, 3] = grid.origin
    turned: NDArray[np.float64] = np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix
    return turned


def _save(values: NDArray[Any], study: Study, path: Path) -> None:
    import nibabel

    full = restored(values, study)
    kind = np.uint8 if full.dtype == bool else np.float32
    image = nibabel.Nifti1Image(full.transpose(2, 1, 0).astype(kind), affine(study))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)


def _put(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)
