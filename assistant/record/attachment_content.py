"""The content of an attachment, checked before it is kept: it is what its media type says.

Only headers are read; pixels are decoded by whoever needs them.  The libraries are loaded with the
first attachment, since every command imports the store.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from dataclasses import dataclass
from io import BytesIO

from assistant.record.attachment import DICOM, MAX_UID, MEDIA_TYPES, MODALITY_PATTERN, UID_PATTERN

MAX_PIXELS = 120_000_000
"""An A3 page at 600 dots an inch has 70 million."""

_UID = re.compile(UID_PATTERN)
_MODALITY = re.compile(MODALITY_PATTERN)
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}
_TAGS = [
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "Modality",
    "Rows",
    "Columns",
]


class MediaTypeRefused(ValueError):
    """No attachment has this media type."""

    def __init__(self) -> None:
        super().__init__(
            f"附件须为 {'、'.join(MEDIA_TYPES)}。(An attachment is one of these media types.)"
        )


class ContentInvalid(ValueError):
    """The content is not what its media type says; the message holds nothing of it."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """An image, and its size in pixels."""

    data: bytes
    media_type: str
    sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class InstanceContent:
    """One instance of a DICOM series."""

    data: bytes
    sha256: str
    study_uid: str
    series_uid: str
    instance_uid: str
    modality: str
    rows: int
    columns: int


Content = PageContent | InstanceContent


def read(data: bytes, media_type: str) -> Content:
    """The content, when it is what ``media_type`` says.

    Raises `MediaTypeRefused`, `ContentInvalid`.
    """
    if media_type not in MEDIA_TYPES:
        raise MediaTypeRefused
    digest = hashlib.sha256(data).hexdigest()
    if media_type == DICOM:
        return _instance(data, digest)
    return _page(data, digest, media_type)


def _page(data: bytes, digest: str, media_type: str) -> PageContent:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # The limit on pixels is our own, below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=[_FORMATS[media_type]]) as image:
                width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ContentInvalid(
            f"内容不是有效的 {media_type} 图像。(The content is no such image.)"
        ) from error
    except Image.DecompressionBombError:
        width, height = MAX_PIXELS, 2
    if width * height > MAX_PIXELS:
        raise ContentInvalid(
            f"图像超过 {MAX_PIXELS} 像素的上限。(The image has more pixels than are taken.)"
        )
    return PageContent(data, media_type, digest, width, height)


def _instance(data: bytes, digest: str) -> InstanceContent:
    from pydicom import config, dcmread
    from pydicom.errors import InvalidDicomError

    # It would write values of the header, which may be a patient's, into the log.
    logging.getLogger("pydicom").disabled = True
    config.settings.reading_validation_mode = config.IGNORE
    try:
        found = dcmread(BytesIO(data), stop_before_pixels=True, specific_tags=list(_TAGS))
        study, series, instance = (str(found.get(tag, "")) for tag in _TAGS[:3])
        modality = str(found.get("Modality", "")).strip().upper()
        rows, columns = (int(found.get(tag, 0) or 0) for tag in _TAGS[4:])
    except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise ContentInvalid("内容不是 DICOM 文件。(The content is no DICOM file.)") from error
    uids = (study, series, instance)
    known = all(len(uid) <= MAX_UID and _UID.fullmatch(uid) for uid in uids)
    if not (known and _MODALITY.fullmatch(modality)):
        raise ContentInvalid(
            "DICOM 文件的检查、序列或实例 UID 或设备类型缺失或无效。(Study, series or instance UID "
            "or the modality is missing or not valid.)"
        )
    return InstanceContent(data, digest, study, series, instance, modality, rows, columns)
