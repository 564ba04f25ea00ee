"""NIfTI and NRRD that are dropped on a page: an image becomes a series, a mask a segmentation."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from assistant.imaging import as_dicom, dicom, nifti, nrrd
from assistant.imaging import series as dicom_series
from assistant.imaging.out.seg import series_uid
from assistant.imaging.out.source import source_of
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid
from assistant.record.attachment import DICOM, REGION_MODALITIES, Series
from assistant.record.attachment_content import read
from assistant.store import Context
from assistant.store.attachments import Attachments

_GZIP = b"\x1f\x8b"
_NIFTI = {344: (b"n+1\0", b"ni1\0"), 4: (b"n+2\0",)}
_LISTED = 500


@dataclass(frozen=True, slots=True)
class _Found:
    """Voxels, their grid, the seconds between times where it has several, what UIDs come from."""

    array: NDArray[Any]
    grid: Grid
    step: float | None
    seed: str


class NoImageYet(ImageProblem):
    """A mask came before its image."""

    def __init__(self) -> None:
        super().__init__(
            "掩膜在该患者的图像里没有网格相同的（大小、间距、位置），请先拖入它所勾画的图像。",
            "No image of this patient is on the grid of the mask; drop its image first.",
        )


def ending(data: bytes) -> str:
    """The ending of the name of such a file, by its first bytes; empty for any other."""
    if data[:7] == b"NRRD000":
        return ".nrrd"
    if data[:2] == _GZIP:
        return ".nii.gz"
    known = any(data[at : at + 4] in marks for at, marks in _NIFTI.items())
    return ".nii" if known else ""


def keep(attachments: Attachments, context: Context, contents: Sequence[bytes], said: str) -> int:
    """Keep files of which `ending` knows, images before masks; how many there were.

    ``said``: the modality of images, guessed where empty.  Raises `ImageProblem`, and what the
    store raises.
    """
    masks = []
    for data in contents:
        found = _read(data, context)
        if found.step is None and as_dicom.is_mask(found.array):
            masks.append(found)
            continue
        kind = said if said in as_dicom.MODALITIES else as_dicom.modality_of(found.array)
        seed = f"{found.seed} {kind}"
        for one in as_dicom.series(found.array, found.grid, kind, seed, found.step):
            attachments.add(context, read(one, DICOM))
    for found in masks:
        made = _segmentation(attachments, context, found)
        if made is not None:
            attachments.add(context, read(made, DICOM))
    return len(contents)


def _read(data: bytes, context: Context) -> _Found:
    kind, step = ending(data), None
    # Both libraries read files alone; nobody else may read this one.
    with tempfile.NamedTemporaryFile(prefix="bedside-study-", suffix=kind) as file:
        file.write(data)
        file.flush()
        if kind == ".nrrd":
            array, grid = nrrd.read(Path(file.name))
        else:
            array, grid, step = nifti.read_times(Path(file.name))
    if array.dtype.kind not in "iufb":
        raise ImageProblem("图像不是灰度图像。", "The image is not grey.")
    if array.dtype.kind == "b":
        array = array.astype("uint8")
    digest = hashlib.sha256(data).hexdigest()
    return _Found(array, grid, step, f"{context.patient_id} {context.encounter_id} {digest}")


def _segmentation(attachments: Attachments, context: Context, mask: _Found) -> bytes | None:
    """The mask as a segmentation of the newest image on its grid; None where it is kept already:
    a segmentation holds when it was made, so that another of the same UIDs would be refused."""
    array, grid, seed = mask.array, mask.grid, mask.seed
    _, upright = as_dicom.right_handed(array, grid)
    listed = attachments.list(context, _LISTED)
    kept = {one.series_uid for one in listed if isinstance(one, Series)}
    for one in listed:
        size = (one.instances, one.rows, one.columns) if isinstance(one, Series) else ()
        if not isinstance(one, Series) or one.modality in REGION_MODALITIES or size != grid.shape:
            continue
        datasets = list(dicom.datasets(data for _, data in attachments.contents(context, one.id)))
        try:
            volume = dicom_series.assemble(datasets)
        except ImageProblem:
            continue
        if upright.same_as(volume.grid):
            if series_uid(f"{seed} {one.series_uid}") in kept:
                return None
            headers = list(source_of(datasets, volume).headers)
            return as_dicom.regions(array, grid, volume, headers, f"{seed} {one.series_uid}")
    raise NoImageYet
