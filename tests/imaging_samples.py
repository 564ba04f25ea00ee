"""A small CT series with a ball in it, and its regions as RTSTRUCT and DICOM SEG, made here."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.8.498.77"
FRAME, STUDY, SERIES = f"{ROOT}.1", f"{ROOT}.2", f"{ROOT}.3"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"

SHAPE = (8, 20, 24)
SPACING = (2.5, 1.0, 1.0)
ORIGIN = (-11.5, -9.5, -30.0)
CENTRE, RADIUS = (4, 9, 12), 6.0  # of the ball: voxel, mm


def ball() -> NDArray[np.bool_]:
    """The voxels of the ball."""
    places = np.indices(SHAPE).reshape(3, -1).T - CENTRE
    inside: NDArray[np.bool_] = np.linalg.norm(places * SPACING, axis=1) <= RADIUS
    return inside.reshape(SHAPE)


def intensities() -> NDArray[np.int16]:
    """HU: water with noise, the ball brighter."""
    noise = np.random.default_rng(7).integers(-40, 40, SHAPE)
    return (noise + np.where(ball(), 120, 0)).astype(np.int16)


def dataset(kind: str, instance: str, modality: str, series: str = SERIES) -> Dataset:
    """What all objects of a study have."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = kind
    made.file_meta.MediaStorageSOPInstanceUID = instance
    made.SOPClassUID, made.SOPInstanceUID = kind, instance
    made.StudyInstanceUID, made.SeriesInstanceUID = STUDY, series
    made.Modality, made.FrameOfReferenceUID = modality, FRAME
    made.PatientName = "Zhang^San"
    made.SpecificCharacterSet = "ISO_IR 192"
    return made


def ct_slice(number: int, **changes: Any) -> Dataset:
    """One slice of the series; ``changes`` are tags that it has otherwise."""
    made = dataset(CTImageStorage, f"{SERIES}.{number + 1}", "CT")
    made.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + SPACING[0] * number]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.PixelSpacing = [SPACING[1], SPACING[2]]
    made.SliceThickness = SPACING[0]
    made.Rows, made.Columns = SHAPE[1:]
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation, made.SamplesPerPixel = 15, 0, 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.RescaleSlope, made.RescaleIntercept = 1, -1024
    made.PixelData = (intensities()[number] + 1024).astype("<u2").tobytes()
    for tag, value in changes.items():
        setattr(made, tag, value)
    return made


def series(**changes: Any) -> list[Dataset]:
    """The slices, not in their order."""
    return [ct_slice(number, **changes) for number in (3, 0, 7, 1, 2, 6, 4, 5)]


def structure_set(contours: dict[str, Sequence[Sequence[float]]], frame: str = FRAME) -> Dataset:
    """An RTSTRUCT with these contours (x, y, z, x, y, z, … in mm) by the names of regions."""
    made = dataset(RTSTRUCT, f"{ROOT}.4.1", "RTSTRUCT", f"{ROOT}.4")
    rois, drawn = [], []
    for number, (name, lists) in enumerate(contours.items(), start=1):
        roi = Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, frame
        rois.append(roi)
        one = Dataset()
        one.ReferencedROINumber = number
        parts = []
        for corners in lists:
            contour = Dataset()
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(corners) // 3
            contour.ContourData = list(corners)
            parts.append(contour)
        one.ContourSequence = parts
        drawn.append(one)
    made.StructureSetROISequence, made.ROIContourSequence = rois, drawn
    return made


def square(number: float, low: float, high: float) -> list[float]:
    """A contour on slice ``number`` around the voxels from ``low`` to ``high`` (both ways)."""
    z = ORIGIN[2] + SPACING[0] * number
    corners = ((low, low), (high, low), (high, high), (low, high))
    return [v for x, y in corners for v in (ORIGIN[0] + x, ORIGIN[1] + y, z)]


def segmentation(mask: NDArray[np.bool_], label: str = "lesion") -> Dataset:
    """A DICOM SEG with one segment, a frame for each slice that it is on."""
    made = dataset(SEGMENTATION, f"{ROOT}.5.1", "SEG", f"{ROOT}.5")
    made.SegmentationType = "BINARY"
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel = 1, label
    made.SegmentSequence = [segment]
    numbers = [int(n) for n in np.flatnonzero(mask.any(axis=(1, 2)))]
    made.Rows, made.Columns, made.NumberOfFrames = *mask.shape[1:], len(numbers)
    made.BitsAllocated = made.BitsStored = made.SamplesPerPixel = 1
    made.HighBit = made.PixelRepresentation = 0
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PixelData = np.packbits(mask[numbers].ravel(), bitorder="little").tobytes()
    shared, plane, measures = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing = [SPACING[1], SPACING[2]]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [plane], [measures]
    made.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for number in numbers:
        group, place, which = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + SPACING[0] * number]
        which.ReferencedSegmentNumber = 1
        group.PlanePositionSequence, group.SegmentIdentificationSequence = [place], [which]
        groups.append(group)
    made.PerFrameFunctionalGroupsSequence = groups
    return made


def written(made: Dataset) -> bytes:
    """The file."""
    target = BytesIO()
    pydicom.dcmwrite(target, made, enforce_file_format=True)
    return target.getvalue()
