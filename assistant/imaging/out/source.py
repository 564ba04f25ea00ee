"""The series that a result belongs to: its headers in the order of the volume, fit to be copied."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Volume

if TYPE_CHECKING:
    from pydicom import Dataset

PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
STUDY = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
MORE = (
    "IssuerOfPatientID",
    "OtherPatientIDs",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "AdmissionID",
    "StudyDescription",
)
"""Of patient and study, copied where the source has them."""

_TIMES = ("PatientBirthDate", "StudyDate", "StudyTime")
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData", "OverlayData")
UTF8 = "ISO_IR 192"


@dataclass(frozen=True, slots=True)
class Source:
    """``headers``: one a slice in the order of the volume, without pixels, texts as UTF-8."""

    headers: Sequence[Dataset]

    @property
    def first(self) -> Dataset:
        """The header that patient and study are copied from."""
        return self.headers[0]


def source_of(datasets: Iterable[Dataset], volume: Volume) -> Source:
    """The headers of the series that ``volume`` was read from.

    Raises `ImageProblem` where the volume is no DICOM series, or of other instances.
    """
    found = {dicom.text(one, "SOPInstanceUID"): one for one in datasets}
    if not volume.instances or not set(volume.instances) <= set(found):
        raise ImageProblem(
            "只有 DICOM 序列才能生成 DICOM 结果，请提供原始 DICOM 序列，或改存 NIfTI、PNG。",
            "DICOM results need the DICOM series that the image is from; give it, or write NIfTI.",
        )
    return Source([copied(found[uid]) for uid in volume.instances])


def copied(dataset: Dataset) -> Dataset:
    """A header to copy from: no pixels, and whatever its texts were written in, UTF-8."""
    from pydicom import Dataset

    # The library would write a name that it finds odd into log and warnings.
    warnings.filterwarnings("ignore", module=r"highdicom\b")
    logging.getLogger("highdicom").setLevel(logging.CRITICAL)
    made = Dataset()
    for element in dataset:
        if element.keyword in _PIXELS or element.tag.is_private or element.tag.group >= 0x5000:
            continue
        if element.VR == "PN":
            setattr(made, element.keyword, _texts(element.value))
        elif element.VR != "SQ" and element.keyword:
            made.add(deepcopy(element))
    made.file_meta = deepcopy(dataset.file_meta)
    made.SpecificCharacterSet = UTF8
    for name in (*PATIENT, *STUDY):
        if name not in made or getattr(made, name) is None:
            setattr(made, name, "")
    # A value that the standard does not have would be refused by whoever receives it.
    if made.PatientSex not in ("", "M", "F", "O"):
        made.PatientSex = "O"
    for name in _TIMES:
        if name in made and not _is_time(made[name].VR, made.get(name)):
            setattr(made, name, "")
    return made


def _is_time(kind: str, value: Any) -> bool:
    from pydicom.valuerep import DA, TM

    try:
        return (DA if kind == "DA" else TM)(str(value)) is not None
    except (ValueError, TypeError, OverflowError):
        return False


def _texts(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    listed = not hasattr(value, "components") and hasattr(value, "__iter__")
    return [str(one) for one in value] if listed else str(value)
