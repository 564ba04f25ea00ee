"""One instance that arrives: checked, bound to its patient, and on the disk before it is answered.

An instance has one patient and one content, whoever sends it and however often: what comes again is
recognised by its SOP instance UID, and another content under the same UID is refused.
"""

from __future__ import annotations

import errno
import logging
import re
import shutil
import threading
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.interop.dicom import refusal
from assistant.interop.dicom.refusal import InstanceRefused
from assistant.interop.dicom.settings import DicomSettings
from assistant.record.attachment import DICOM, Series
from assistant.record.attachment_content import ContentInvalid, InstanceContent, read
from assistant.store import AttachmentConflict, Context, Store, StoreError
from assistant.store.studies import Arrival

if TYPE_CHECKING:
    from pydicom import Dataset

logger = logging.getLogger("bedside.assistant.dicom")

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
"""As `assistant.record.fields.Identifier`: what a record can be bound to."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TAGS = [
    "SOPClassUID",
    "PatientID",
    "AdmissionID",
    "AccessionNumber",
    "InstanceNumber",
    "NumberOfSeriesRelatedInstances",
    "SeriesDescription",
    "BodyPartExamined",
    "ManufacturerModelName",
    "ContentQualification",
    "SpecificCharacterSet",
]
_MOST_DESCRIBED = 200


class Receiving:
    """Keeps instances in the store; may be called from several threads."""

    def __init__(self, settings: DicomSettings, store: Store, home: Path) -> None:
        self._settings = settings
        self._store = store
        self._home = home
        self._lock = threading.Lock()

    def keep(self, data: bytes, calling: str, sop_class: str, instance_uid: str) -> None:
        """Keep a DICOM file that ``calling`` sent as this instance of this class.

        It is on the disk, and so is what is known of its study, when this returns.  Raises
        `InstanceRefused`; then nothing of it is kept.
        """
        self._check_room(len(data))
        content, header = _read(data)
        if content.instance_uid != instance_uid or str(header.get("SOPClassUID")) != sop_class:
            raise InstanceRefused(refusal.NOT_ITS_CLASS, "The data are of another instance")
        context = self._context(header, calling)
        try:
            # One at a time: nobody else may bring the same UID between the look and the keeping.
            with self._lock:
                self._keep(context, content, header)
        except AttachmentConflict:
            raise InstanceRefused(
                refusal.CHANGED, "This UID is already that of another content"
            ) from None
        except OSError as error:
            if error.errno in _FULL:
                raise InstanceRefused(refusal.OUT_OF_RESOURCES, "The disk is full") from None
            raise
        except StoreError:
            raise InstanceRefused(
                refusal.OUT_OF_RESOURCES, "The store takes nothing now; send again later"
            ) from None

    def _keep(self, context: Context, content: InstanceContent, header: Dataset) -> None:
        known = self._store.attachments.holder(content.instance_uid)
        if known is None:
            attachment = self._store.attachments.add(context, content)
        else:
            holder, attachment_id, sha256 = known
            if holder.patient_id != context.patient_id:
                raise AttachmentConflict
            attachment = self._store.attachments.get(holder, attachment_id)
            if sha256 != content.sha256:
                kept, _ = self._store.attachments.content(
                    holder, attachment_id, content.instance_uid
                )
                if not same_instance(kept, content.data):
                    raise AttachmentConflict
            context = Context(
                context.actor_id, context.actor_role, holder.patient_id, holder.encounter_id
            )
        assert isinstance(attachment, Series)
        arrival = _arrival(content, header, attachment)
        self._store.studies.arrived(context, arrival, new=known is None)

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self._home).free
        if free - size < self._settings.min_free_mib * 1024**2:
            raise InstanceRefused(refusal.OUT_OF_RESOURCES, "The disk is nearly full")

    def _context(self, header: Dataset, calling: str) -> Context:
        patient = str(header.get("PatientID") or "").strip()
        if not _IDENTIFIER.fullmatch(patient):
            raise InstanceRefused(
                refusal.NO_PATIENT, "PatientID is missing or no identifier; nothing to bind to"
            )
        encounter = ""
        if self._settings.encounter != "none":
            encounter = str(header.get(self._settings.encounter) or "").strip()
        if not _IDENTIFIER.fullmatch(encounter):
            encounter = ""
        return Context(f"dicom:{calling}", "system", patient, encounter)


def same_instance(left: bytes, right: bytes) -> bool:
    """Whether two files are one instance: alike but for what is said around the data set."""
    from pydicom import dcmread

    one, other = dcmread(BytesIO(left)), dcmread(BytesIO(right))
    syntaxes = (one.file_meta.TransferSyntaxUID, other.file_meta.TransferSyntaxUID)
    if syntaxes[0] != syntaxes[1] and any(one.is_encapsulated for one in syntaxes):
        return False
    return bool(one == other)


def _read(data: bytes) -> tuple[InstanceContent, Dataset]:
    from pydicom import dcmread

    try:
        content = read(data, DICOM)
        header = dcmread(BytesIO(data), stop_before_pixels=True, specific_tags=list(_TAGS))
    except ContentInvalid:
        raise InstanceRefused(
            refusal.NOT_UNDERSTOOD, "Study, series or instance UID or modality is not valid"
        ) from None
    assert isinstance(content, InstanceContent)
    return content, header


def _arrival(content: InstanceContent, header: Dataset, attachment: Series) -> Arrival:
    from assistant.imaging.out.marking import MANUFACTURER

    own = header.get("ManufacturerModelName") == MANUFACTURER
    return Arrival(
        study_uid=content.study_uid,
        series_uid=content.series_uid,
        attachment_id=attachment.id,
        modality=content.modality,
        description=_text(header, "SeriesDescription"),
        body_part=_text(header, "BodyPartExamined").upper(),
        own=own and header.get("ContentQualification") == "RESEARCH",
        instances=attachment.instances,
        number=_number(header, "InstanceNumber"),
        expected=_number(header, "NumberOfSeriesRelatedInstances") or 0,
    )


def _text(header: Dataset, name: str) -> str:
    return str(header.get(name) or "").strip()[:_MOST_DESCRIBED]


def _number(header: Dataset, name: str) -> int | None:
    value: Any = header.get(name)
    try:
        return None if value in (None, "") else int(value)
    except (TypeError, ValueError):
        return None
