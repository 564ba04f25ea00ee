"""Files as pages: what is kept of a photo, a PDF, a TIFF or a HEIC that is uploaded.

What is no JPEG or PNG is opened in the confined process, and its pages are kept as PNG.
"""

from __future__ import annotations

import io
from pathlib import PurePosixPath

from assistant.api.context import Services
from assistant.api.problems import Problem
from assistant.record.attachment import PageImage
from assistant.record.attachment_content import ContentInvalid, read
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
            pictures = [(data, _AS_IT_IS[suffix])]
            return _kept(parts, context, pictures)
        except ContentInvalid as error:
            raise Problem(422, str(error)) from None
    if suffix not in _OPENED:
        raise Problem(
            415, f"票据文件须为 {'、'.join(s[1:].upper() for s in SUFFIXES)}。(Not such a file.)"
        )
    return _kept(parts, context, _opened(name, data))


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


def _kept(parts: Services, context: Context, pictures: list[tuple[bytes, str]]) -> list[PageImage]:
    kept = []
    for number, (data, media_type) in enumerate(pictures, 1):
        made = parts.store.attachments.add(context, read(data, media_type), page=number)
        if isinstance(made, PageImage):
            kept.append(made)
    return kept
