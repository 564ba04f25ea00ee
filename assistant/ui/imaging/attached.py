"""The series of a patient as a page has them: listed, dropped, named, opened."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from assistant.imaging import archive, dicom
from assistant.imaging.problem import ImageProblem
from assistant.record.attachment import DICOM, REGION_MODALITIES, Series
from assistant.record.attachment_content import ContentInvalid, read
from assistant.store import Context, StoreError
from assistant.store.attachments import Attachments
from assistant.ui.imaging import volume_files
from assistant.work.task import Refused

PROBLEMS = (ImageProblem, StoreError, Refused, ValueError)
"""What a sentence on a page of images says."""

_MOST = 500


def listed(attachments: Attachments, context: Context, modalities: Sequence[str]) -> list[Series]:
    """The patient's series of these modalities, newest first; without any, all of images."""
    found = [one for one in attachments.list(context, _MOST) if isinstance(one, Series)]
    if modalities:
        return [one for one in found if one.modality in modalities]
    return [one for one in found if one.modality not in REGION_MODALITIES]


def label(one: Series) -> str:
    """What tells one series from another: no name of a file, no name of a patient."""
    return f"{one.modality} · {one.instances} · …{one.series_uid[-12:]}"


def dropped(
    attachments: Attachments, context: Context, paths: Sequence[Path], modality: str = ""
) -> int:
    """Keep the DICOM, NIfTI and NRRD files among what was dropped; how many there were.

    ``modality``: of what is no DICOM, which does not say it.  Raises `ImageProblem`, and what the
    store raises.
    """
    count, others = 0, list[bytes]()
    for path in paths:
        for data in archive.files(path):
            if not dicom.is_dicom(data):
                if volume_files.ending(data):
                    others.append(data)
                continue
            try:
                attachments.add(context, read(data, DICOM))
            except ContentInvalid:
                # A DICOMDIR or the like.
                continue
            count += 1
    return count + volume_files.keep(attachments, context, others, modality)


def files(attachments: Attachments, context: Context, one: Series) -> list[bytes]:
    """The instances of a series.  Raises what the store raises where it is not the context's."""
    names = attachments.files(context, one.id)
    return [attachments.content(context, one.id, name)[0] for name in names]


def region_names(attachments: Attachments, context: Context, one: Series) -> list[str]:
    """The regions of an RTSTRUCT or SEG.  Raises `ImageProblem`."""
    from assistant.imaging import segmentation, structure_set

    found = dicom.read(files(attachments, context, one)[0])
    is_contours = dicom.sop_class(found) == dicom.RTSTRUCT
    return list((structure_set if is_contours else segmentation).names(found))


def kept_picture(attachments: Attachments, context: Context, attachment_id: str) -> str:
    """A kept picture as an address that holds it."""
    return address(attachments.content(context, attachment_id)[0])


def address(png: bytes) -> str:
    """A picture as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
