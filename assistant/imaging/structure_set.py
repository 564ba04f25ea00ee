"""RTSTRUCT: the contours of a radiotherapy planner as masks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.imaging import dicom
from assistant.imaging.contour import fill
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Floats, Mask, Volume

if TYPE_CHECKING:
    from pydicom import Dataset

_OFF_PLANE = 0.25  # of the distance of two slices


def names(dataset: Dataset) -> Sequence[str]:
    """The regions that it has, in its order."""
    return [dicom.text(one, "ROIName") for one in dataset.get("StructureSetROISequence") or []]


def mask(dataset: Dataset, name: str, volume: Volume) -> Mask:
    """The region called ``name`` on the grid of ``volume``.

    Raises `ImageProblem` for another frame of reference, a region without contours, contours that
    lie between slices or outside of the image.
    """
    roi = next(one for one in dataset.StructureSetROISequence if dicom.text(one, "ROIName") == name)
    frame = dicom.text(roi, "ReferencedFrameOfReferenceUID")
    if volume.frame_of_reference and frame and frame != volume.frame_of_reference:
        raise other_frame()
    drawn = _contours(dataset, int(roi.ROINumber))
    if not drawn:
        raise ImageProblem(
            "该勾画没有闭合轮廓，请在计划系统中补画或选择其他区域。",
            "The region has no closed contours; draw it or choose another.",
        )
    by_slice: dict[int, list[Floats]] = defaultdict(list)
    count, rows, columns = volume.grid.shape
    for corners in drawn:
        index = volume.grid.indices(corners)
        depth = float(index[:, 0].mean())
        place = round(depth)
        if np.abs(index[:, 0] - place).max() > _OFF_PLANE:
            raise ImageProblem(
                "轮廓不在图像层面上，请确认勾画与该序列对应。",
                "Contours lie between slices; was the region drawn on this series?",
            )
        if 0 <= place < count:
            by_slice[place].append(index[:, 1:])
    found = np.zeros(volume.grid.shape, bool)
    for place, contours in by_slice.items():
        found[place] = fill(contours, (rows, columns))
    return found


def _contours(dataset: Dataset, number: int) -> list[Floats]:
    found = []
    for one in dataset.get("ROIContourSequence") or []:
        if int(one.ReferencedROINumber) != number:
            continue
        for contour in one.get("ContourSequence") or []:
            if dicom.text(contour, "ContourGeometricType") != "CLOSED_PLANAR":
                continue
            try:
                corners = np.asarray([float(v) for v in contour.ContourData]).reshape(-1, 3)
                if not np.isfinite(corners).all():
                    raise ValueError
            except (TypeError, ValueError, AttributeError):
                raise ImageProblem(
                    "轮廓坐标损坏，请重新导出 RTSTRUCT。", "Contours are broken; export again."
                ) from None
            if len(corners) >= 3:
                found.append(corners)
    return found


def other_frame() -> ImageProblem:
    """A region that was drawn on another image."""
    return ImageProblem(
        "区域与图像的参考坐标系不同，请选择与该序列配套的勾画，或先配准。",
        "The region is of another frame of reference; choose the one of this series, or register.",
    )
