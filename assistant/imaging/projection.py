"""A radiograph or a photograph in DICOM: one frame that lies nowhere in the patient's space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Volume

if TYPE_CHECKING:
    from pydicom import Dataset


def is_projection(slices: Sequence[Dataset]) -> bool:
    """Whether it is one image without a place."""
    return len(slices) == 1 and not slices[0].get("ImagePositionPatient")


def read(one: Dataset) -> tuple[Volume, ...]:
    """One grey channel, in which more is brighter, or red, green and blue.

    Raises `ImageProblem`.
    """
    if int(one.get("NumberOfFrames") or 1) > 1:
        raise ImageProblem(
            "暂不支持多帧 DICOM，请导出为单帧。",
            "Multi-frame DICOM is not taken; export one frame.",
        )
    pixels = dicom.pixels(one)
    if pixels.ndim == 3:
        pixels = _red_green_blue(pixels, dicom.text(one, "PhotometricInterpretation"))
    array = np.asarray(pixels, np.float32).reshape(*pixels.shape[:2], -1)
    if array.shape[2] == 1:
        slope, intercept = one.get("RescaleSlope"), one.get("RescaleIntercept")
        array = array * float(1 if slope is None else slope) + float(intercept or 0)
        if dicom.text(one, "PhotometricInterpretation") == "MONOCHROME1":
            array = array.max() + array.min() - array
    grid = Grid((1, array.shape[0], array.shape[1]), (1.0, *_spacing(one)))
    return tuple(
        Volume(
            np.ascontiguousarray(array[None, ..., at]),
            grid,
            dicom.text(one, "Modality").upper(),
            instances=(dicom.text(one, "SOPInstanceUID"),),
            series=dicom.text(one, "SeriesInstanceUID"),
        )
        for at in range(array.shape[2])
    )


def _red_green_blue(pixels: np.ndarray, colours: str) -> np.ndarray:
    if pixels.shape[2] != 3:
        raise ImageProblem(
            "图像的通道数不是 1 或 3，请重新导出。", "The image has neither 1 nor 3 channels."
        )
    if colours.startswith("YBR"):
        from pydicom.pixels.processing import convert_color_space

        return np.asarray(convert_color_space(pixels, colours, "RGB"))
    return pixels


def _spacing(one: Dataset) -> tuple[float, float]:
    """Of rows and columns, mm; 1 where the file does not say."""
    for tag in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        value = one.get(tag)
        if value:
            rows, columns = dicom.numbers(one, tag, 2)
            if min(rows, columns) > 0:
                return float(rows), float(columns)
    return 1.0, 1.0
