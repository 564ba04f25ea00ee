"""The studies of a patient as the page has them: listed, dropped, their pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from assistant.imaging import archive, dicom
from assistant.record.attachment import DICOM, Series
from assistant.record.attachment_content import ContentInvalid, read
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.perfusion.request import MODALITIES


def listed(attachments: Attachments, context: Context) -> list[Series]:
    """The patient's series that may be of a perfusion study; newest first."""
    found = attachments.list(context, 500)
    return [one for one in found if isinstance(one, Series) and one.modality in MODALITIES]


def label(one: Series) -> str:
    """What tells one series from another: no name of a file, no name of a patient."""
    return f"{one.modality} · {one.instances} · …{one.series_uid[-12:]}"


def dropped(attachments: Attachments, context: Context, paths: Sequence[Path]) -> int:
    """Keep the DICOM files among what was dropped; how many there were.

    Raises `ImageProblem`, and what the store raises.
    """
    count = 0
    for path in paths:
        for data in archive.files(path):
            if not dicom.is_dicom(data):
                continue
            try:
                attachments.add(context, read(data, DICOM))
            except ContentInvalid:
                # A DICOMDIR or the like.
                continue
            count += 1
    return count


def picture(attachments: Attachments, context: Context, attachment_id: str) -> str:
    """A kept picture as an address that holds it."""
    data, _ = attachments.content(context, attachment_id)
    return "data:image/png;base64," + base64.b64encode(data).decode()
