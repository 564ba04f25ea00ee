"""An image or a mask of another format as DICOM, so that a page keeps and shows it as any study.

Nothing of the file's name goes along, since it may be a patient's.  UIDs come from the content and
from whose it is: what is dropped twice is kept once, and one file of two patients is two series.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.out.marking import MANUFACTURER, uid
from assistant.imaging.out.seg import segmentation
from assistant.imaging.out.source import Source
from assistant.imaging.out.structure import ABNORMAL, Structure
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Volume

if TYPE_CHECKING:
    from pydicom import Dataset

MODALITIES = ("CT", "MR", "PT", "OT")
"""What an image may be said to be; OT: something else."""

_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
}
_SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
_MOST_LABELS = 32
_AIR = -200
"""HU below which every CT has voxels, and hardly another image."""


def is_mask(array: NDArray[Any]) -> bool:
    """Whether it looks like labels: few whole numbers from 0 on.

    Raises `ImageProblem` where all voxels are the same, which is neither image nor region.
    """
    low, high = float(np.min(array)), float(np.max(array))
    if low == high:
        raise ImageProblem(
            "文件里所有体素都是同一个数值，既不是图像也没有区域，请重新导出。",
            "All voxels of the file are the same: neither an image nor a region; export it again.",
        )
    if low != 0 or high > 255 or not np.array_equal(array, np.rint(array)):
        return False
    return len(np.unique(array)) <= _MOST_LABELS


def modality_of(array: NDArray[Any]) -> str:
    """CT for whole numbers that go as low as air, MR for other images of several times (which are
    studies of perfusion), else OT: the file does not say it."""
    whole = array.dtype.kind in "iu" or np.array_equal(array, np.rint(array))
    if whole and _AIR >= array.min() >= -(2**15):
        return "CT"
    return "MR" if array.ndim > 3 else "OT"


def right_handed(array: NDArray[Any], grid: Grid) -> tuple[NDArray[Any], Grid]:
    """The same voxels in the order that DICOM has: slices along rows × columns."""
    across = np.cross(grid.axes[:, 2], grid.axes[:, 1])
    if across @ grid.axes[:, 0] > 0:
        return array, grid
    axes = grid.axes.copy()
    axes[:, 0] *= -1
    origin = grid.origin + grid.step[:, 0] * (grid.shape[0] - 1)
    return array[::-1], Grid(grid.shape, grid.spacing, origin, axes)


def series(
    array: NDArray[Any], grid: Grid, modality: str, seed: str, step: float | None = None
) -> Iterator[bytes]:
    """The slices of an image [slice, row, column] as files; values are exact to 16 or 32 bits.

    ``step``: the image is [time, slice, row, column], so many seconds apart (0: nobody knows).  A
    PET is taken as SUV, since its file has no dose.  Raises `ImageProblem`.
    """
    if not np.isfinite(array).all():
        raise ImageProblem(
            "图像含 NaN 或无穷大的体素，请检查导出或预处理步骤。",
            "The image has voxels that are NaN or infinite; check how it was exported.",
        )
    stored = _stored(array)
    for time, frame in enumerate(array if step is not None else array[None]):
        volume, upright = right_handed(frame, grid)
        for number, plane in enumerate(volume):
            at = time * len(volume) + number
            made = _header(upright, modality, seed, stored[0].itemsize)
            made.SOPInstanceUID = uid(seed, str(at))
            made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
            made.InstanceNumber = at + 1
            made.ImagePositionPatient = _decimals(upright.origin + upright.step[:, 0] * number)
            if step is not None:
                made.TemporalPositionIdentifier = time + 1
            if step:
                made.AcquisitionTime = _clock(time * step)
            _put(made, plane, *stored)
            yield written(made)


def regions(
    array: NDArray[Any], grid: Grid, volume: Volume, headers: list[Dataset], seed: str
) -> bytes:
    """A DICOM SEG of the labels of a mask on the grid of ``volume``, a segment a label.

    ``headers``: of the slices of the volume, in its order.  Raises `ImageProblem`.
    """
    array, grid = right_handed(array, grid)
    if not grid.same_as(volume.grid):
        raise ImageProblem(
            "掩膜与图像的网格（大小、间距或位置）不一致，请在同一图像上生成掩膜。",
            "Mask and image differ in size, spacing or position; make the mask on this image.",
        )
    labels = np.asarray(array, np.uint8)
    named = [Structure(int(n), f"标签{n}", category=ABNORMAL) for n in np.unique(labels) if n]
    return written(segmentation(volume, Source(headers), labels, named, "掩膜 mask", seed))


def written(made: Dataset) -> bytes:
    """The file."""
    import pydicom

    target = BytesIO()
    pydicom.dcmwrite(target, made, enforce_file_format=True)
    return target.getvalue()


def _stored(array: NDArray[Any]) -> tuple[np.dtype[Any], str]:
    """What voxels are written as, and the slope that gives their values back.

    Fractions become whole numbers of 32 bits with a slope that is a power of ten: its decimal text
    is exact, and so are nine digits of the greatest value, more than 32 bits of a float have.
    """
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind in "iub" or np.array_equal(array, np.rint(array)):
        for kind in (np.dtype("<i2"), np.dtype("<u2"), np.dtype("<i4")):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return kind, "1"
    most = max(abs(low), abs(high))
    power = int(np.ceil(np.log10(most / np.iinfo(np.int32).max)))
    return np.dtype("<i4"), f"1e{power}"


def _put(made: Dataset, plane: NDArray[Any], kind: np.dtype[Any], slope: str) -> None:
    made.RescaleSlope, made.RescaleIntercept = slope, 0
    made.BitsAllocated = made.BitsStored = 8 * kind.itemsize
    made.HighBit, made.PixelRepresentation = 8 * kind.itemsize - 1, int(kind.kind == "i")
    made.PixelData = np.rint(plane.astype(np.float64) / float(slope)).astype(kind).tobytes()


def _clock(seconds: float) -> str:
    """``seconds`` after noon, as a time of the day."""
    minutes, part = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{min(12 + hours, 23):02d}{minutes:02d}{part:09.6f}"


def _header(grid: Grid, modality: str, seed: str, width: int) -> Dataset:
    """What all slices have; without a name, a date or a number of a patient."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # The classes of CT, MR and PET have 16 bits.
    made.SOPClassUID = _CLASSES.get(modality, _SECONDARY) if width == 2 else _SECONDARY
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate"):
        setattr(made, name, "")
    for name in ("StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
        setattr(made, name, "")
    made.SpecificCharacterSet = "ISO_IR 192"
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.Modality, made.Manufacturer, made.SeriesNumber = modality, MANUFACTURER, 1
    made.StudyInstanceUID, made.SeriesInstanceUID = uid(seed, "study"), uid(seed, "series")
    made.FrameOfReferenceUID, made.PositionReferenceIndicator = uid(seed, "frame"), ""
    if modality == "PT":
        made.Units = "GML"
    made.ImageOrientationPatient = _decimals(np.concatenate([grid.axes[:, 2], grid.axes[:, 1]]))
    made.PixelSpacing = _decimals(np.array(grid.spacing[1:]))
    made.SliceThickness = _decimals(np.array(grid.spacing[:1]))[0]
    made.Rows, made.Columns = grid.shape[1:]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    return made


def _decimals(values: NDArray[np.float64]) -> list[str]:
    """As the sixteen characters of a decimal string allow."""
    from pydicom.valuerep import format_number_as_ds

    return [format_number_as_ds(float(value)) for value in values]
