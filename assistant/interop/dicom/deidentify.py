"""De-identified copies of DICOM files, by a table after the Basic Profile of PS3.15 annex E.

Stricter than the profile where the table says nothing: values of kinds that may name somebody
(names, dates, free text, ids) go, whatever their tag.  UIDs and the patient's id become keyed
hashes, so that series, references and patients stay together, and nobody without the key finds the
way back.  Pixels are not looked at: what is burnt into them is warned of.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
from collections import Counter
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

Action = Literal["X", "Z", "D", "U", "P", "R", "K"]
"""Remove, empty, dummy, map the UID, pseudonym, number the region, keep."""

TABLE = Path(__file__).parent / "data" / "deidentify.tsv"

_TELLING = {"PN", "DA", "DT", "TM", "AS", "AE", "LO", "LT", "SH", "ST", "UC", "UR", "UT", "UN"}
"""Kinds of values that may tell who somebody is; kept only where the table says so."""

_WELL_KNOWN = "1.2.840.10008."
"""The root of the standard's own UIDs (classes, syntaxes), which are nobody's."""

_DUMMY = "RESEARCH"
BURNED = ("US", "XA", "RF", "ES", "OT", "SC", "IVUS", "XC", "GM", "SM", "OP", "ECG", "DOC")
"""Modalities whose pixels often carry a name."""

ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
_REPORTS = "1.2.840.10008.5.1.4.1.1.88."


@cache
def table() -> MappingProxyType[str, Action]:
    """The actions by keyword."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = {row["keyword"]: row["action"] for row in csv.DictReader(file, delimiter="\t")}
    return MappingProxyType(rows)  # type: ignore[arg-type]


class Deidentifier:
    """Makes copies under one ``key`` (bytes that nobody else has)."""

    def __init__(self, key: bytes, *, keep_regions: bool = False) -> None:
        self._key = key
        self._keep_regions = keep_regions
        self.warnings: Counter[str] = Counter()

    def copy(self, dataset: Dataset) -> Dataset:
        """What is left of ``dataset``, which is not changed.

        Raises `ImageProblem` for objects that are text by nature.
        """
        from copy import deepcopy

        kind = dicom.sop_class(dataset)
        if kind.startswith((ENCAPSULATED, _REPORTS)):
            raise ImageProblem(
                "报告与封装文档以文字为主，无法自动去标识，未导出。",
                "Reports and encapsulated documents are text; they are not exported.",
            )
        self._warn(dataset)
        patient = dicom.text(dataset, "PatientID")
        made = deepcopy(dataset)
        self._clean(made, self._pseudonym(patient))
        self._say(made)
        self._meta(made)
        return made

    def uid(self, value: str) -> str:
        """Another UID, always the same for the same one; the standard's own stay."""
        if not value or value.startswith(_WELL_KNOWN):
            return value
        digest = self._hash("uid", value)
        # PS3.5 B.2: 128 bits under 2.25, marked as a UUID of version 4.
        number = int.from_bytes(digest[:16], "big")
        number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62
        return f"2.25.{number}"

    def _hash(self, purpose: str, value: str) -> bytes:
        message = f"dicom-{purpose}\0{value}".encode()
        return hmac.new(self._key, message, hashlib.sha256).digest()

    def _pseudonym(self, patient: str) -> str:
        return f"P{self._hash('patient', patient).hex()[:16]}"

    def _clean(self, dataset: Dataset, pseudonym: str) -> None:
        for element in list(dataset):
            action = self._action(element)
            if action == "X":
                del dataset[element.tag]
            elif action == "Z":
                element.value = [] if element.VR == "SQ" else ""
            elif action == "U":
                element.value = self._uids(element.value)
            elif action == "P":
                element.value = pseudonym
            elif action in ("D", "R"):
                self._replace(dataset, element)
            elif element.VR == "SQ":
                for place, item in enumerate(element.value, start=1):
                    self._clean(item, pseudonym)
                    for name in ("ROIName", "SegmentLabel"):
                        if name in item and not self._keep_regions:
                            setattr(item, name, f"ROI {place}")

    def _action(self, element: DataElement) -> Action:
        tag = element.tag
        # Curves and overlays, whose pixels may be writing.
        if tag.is_private or 0x5000 <= tag.group < 0x5100 or 0x6000 <= tag.group < 0x6100:
            return "X"
        action = table().get(element.keyword)
        if action == "R" and self._keep_regions:
            return "K"
        if action is not None:
            return action
        if element.VR == "UI":
            return "U"
        return "X" if element.VR in _TELLING and not _nobody(element) else "K"

    def _replace(self, dataset: Dataset, element: DataElement) -> None:
        if element.VR == "SQ":
            del dataset[element.tag]
        else:
            element.value = _DUMMY

    def _uids(self, value: object) -> object:
        if value is None or isinstance(value, str):
            return self.uid(str(value or ""))
        return [self.uid(str(one)) for one in value]  # type: ignore[attr-defined]

    def _warn(self, dataset: Dataset) -> None:
        burned = dicom.text(dataset, "BurnedInAnnotation").upper()
        modality = dicom.text(dataset, "Modality").upper()
        if burned == "YES" or (burned != "NO" and modality in BURNED):
            self.warnings["burned"] += 1
        if dicom.text(dataset, "RecognizableVisualFeatures").upper() == "YES":
            self.warnings["recognizable"] += 1

    def _say(self, made: Dataset) -> None:
        from pydicom import Dataset

        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
        code.CodeMeaning = "Basic Application Confidentiality Profile"
        made.PatientIdentityRemoved = "YES"
        made.DeidentificationMethod = "Bedside, after PS3.15 Basic Profile"
        made.DeidentificationMethodCodeSequence = [code]
        made.LongitudinalTemporalInformationModified = "REMOVED"

    def _meta(self, made: Dataset) -> None:
        from pydicom.dataset import FileMetaDataset

        syntax = made.file_meta.TransferSyntaxUID
        # Anew, since the old one may name the station that sent the file.
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = syntax
        made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
        made.preamble = b"\0" * 128


def _nobody(element: DataElement) -> bool:
    """Empty: it tells nothing, and may have to be there."""
    return element.value in (None, "", [])
