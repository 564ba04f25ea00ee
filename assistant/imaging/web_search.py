"""What a DICOMweb server has of one patient, to choose from (QIDO-RS)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem
from assistant.imaging.web import Address, fetch, run

if TYPE_CHECKING:
    from dicomweb_client import DICOMwebClient
    from pydicom import Dataset

    from assistant.interop.dicom.settings import DicomWebServer

_PATIENT, _STUDY, _DATE = "00100020", "0020000D", "00080020"
_SERIES, _MODALITY, _COUNT = "0020000E", "00080060", "00201209"
_MOST = 50
"""Studies that are looked into, the newest first."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A series as the server tells of it; ``instances`` 0: it does not say."""

    study: str
    series: str
    modality: str
    date: str
    instances: int


def series_of(server: DicomWebServer, patient_id: str) -> Sequence[Listed]:
    """The series of a patient by the id that the archive has, the newest first.

    Raises `ImageProblem`.
    """

    def errand(client: DICOMwebClient) -> list[Listed]:
        studies = client.search_for_studies(search_filters={"PatientID": patient_id})
        # A server that passes over a filter it does not know gives the studies of everybody.
        own = [one for one in studies if _value(one, _PATIENT) == patient_id]
        own.sort(key=lambda one: _value(one, _DATE), reverse=True)
        return [
            _listed(found, _value(study, _STUDY), _value(study, _DATE))
            for study in own[:_MOST]
            for found in client.search_for_series(_value(study, _STUDY), fields=[_COUNT])
        ]

    return [one for one in run(server, errand) if one.study and one.series]


def instances(server: DicomWebServer, one: Listed, patient_id: str) -> list[Dataset]:
    """The instances of a series, each of this patient.  Raises `ImageProblem`."""
    found = fetch(server, Address("", one.study, one.series), lambda _: True)
    if any(dicom.text(dataset, "PatientID") != patient_id for dataset in found):
        raise ImageProblem(
            "归档返回的图像属于其他患者，已拒收，请核对患者 ID。",
            "The archive gave images of another patient; they are refused. Check the patient id.",
        )
    return found


def _listed(found: Any, study: str, date: str) -> Listed:
    count = _value(found, _COUNT)
    return Listed(
        study,
        _value(found, _SERIES),
        _value(found, _MODALITY),
        date,
        int(count) if count.isdecimal() else 0,
    )


def _value(item: Any, tag: str) -> str:
    values = item.get(tag, {}).get("Value") or [""]
    return str(values[0]).strip()
