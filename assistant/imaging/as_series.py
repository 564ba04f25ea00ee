"""A NIfTI file as DICOM instances, so that a page keeps it as it keeps any other series.

NIfTI does not say what made an image: air of about −1000 means CT, anything else is taken for MR.
Four dimensions become times, with the step of the header.  UIDs are of the content, so that the
same file dropped twice is one series.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import nifti
from assistant.imaging.as_dicom import written
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import MAX_VOXELS, Grid

if TYPE_CHECKING:
    from pydicom import Dataset

_HEADER = 348
_GZIP = b"\x1f\x8b"
_MAGIC = (b"n+1\x00",)
_MAX_BYTES = 4 * 1024**3
_AIR = -700
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
_DESCRIPTION = "NIfTI converted"


def is_nifti(data: bytes) -> bool:
    """Whether this is a NIfTI-1 file, packed by gzip or not."""
    return _head(data)[344:348] in _MAGIC


def times(data: bytes) -> int:
    """How many times a NIfTI-1 file has; 1 for any other."""
    head = _head(data)
    if head[344:348] not in _MAGIC:
        return 1
    sizes = np.frombuffer(head, "<i2", 8, 40)
    if not 1 <= sizes[0] <= 7:
        sizes = sizes.byteswap()
    return int(sizes[4]) if sizes[0] > 3 else 1


def _head(data: bytes) -> bytes:
    """What the file begins with, unpacked; empty where that cannot be."""
    if data[:2] != _GZIP:
        return data[:_HEADER]
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as packed:
            return packed.read(_HEADER)
    except (OSError, EOFError):
        return b""


def instances(data: bytes) -> Iterator[bytes]:
    """The DICOM files, slice by slice and time by time.  Raises `ImageProblem`."""
    digest = hashlib.sha256(data).hexdigest()
    frames, grid, step = _read(data)
    modality = "CT" if float(np.nanmin(frames)) <= _AIR else "MR"
    slope, intercept = _scale(frames)
    number = 0
    for time, volume in enumerate(frames):
        for index, plane in enumerate(volume):
            number += 1
            one = _instance(plane, grid, index, modality, (slope, intercept))
            one.InstanceNumber = number
            if len(frames) > 1:
                one.TemporalPositionIdentifier = time + 1
                if step:
                    one.AcquisitionTime = _clock(time * step)
            yield _written(one, digest, number)


def _read(data: bytes) -> tuple[NDArray[Any], Grid, float]:
    """[time, slice, row, column], the grid, and the seconds between times (0: not told)."""
    import nibabel

    try:
        if data[:2] == _GZIP:
            with gzip.GzipFile(fileobj=BytesIO(data)) as packed:
                data = packed.read(_MAX_BYTES + 1)
        image = nibabel.Nifti1Image.from_bytes(data)
        if len(data) > _MAX_BYTES or float(np.prod([float(n) for n in image.shape])) > MAX_VOXELS:
            raise ImageProblem("图像过大，请裁剪后重试。", "The image is too large; crop it.")
        array = np.asanyarray(image.dataobj)
        step = float(image.header.get_zooms()[3]) if array.ndim > 3 else 0.0
        unit = image.header.get_xyzt_units()[1]
    except ImageProblem:
        raise
    except Exception:
        # The library raises many kinds for broken files.
        raise ImageProblem(
            "NIfTI 文件损坏或不完整，请重新导出。", "The NIfTI file is broken; export it again."
        ) from None
    if array.ndim > 4 or array.dtype.kind not in "iuf":
        raise ImageProblem(
            "NIfTI 不是三维或四维灰度图像。",
            "The NIfTI is no grey image of three or four dimensions.",
        )
    affine = np.asarray(image.affine, float) * [[-1], [-1], [1], [1]]
    every = array[..., None] if array.ndim == 3 else array
    placed = [nifti.place(every[..., time], affine) for time in range(every.shape[3])]
    frames = np.stack([volume for volume, _ in placed])
    if not np.isfinite(frames).all():
        raise ImageProblem(
            "图像含 NaN 或无穷大的体素，请检查导出或预处理步骤。",
            "The image has voxels that are NaN or infinite; check how it was exported.",
        )
    return frames, placed[0][1], step * _SECONDS.get(unit, 1.0)


def _scale(frames: NDArray[Any]) -> tuple[float, float]:
    """Slope and intercept of whole numbers of 16 bits; 1 and 0 where intensities are such."""
    low, high = float(frames.min()), float(frames.max())
    if low >= -32_768 and high <= 32_767 and np.array_equal(frames, np.round(frames)):
        return 1.0, 0.0
    return max(high - low, 1e-9) / 65_000, (high + low) / 2


def _instance(
    plane: NDArray[Any], grid: Grid, index: int, modality: str, scale: tuple[float, float]
) -> Dataset:
    from pydicom.dataset import Dataset
    from pydicom.valuerep import DSfloat

    def decimal(values: Any) -> list[Any]:
        return [DSfloat(float(value), auto_format=True) for value in values]

    one = Dataset()
    one.Modality, one.SeriesDescription = modality, _DESCRIPTION
    one.ImageType = ["DERIVED", "SECONDARY"]
    # The slices of a file may be stored from the head down, which our grid does not turn.
    one.ImageOrientationPatient = decimal([*grid.axes[:, 2], *grid.axes[:, 1]])
    one.ImagePositionPatient = decimal(grid.positions(np.array([[index, 0.0, 0.0]]))[0])
    one.PixelSpacing = decimal(grid.spacing[1:])
    one.SliceThickness = decimal(grid.spacing[:1])[0]
    one.Rows, one.Columns = plane.shape
    one.BitsAllocated = one.BitsStored = 16
    one.HighBit, one.PixelRepresentation, one.SamplesPerPixel = 15, 1, 1
    one.PhotometricInterpretation = "MONOCHROME2"
    one.RescaleSlope, one.RescaleIntercept = decimal(scale)
    numbers = np.round((plane.astype(float) - scale[1]) / scale[0]).clip(-32_768, 32_767)
    one.PixelData = numbers.astype("<i2").tobytes()
    return one


def _written(one: Dataset, digest: str, number: int) -> bytes:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import (
        CTImageStorage,
        ExplicitVRLittleEndian,
        MRImageStorage,
        generate_uid,
    )

    study, series, frame, instance = (
        generate_uid(entropy_srcs=[digest, what])
        for what in ("study", "series", "frame", str(number))
    )
    one.StudyInstanceUID, one.SeriesInstanceUID = study, series
    one.FrameOfReferenceUID, one.SOPInstanceUID = frame, instance
    one.SOPClassUID = CTImageStorage if one.Modality == "CT" else MRImageStorage
    one.file_meta = FileMetaDataset()
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = instance
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return written(one)


def _clock(seconds: float) -> str:
    """``seconds`` after noon, as a time of the day."""
    minutes, part = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{min(12 + hours, 23):02d}{minutes:02d}{part:09.6f}"
