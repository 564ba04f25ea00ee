"""A DICOM series as a volume: its slices put in order, and checked for what would mislead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import archive, dicom, uptake
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import MAX_VOXELS, Floats, Grid, Volume, checked

if TYPE_CHECKING:
    from pydicom import Dataset

_NO_IMAGE = {dicom.RTSTRUCT, dicom.SEGMENTATION}
_SAME_PLACE = 0.01  # mm
_UNEVEN = 0.02  # of the distance of two slices
_TILT = 0.02  # mm sideways for a mm along the normal: about one degree


def read(path: Path) -> Volume:
    """The one series of a folder, a zip or a file.  Raises `ImageProblem`."""
    return assemble(dicom.datasets(archive.files(path)))


def assemble(datasets: Iterable[Dataset]) -> Volume:
    """The volume of the instances of one series, CT in HU and PET in SUV.

    Raises `ImageProblem` for mixed series, missing or double slices, gantry tilt, enhanced
    multi-frame objects and pixels that cannot be decoded.
    """
    slices = [one for one in datasets if dicom.sop_class(one) not in _NO_IMAGE]
    if not slices:
        raise ImageProblem(
            "没有找到 DICOM 图像，请提供一个序列的文件夹或压缩包。",
            "There are no DICOM images; give the folder or zip of one series.",
        )
    _check_alike(slices)
    slices, grid = _in_order(slices)
    array = _stacked(slices, grid)
    first = slices[0]
    modality = dicom.text(first, "Modality").upper()
    volume = Volume(
        array,
        grid,
        modality,
        unit="HU" if modality == "CT" else "",
        frame_of_reference=dicom.text(first, "FrameOfReferenceUID"),
        instances=tuple(dicom.text(one, "SOPInstanceUID") for one in slices),
        series=dicom.text(first, "SeriesInstanceUID"),
    )
    if modality == "PT":
        volume = volume.with_array(array * uptake.suv_factor(slices), "SUV")
    checked(volume.array, grid)
    return volume


def _check_alike(slices: Sequence[Dataset]) -> None:
    if int(slices[0].get("NumberOfFrames") or 1) > 1:
        raise ImageProblem(
            "暂不支持多帧（增强型）DICOM，请导出为单帧序列。",
            "Multi-frame DICOM is not taken; export the series as single frames.",
        )
    series = {dicom.text(one, "SeriesInstanceUID") for one in slices}
    if len(series) > 1:
        raise ImageProblem(
            f"文件来自 {len(series)} 个序列，请只提供其中一个。",
            f"The files are of {len(series)} series; give one of them.",
        )
    for tags, zh, en in (
        (("Rows", "Columns", "PixelSpacing"), "矩阵或像素间距", "matrix or pixel spacing"),
        (("FrameOfReferenceUID",), "参考坐标系", "frame of reference"),
        (("Modality",), "设备类型", "modality"),
    ):
        if len({tuple(dicom.text(one, tag) for tag in tags) for one in slices}) > 1:
            raise ImageProblem(
                f"序列内各层的{zh}不一致，请检查是否混入了其他图像。",
                f"The slices differ in {en}; look for images that do not belong to the series.",
            )


def _in_order(slices: Sequence[Dataset]) -> tuple[list[Dataset], Grid]:
    """The slices along the normal, and their grid."""
    orientations = np.array([dicom.numbers(one, "ImageOrientationPatient", 6) for one in slices])
    if np.abs(orientations - orientations[0]).max() > 1e-3:
        raise ImageProblem(
            "序列内各层方向不一致（可能含定位像），请剔除后重试。",
            "The slices differ in orientation (a scout?); take those out.",
        )
    along_row, along_column = orientations[0][:3], orientations[0][3:]
    normal = np.cross(along_row, along_column)
    if abs(np.linalg.norm(normal) - 1) > 0.01:
        raise ImageProblem(
            "图像方位信息无效，请重新导出。", "The orientation is not valid; export it again."
        )
    positions = np.array([dicom.numbers(one, "ImagePositionPatient", 3) for one in slices])
    order = np.argsort(positions @ normal, kind="stable")
    positions = positions[order]
    ordered = [slices[i] for i in order]
    step = _slice_step(positions, normal, ordered[0])
    between_rows, between_columns = dicom.numbers(ordered[0], "PixelSpacing", 2)
    shape = (len(ordered), int(ordered[0].Rows), int(ordered[0].Columns))
    if np.prod([float(n) for n in shape]) > MAX_VOXELS:
        raise ImageProblem("图像过大，请裁剪后重试。", "The image is too large; crop it.")
    spacing = (step, float(between_rows), float(between_columns))
    axes = np.stack([normal, along_column, along_row], axis=1)
    return ordered, Grid(shape, spacing, positions[0], axes)


def _slice_step(positions: Floats, normal: Floats, first: Dataset) -> float:
    """The distance of two slices; raises `ImageProblem` where it is not the same everywhere."""
    if len(positions) == 1:
        return float(dicom.numbers(first, "SliceThickness", 1)[0])
    steps = np.diff(positions, axis=0)
    distances = steps @ normal
    double = int((distances < _SAME_PLACE).sum())
    if double:
        raise ImageProblem(
            f"有 {double} 层位置重复（多期相或重复传输？），请只保留一期、每层一幅。",
            f"{double} slices lie where another does; keep one phase and one image a slice.",
        )
    usual = float(np.median(distances))
    missing = int((np.abs(distances - usual) > _UNEVEN * usual).sum())
    if missing:
        raise ImageProblem(
            f"层间距不均匀，{missing} 处可能缺层，请补全序列后重试。",
            f"The slices are not evenly spaced, {missing} gaps; complete the series.",
        )
    sideways = np.linalg.norm(steps - distances[:, None] * normal, axis=1)
    if (sideways > _TILT * distances).any():
        raise ImageProblem(
            "机架倾斜采集，请先做倾斜校正（重采样为正交体数据）再提取。",
            "The gantry was tilted; resample to a right-angled volume first.",
        )
    return float((positions[-1] - positions[0]) @ normal / (len(positions) - 1))


def _scale(one: Dataset) -> tuple[float, float]:
    """Slope and intercept, 1 and 0 where they are not there.  Raises `ImageProblem`."""
    slope, intercept = one.get("RescaleSlope"), one.get("RescaleIntercept")
    found = 1.0 if slope is None else float(slope), float(intercept or 0)
    if found[0] == 0 or not np.isfinite(found).all():
        raise ImageProblem(
            "灰度换算系数（RescaleSlope）无效，请重新导出。",
            "The rescale slope is not valid; export the images again.",
        )
    return found


def _stacked(slices: Sequence[Dataset], grid: Grid) -> NDArray[np.floating]:
    """The intensities after each slice's own rescaling."""
    scales = [_scale(one) for one in slices]
    # Whole numbers of 16 bits and a whole rescaling are exact in 32 bits of a float.
    exact = all(value.is_integer() and abs(value) < 2**15 for pair in scales for value in pair)
    whole = exact and all(slope == 1 for slope, _ in scales)
    array = np.empty(grid.shape, np.float32 if whole else np.float64)
    for target, one, (slope, intercept) in zip(array, slices, scales, strict=True):
        plane = dicom.pixels(one)
        if plane.shape != grid.shape[1:]:
            raise ImageProblem(
                "图像不是单通道灰度，请导出原始灰度图像。", "Not grey; export the original images."
            )
        target[...] = plane
        target *= slope
        target += intercept
    return array
