"""A segmentation as a file: NIfTI or NRRD, on the image's own grid, with the names of labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid
from assistant.tasks.segmentation.structure import Structure

_ENDINGS = (".nii.gz", ".nii", ".nrrd")


def check(path: Path) -> None:
    """Raise `ImageProblem` for a file that could not be written, before any work is done."""
    if not path.name.lower().endswith(_ENDINGS):
        raise ImageProblem(
            f"请以 {'、'.join(_ENDINGS)} 结尾命名输出文件。",
            "Name the output so that it ends in .nii.gz, .nii or .nrrd.",
        )
    if not path.resolve().parent.is_dir():
        raise ImageProblem(
            "输出文件夹不存在，请先创建。", "There is no such folder for the output; make it first."
        )


def inside(path: Path) -> Path:
    """The file for what lies inside other structures: ``mask.nii.gz`` → ``mask-inside.nii.gz``."""
    ending = next(one for one in _ENDINGS if path.name.lower().endswith(one))
    return path.with_name(f"{path.name[: -len(ending)]}-inside{path.name[-len(ending) :]}")


def write(
    path: Path, labels: NDArray[np.uint8], grid: Grid, structures: Sequence[Structure]
) -> None:
    """Write ``labels`` [slice, row, column], at once or not at all.  Raises `ImageProblem`."""
    name = path.name.lower()
    ending = next(one for one in _ENDINGS if name.endswith(one))
    fresh = path.with_name(f".{os.getpid()}{ending}")
    try:
        if ending == ".nrrd":
            _nrrd(fresh, labels, grid, structures)
        else:
            _nifti(fresh, labels, grid)
        fresh.replace(path)
    except OSError:
        raise ImageProblem(
            "输出文件无法写入，请检查磁盘空间和权限。",
            "The output cannot be written; check space and permissions.",
        ) from None
    finally:
        fresh.unlink(missing_ok=True)


def _nifti(path: Path, labels: NDArray[np.uint8], grid: Grid) -> None:
    import nibabel

    affine = np.eye(4)
    # x to the right and y to the front, and the first axis is columns.
    turn = np.array([-1.0, -1.0, 1.0])
    affine[:3, :3] = turn[:, None] * grid.step[:, ::-1]
    affine[:3, 3] = turn * grid.origin
    image = nibabel.Nifti1Image(labels.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    image.header.set_intent("label")
    nibabel.save(image, path)


def _nrrd(
    path: Path, labels: NDArray[np.uint8], grid: Grid, structures: Sequence[Structure]
) -> None:
    import nrrd

    header: dict[str, object] = {
        "space": "left-posterior-superior",
        "space directions": grid.step[:, ::-1].T,
        "space origin": grid.origin,
        "kinds": ["domain", "domain", "domain"],
    }
    # As 3D Slicer reads the segments of a label map.
    for number, one in enumerate(structures):
        header[f"Segment{number}_ID"] = f"Segment_{one.label}"
        header[f"Segment{number}_Name"] = one.name
        header[f"Segment{number}_LabelValue"] = str(one.label)
        header[f"Segment{number}_Layer"] = "0"
        header[f"Segment{number}_Color"] = " ".join(f"{part / 255:.4f}" for part in one.colour)
    nrrd.write(str(path), labels.transpose(2, 1, 0), header, index_order="F")
