"""A label map as RTSTRUCT: closed contours on the slices of the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from assistant.imaging import dicom
from assistant.imaging.out.marking import SERIES_NUMBERS, mark, uid
from assistant.imaging.out.outline import outlines
from assistant.imaging.out.source import Source
from assistant.imaging.out.structure import Labels, Structure, checked
from assistant.imaging.volume import Floats, Mask, Volume

if TYPE_CHECKING:
    from pydicom import Dataset

_STUDY_COMPONENT = "1.2.840.10008.3.1.2.3.1"


def structure_set(
    volume: Volume,
    source: Source,
    labels: Labels,
    structures: Sequence[Structure],
    title: str,
    seed: str = "",
) -> Dataset:
    """The RTSTRUCT of ``labels`` [slice, row, column], not approved by anybody.

    Raises `ImageProblem` for labels that are not of this image.
    """
    checked(labels, structures, volume)
    made = _begun(source, title, seed)
    made.ReferencedFrameOfReferenceSequence = [_frame_of_reference(source)]
    rois, contours, observations = [], [], []
    for number, one in enumerate(structures, start=1):
        rois.append(_roi(one, number, source))
        contours.append(_contours(labels == one.number, one, number, volume, source))
        observations.append(_observation(one, number))
    made.StructureSetROISequence = rois
    made.ROIContourSequence = contours
    made.RTROIObservationsSequence = observations
    return made


def _begun(source: Source, title: str, seed: str) -> Dataset:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    now = datetime.now()
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = dicom.RTSTRUCT, uid(seed, "rtstruct")
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.Modality = "RTSTRUCT"
    made.SeriesInstanceUID = uid(seed, "rtstruct", "series")
    made.SeriesNumber, made.InstanceNumber = SERIES_NUMBERS["RTSTRUCT"], 1
    made.OperatorsName = ""
    made.InstanceCreationDate = made.StructureSetDate = now.strftime("%Y%m%d")
    made.InstanceCreationTime = made.StructureSetTime = now.strftime("%H%M%S")
    made.StructureSetLabel = "RESEARCH"
    made.StructureSetName = title[:64]
    made.ApprovalStatus = "UNAPPROVED"
    made.FrameOfReferenceUID = dicom.text(source.first, "FrameOfReferenceUID")
    made.PositionReferenceIndicator = ""
    mark(made, source, title)
    return made


def _frame_of_reference(source: Source) -> Dataset:
    from pydicom import Dataset

    frame, study, series = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = dicom.text(source.first, "SeriesInstanceUID")
    series.ContourImageSequence = [_image(one) for one in source.headers]
    study.ReferencedSOPClassUID = _STUDY_COMPONENT
    study.ReferencedSOPInstanceUID = dicom.text(source.first, "StudyInstanceUID")
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = dicom.text(source.first, "FrameOfReferenceUID")
    frame.RTReferencedStudySequence = [study]
    return frame


def _image(header: Dataset) -> Dataset:
    from pydicom import Dataset

    image = Dataset()
    image.ReferencedSOPClassUID = dicom.sop_class(header)
    image.ReferencedSOPInstanceUID = dicom.text(header, "SOPInstanceUID")
    return image


def _roi(one: Structure, number: int, source: Source) -> Dataset:
    from pydicom import Dataset

    roi = Dataset()
    roi.ROINumber = number
    roi.ReferencedFrameOfReferenceUID = dicom.text(source.first, "FrameOfReferenceUID")
    roi.ROIName = one.name[:64]
    roi.ROIGenerationAlgorithm = "AUTOMATIC"
    return roi


def _contours(mask: Mask, one: Structure, number: int, volume: Volume, source: Source) -> Dataset:
    from pydicom import Dataset

    drawn = Dataset()
    drawn.ROIDisplayColor = list(one.shown)
    drawn.ReferencedROINumber = number
    parts = []
    for place, corners in _corners(mask, volume):
        contour = Dataset()
        contour.ContourImageSequence = [_image(source.headers[place])]
        contour.ContourGeometricType = "CLOSED_PLANAR"
        contour.NumberOfContourPoints = len(corners)
        # DS has at most 16 characters; a ten-thousandth of a millimetre is enough.
        contour.ContourData = [f"{value:.4f}" for value in corners.ravel()]
        parts.append(contour)
    if parts:
        drawn.ContourSequence = parts
    return drawn


def _corners(mask: Mask, volume: Volume) -> Iterator[tuple[int, Floats]]:
    """Slices, and the corners (n, 3) of a contour on them, mm."""
    for place in np.flatnonzero(mask.any(axis=(1, 2))):
        for loop in outlines(mask[place]):
            index = np.column_stack([np.full(len(loop), float(place)), loop])
            yield int(place), volume.grid.positions(index)


def _observation(one: Structure, number: int) -> Dataset:
    from pydicom import Dataset

    seen, code = Dataset(), Dataset()
    seen.ObservationNumber = seen.ReferencedROINumber = number
    seen.ROIObservationLabel = one.name[:16]
    seen.RTROIInterpretedType = "ORGAN" if one.category.value == "123037004" else ""
    seen.ROIInterpreter = ""
    code.CodeValue = one.type_code.value
    code.CodingSchemeDesignator = one.type_code.scheme
    code.CodeMeaning = one.type_code.meaning[:64]
    seen.RTROIIdentificationCodeSequence = [code]
    return seen
