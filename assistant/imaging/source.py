"""An image and a region from whatever file they are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import (
    archive,
    dicom,
    nifti,
    nrrd,
    png,
    segmentation,
    series,
    structure_set,
    web,
)
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Mask, Volume

if TYPE_CHECKING:
    from pydicom import Dataset

FILE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".png")
"""Of files that are one image each, besides DICOM."""

_SHOWN = 20
_UNITS = {"CT": "HU"}


@dataclass(frozen=True, slots=True)
class Region:
    """A region of an image: ``mask`` is on the image's own grid."""

    mask: Mask
    name: str


def read_image(path: Path) -> Volume:
    """A DICOM series (folder, zip, file, ``dicomweb:`` address), NIfTI, NRRD or a grey PNG.

    Raises `ImageProblem`.
    """
    if web.is_address(path):
        return series.assemble(web.images(path))
    reader = _reader(path)
    if reader is None:
        return series.read(path)
    array, grid = reader(path)
    if array.dtype.kind not in "iufb":
        raise ImageProblem("图像不是灰度图像。", "The image is not grey.")
    small = array.dtype.itemsize <= 2 and array.dtype.kind in "iub"
    return Volume(array.astype(np.float32 if small else np.float64), grid)


def known_as(volume: Volume, modality: str) -> Volume:
    """The image as of ``modality``, which NIfTI and NRRD do not say; CT has HU."""
    name = modality.upper()
    if not name or volume.modality:
        return volume
    return replace(volume, modality=name, unit=_UNITS.get(name, ""))


def region_names(path: Path) -> Sequence[str]:
    """What regions a file of regions has."""
    found = _object(path)
    return [] if found is None else _module(found).names(found)


def read_region(path: Path, volume: Volume, name: str = "") -> Region:
    """A region from RTSTRUCT, DICOM SEG or a mask file.

    ``name``: of the region, or the number of a label; may be left out where there is but one.
    Raises `ImageProblem`.
    """
    reader = None if web.is_address(path) else _reader(path)
    if reader is not None:
        array, grid = reader(path)
        return checked_region(_labelled(array, grid, volume, name), name)
    found = _object(path)
    if found is None:
        return checked_region(_mask_series(path, volume, name), name)
    return region_of(found, volume, name)


def region_of(dataset: Dataset, volume: Volume, name: str = "") -> Region:
    """A region of an RTSTRUCT or DICOM SEG.  Raises `ImageProblem`."""
    module = _module(dataset)
    chosen = _chosen(module.names(dataset), name)
    return checked_region(module.mask(dataset, chosen, volume), chosen)


def checked_region(mask: Mask, name: str) -> Region:
    """Raise `ImageProblem` for a region that is empty or has one voxel."""
    voxels = int(np.count_nonzero(mask))
    if voxels == 0:
        raise ImageProblem(
            "区域在图像内没有体素（为空或在图像之外），请检查勾画与序列是否对应。",
            "The region has no voxel inside the image (empty or outside); is it of this series?",
        )
    if voxels == 1:
        raise ImageProblem(
            "区域只有一个体素，无法提取特征，请重新勾画。",
            "The region has one voxel only; there are no features of it. Draw it again.",
        )
    return Region(mask, name or "region")


def _reader(path: Path) -> Callable[[Path], tuple[NDArray[Any], Grid]] | None:
    if not path.exists():
        raise ImageProblem("没有这个文件或文件夹。", "There is no such file or folder.")
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return nifti.read
    if name.endswith((".nrrd", ".nhdr")):
        return nrrd.read
    if name.endswith(".png"):
        return png.read
    if path.is_file() and not name.endswith(".zip"):
        with path.open("rb") as file:
            if not dicom.is_dicom(file.read(256)):
                raise ImageProblem(
                    "无法识别的文件格式，请提供 DICOM（文件夹或 zip）、NIfTI 或 NRRD。",
                    "The format is not known; give DICOM (folder or zip), NIfTI or NRRD.",
                )
    return None


def _object(path: Path) -> Dataset | None:
    """The RTSTRUCT or SEG of a file or server; None where the path holds images."""
    if web.is_address(path):
        return web.region(path)
    if path.is_dir() or path.suffix.lower() == ".zip":
        return None
    found = dicom.read(next(iter(archive.files(path))))
    kind = dicom.sop_class(found)
    return found if kind in (dicom.RTSTRUCT, dicom.SEGMENTATION) else None


def _module(dataset: Dataset) -> Any:
    kind = dicom.sop_class(dataset)
    if kind not in (dicom.RTSTRUCT, dicom.SEGMENTATION):
        raise ImageProblem(
            "该文件不是 RTSTRUCT 或 DICOM SEG，请选择勾画或分割文件。",
            "The file is no RTSTRUCT and no DICOM SEG.",
        )
    return structure_set if kind == dicom.RTSTRUCT else segmentation


def _chosen(names: Sequence[str], name: str) -> str:
    if not name and len(names) == 1:
        return names[0]
    if name in names:
        return name
    shown = "、".join(names[:_SHOWN])
    if not names:
        raise ImageProblem("文件里没有任何区域。", "There is no region in the file.")
    raise ImageProblem(
        f"请用区域名选择其一：{shown}。", "Name one of these regions, as with --roi."
    )


def _labelled(array: NDArray[Any], grid: Grid, volume: Volume, name: str) -> Mask:
    if not grid.same_as(volume.grid):
        raise ImageProblem(
            "掩膜与图像的网格（大小、间距或位置）不一致，请在同一图像上生成掩膜。",
            "Mask and image differ in size, spacing or position; make the mask on this image.",
        )
    if not np.isfinite(array).all():
        raise ImageProblem("掩膜含 NaN，请重新导出。", "The mask has NaN; export it again.")
    if name.isdecimal():
        found = np.asarray(array == int(name))
        if not found.any():
            shown = "、".join(f"{label:g}" for label in np.unique(array[array != 0])[:_SHOWN])
            raise ImageProblem(
                f"掩膜没有标签 {name[:10]}，有的是：{shown or '无'}。",
                "The mask has no such label; see which it has.",
            )
        return found
    if name:
        # Another region than the one that was asked for must not pass for it.
        raise ImageProblem(
            f"掩膜没有区域名，只有标签编号，没有“{name[:40]}”；请在 --roi 写编号或不写。",
            "A mask has no names of regions; give the number of a label as --roi, or none.",
        )
    labels = np.unique(array)
    labels = labels[labels != 0]
    if len(labels) > 1:
        shown = "、".join(f"{label:g}" for label in labels[:_SHOWN])
        raise ImageProblem(
            f"掩膜有多个标签（{shown}），请用 --roi 选择其一。",
            "The mask has several labels; choose one with --roi.",
        )
    return np.asarray(array != 0)


def _mask_series(path: Path, volume: Volume, name: str) -> Mask:
    """A mask that is itself a DICOM series."""
    drawn = series.read(path)
    return _labelled(drawn.array, drawn.grid, volume, name)
