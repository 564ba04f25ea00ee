"""A perfusion study, and the arterial input, from whatever they are in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assistant.imaging import archive, dicom
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Mask, Volume
from assistant.tasks.perfusion import dicom_study, nifti_study
from assistant.tasks.perfusion.study import Study

MODALITIES = ("", "CT", "MR")


def read_study(
    path: Path,
    *,
    times: Path | None = None,
    step: float | None = None,
    modality: str = "",
    echo_time: float = 0.0,
) -> Study:
    """A study from a folder or zip of DICOM, or a 4-D NIfTI.

    ``times``: a file of seconds (NIfTI); ``step``: seconds between volumes; ``echo_time``: seconds.
    Raises `ImageProblem`.
    """
    if modality.upper() not in MODALITIES:
        raise ImageProblem("--modality 只能是 CT 或 MR。", "--modality is CT or MR.")
    if step is not None and not (np.isfinite(step) and 0.05 <= step <= 60):
        raise ImageProblem("--tr 应为 0.05 到 60 秒。", "--tr is from 0.05 to 60 seconds.")
    if not path.exists():
        raise ImageProblem("没有这个文件或文件夹。", "There is no such file or folder.")
    if path.name.lower().endswith((".nii", ".nii.gz")):
        given = nifti_study.read_times(times) if times is not None else None
        return nifti_study.read(path, given, step, modality, echo_time)
    if times is not None:
        raise ImageProblem(
            "--times 只用于 NIfTI；DICOM 的时间取自标签，缺失时请用 --tr。",
            "--times is for NIfTI; DICOM has its own times, or give --tr.",
        )
    return dicom_study.read(dicom.datasets(archive.files(path)), step, modality)


def artery_mask(given: str, study: Study) -> Mask:
    """Voxels of the arterial input: ``column,row,slice`` (from 0, on the grid of the files), or a
    mask file.  Raises `ImageProblem`."""
    parts = given.split(",")
    factor = study.reduction
    found = np.zeros(study.grid.shape, bool)
    if len(parts) == 3:
        try:
            x, y, z = (int(part) for part in parts)
        except ValueError:
            raise _no_place() from None
        slices, rows, columns = study.source.shape
        if not (0 <= x < columns and 0 <= y < rows and 0 <= z < slices):
            raise _no_place()
        rows, columns = study.grid.shape[1:]
        found[z, min(y // factor, rows - 1), min(x // factor, columns - 1)] = True
        return found
    if not set(given) - set("0123456789,.- "):
        raise _no_place()
    return _masked(Path(given), study)


def artery_of(place: tuple[int, int, int] | None, study: Study) -> Mask | None:
    """The voxel of a request's arterial input; None where it is to be found.  Raises as above."""
    return None if place is None else artery_mask(",".join(str(n) for n in place), study)


def _masked(path: Path, study: Study) -> Mask:
    """The voxels of a mask on the grid of the files, on the grid of the study."""
    from assistant.imaging.source import read_region

    frame = Volume(np.broadcast_to(np.float32(0), study.source.shape), study.source)
    mask = read_region(path, frame).mask
    factor = study.reduction
    slices, rows, columns = study.grid.shape
    cut = mask[:, : rows * factor, : columns * factor]
    parts = cut.reshape(slices, rows, factor, columns, factor)
    return np.asarray(parts.any(axis=(2, 4)))


def _no_place() -> ImageProblem:
    return ImageProblem(
        "--aif 应为 列,行,层（从 0 起、在图像之内的整数），或一个掩膜文件。",
        "--aif is column,row,slice (whole numbers from 0, inside the image), or a mask file.",
    )
