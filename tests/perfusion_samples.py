"""Small perfusion studies with known truth as NIfTI and DICOM, made here."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from imaging_samples import FRAME, ROOT, dataset
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from eval.clinical.perfusion.phantom import Phantom, Recipe, made

SMALL = Recipe(shape=(2, 96, 96), spacing=(5.0, 2.2, 2.2), noise=1.0, times=45)


@cache
def phantom(**changes: Any) -> Phantom:
    """A small phantom; ``changes`` are fields of its recipe that are otherwise."""
    from dataclasses import replace

    return made(replace(SMALL, **changes))


def nifti(path: Path, array: NDArray[Any], step: float = 1.0, pixel: float = 2.2) -> Path:
    """[time, slice, row, column] as a 4-D NIfTI with the patient's left at the last column."""
    image = nibabel.Nifti1Image(
        np.asarray(array, np.float32).transpose(3, 2, 1, 0), np.diag([-pixel, -pixel, 5.0, 1.0])
    )
    image.header.set_zooms((pixel, pixel, 5.0, step))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)
    return path


def instance(
    plane: NDArray[Any], number: int, slice_: int, time: int, seconds: float, **changes: Any
) -> Dataset:
    """One slice at one time, ``seconds`` after ten o'clock."""
    series = changes.pop("series", f"{ROOT}.30")
    one = dataset(CTImageStorage, f"{series}.{number + 1}", "CT", series)
    one.ImagePositionPatient = [-100.0, -90.0, 5.0 * slice_]
    one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    one.FrameOfReferenceUID = FRAME
    one.PixelSpacing, one.SliceThickness = [2.2, 2.2], 5.0
    one.Rows, one.Columns = plane.shape
    one.BitsAllocated = one.BitsStored = 16
    one.HighBit, one.PixelRepresentation, one.SamplesPerPixel = 15, 0, 1
    one.PhotometricInterpretation = "MONOCHROME2"
    one.RescaleSlope, one.RescaleIntercept = 1, -1024
    one.PixelData = np.clip(np.round(plane) + 1024, 0, 4095).astype("<u2").tobytes()
    one.AcquisitionTime = f"10{int(seconds // 60):02d}{seconds % 60:09.6f}"
    one.InstanceNumber, one.TemporalPositionIdentifier = number + 1, time + 1
    for tag, value in changes.items():
        if value is None:
            delattr(one, tag)
        else:
            setattr(one, tag, value)
    return one


def instances(found: Phantom, **changes: Any) -> list[Dataset]:
    """The whole phantom as one series, not in order."""
    made_ = [
        instance(plane, t * len(frame) + z, z, t, float(found.times[t]), **changes)
        for t, frame in enumerate(found.array)
        for z, plane in enumerate(frame)
    ]
    return made_[::-1]
