"""The series of a patient as a page has them: listed, dropped, named, opened."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path

from assistant.imaging import archive, as_series, dicom
from assistant.record.attachment import DICOM, REGION_MODALITIES, Series
from assistant.record.attachment_content import ContentInvalid, read
from assistant.store import Context
from assistant.store.attachments import Attachments

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


def dropped(attachments: Attachments, context: Context, paths: Sequence[Path]) -> int:
    """Keep the DICOM files among what was dropped, and NIfTI as a series; how many images.

    Raises `ImageProblem`, and what the store raises.
    """
    count = 0
    for path in paths:
        for data in archive.files(path):
            for one in _instances(data):
                try:
                    attachments.add(context, read(one, DICOM))
                except ContentInvalid:
                    # A DICOMDIR or the like.
                    continue
                count += 1
    return count


def _instances(data: bytes) -> Iterable[bytes]:
    if dicom.is_dicom(data):
        return (data,)
    return as_series.instances(data) if as_series.is_nifti(data) else ()


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
