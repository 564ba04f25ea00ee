"""DICOM SEG: the segments of a segmentation object as masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem
from assistant.imaging.structure_set import other_frame
from assistant.imaging.volume import Mask, Volume

if TYPE_CHECKING:
    from pydicom import Dataset

_OFF_GRID = 0.05  # of a voxel


def names(dataset: Dataset) -> Sequence[str]:
    """The labels of its segments, in their order."""
    return [dicom.text(one, "SegmentLabel") for one in dataset.get("SegmentSequence") or []]


def mask(dataset: Dataset, name: str, volume: Volume) -> Mask:
    """The segment called ``name`` on the grid of ``volume``.  Raises `ImageProblem`."""
    frame = dicom.text(dataset, "FrameOfReferenceUID")
    if volume.frame_of_reference and frame and frame != volume.frame_of_reference:
        raise other_frame()
    number = next(
        int(one.SegmentNumber)
        for one in dataset.SegmentSequence
        if dicom.text(one, "SegmentLabel") == name
    )
    frames = dicom.pixels(dataset)
    frames = frames.reshape(-1, *frames.shape[-2:])
    full = 1
    if dicom.text(dataset, "SegmentationType") == "FRACTIONAL":
        full = int(dataset.get("MaximumFractionalValue") or 1)
    found = np.zeros(volume.grid.shape, bool)
    try:
        groups = list(dataset.PerFrameFunctionalGroupsSequence)
        shared = dataset.SharedFunctionalGroupsSequence[0]
        for plane, group in zip(frames, groups, strict=True):
            # Of one segment alone it may stand among what all frames share.
            named = group if "SegmentIdentificationSequence" in group else shared
            if int(named.SegmentIdentificationSequence[0].ReferencedSegmentNumber) == number:
                place = _slice(dataset, group, plane.shape, volume)
                found[place] |= plane * 2 >= full
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, ImageProblem):
            raise
        raise ImageProblem(
            "DICOM SEG 缺少分段或位置信息，请重新导出。",
            "The DICOM SEG lacks segments or positions; export it again.",
        ) from None
    return found


def _slice(dataset: Dataset, group: Dataset, shape: tuple[int, ...], volume: Volume) -> int:
    """The slice of the volume that a frame lies on."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    plane = (group if "PlaneOrientationSequence" in group else shared).PlaneOrientationSequence[0]
    measures = (group if "PixelMeasuresSequence" in group else shared).PixelMeasuresSequence[0]
    row_and_column = dicom.numbers(plane, "ImageOrientationPatient", 6)
    spacing = dicom.numbers(measures, "PixelSpacing", 2)
    corner = dicom.numbers(group.PlanePositionSequence[0], "ImagePositionPatient", 3)
    grid = volume.grid
    far = corner + (shape[0] - 1) * spacing[0] * row_and_column[3:]
    far = far + (shape[1] - 1) * spacing[1] * row_and_column[:3]
    index = grid.indices(np.stack([corner, far]))
    place = round(float(index[0, 0]))
    wanted = np.array([[place, 0, 0], [place, grid.shape[1] - 1, grid.shape[2] - 1]])
    if shape != grid.shape[1:] or np.abs(index - wanted).max() > _OFF_GRID * np.sqrt(max(shape)):
        raise ImageProblem(
            "分割与图像的网格不一致，请使用该序列上生成的分割。",
            "The segmentation lies on another grid; use one made on this series.",
        )
    if not 0 <= place < grid.shape[0]:
        raise ImageProblem(
            "分割超出图像范围，请确认与该序列对应。",
            "The segmentation reaches beyond the image; is it of this series?",
        )
    return place
