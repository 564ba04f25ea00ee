"""Files as pages: what is kept of a photo, a PDF, a TIFF or a HEIC that is uploaded.

What is no JPEG or PNG is opened in the confined process, and its pages are kept as PNG.
"""

from __future__ import annotations

import io
from pathlib import PurePosixPath

from assistant.api.context import Services
from assistant.api.problems import Problem
from assistant.record.attachment import PageImage
from assistant.record.attachment_content import Content, ContentInvalid, read
from assistant.store import Context

_AS_IT_IS = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
_OPENED = frozenset({".pdf", ".tif", ".tiff", ".heic", ".heif"})
SUFFIXES = (*_AS_IT_IS, *sorted(_OPENED))
BY_TYPE = {
    "application/pdf": ".pdf",
    "image/tiff": ".tiff",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
}
"""The media types that are taken, each with a suffix of such files."""


def kept_pages(parts: Services, context: Context, name: str, data: bytes) -> list[PageImage]:
    """The pages of a file, kept as attachments of the patient.

    What browsers cannot show (PDF, TIFF, HEIC) is opened, and its pages are kept as PNG.  Raises
    `Problem` for what is no such file.
    """
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if suffix in _AS_IT_IS:
        try:
            kept = read(data, _AS_IT_IS[suffix])
        except ContentInvalid as error:
            raise Problem(422, str(error)) from None
        _check(data)
        return _kept(parts, context, [kept])
    if suffix not in _OPENED:
        raise Problem(
            415, f"票据文件须为 {'、'.join(s[1:].upper() for s in SUFFIXES)}。(Not such a file.)"
        )
    return _kept(parts, context, [read(*page) for page in _opened(name, data)])


def _check(data: bytes) -> None:
    """Whoever sends half a picture is told now, not when it is read."""
    from serving.ocr.opening_process import opened
    from serving.ocr.refusal import PageRefused

    try:
        for _ in opened(data):
            pass
    except PageRefused as error:
        raise Problem(422, str(error)) from None


def _opened(name: str, data: bytes) -> list[tuple[bytes, str]]:
    from PIL import Image

    from serving.ocr.pages import open_pages
    from serving.ocr.refusal import PageRefused

    found = []
    try:
        for page in open_pages(data, name):
            out = io.BytesIO()
            Image.fromarray(page.image).save(out, "PNG", compress_level=1)
            found.append((out.getvalue(), "image/png"))
    except PageRefused as error:
        raise Problem(422, str(error)) from None
    return found


def _kept(parts: Services, context: Context, pictures: list[Content]) -> list[PageImage]:
    kept = []
    for number, content in enumerate(pictures, 1):
        made = parts.store.attachments.add(context, content, page=number)
        if isinstance(made, PageImage):
            kept.append(made)
    return kept
