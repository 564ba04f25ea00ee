"""Attachments of documents: the text of those that are text, and what is left as it is."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from assistant.interop.charset import decoded
from assistant.interop.fhir.element import Element, printable
from assistant.interop.fhir.narrative import text_of
from assistant.interop.fhir.scope import Scope

MOST_BYTES = 16_000_000
_CHARSET = re.compile(r"charset=[\"']?([A-Za-z0-9._-]+)", re.ASCII)
_HTML = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class Content:
    """What an attachment holds: its text, or "" and its media type where it is no text."""

    text: str
    media_type: str = ""
    left: bool = False


def content(attachment: Element, of: Element, scope: Scope) -> Content:
    """The text of an Attachment, in place (base64) or in a Binary that came along.

    Text and HTML in UTF-8, UTF-16 or GB18030 are read; anything else is left and said.
    """
    written = attachment.text("contentType")
    data, media = _data(attachment, of, scope, written)
    kind = media.partition(";")[0].strip().lower()
    if data is None:
        return Content("", kind, left=True)
    if kind and not (kind.startswith("text/") or kind in _HTML):
        of.say(
            "information",
            "attachment",
            f"附件（{kind[:60] if kind.isprintable() else ''}）保留原样，未转成文字。"
            "(The attachment was left as it is and not read as text.)",
        )
        return Content("", kind, left=True)
    said = _CHARSET.search(media)
    read = decoded(data, said[1] if said else "")
    if read is None:
        of.say(
            "error",
            "charset",
            "附件文字的编码既不是 UTF-8 也不是 GB18030，未读取。"
            "(The attachment is neither UTF-8 nor GB18030 and was not read.)",
        )
        return Content("", kind, left=True)
    text = read[0]
    if kind in _HTML or text.lstrip()[:200].lower().startswith(("<!doctype html", "<html", "<div")):
        return Content(text_of(text), kind)
    return Content(printable(text).strip(), kind)


def _data(attachment: Element, of: Element, scope: Scope, media: str) -> tuple[bytes | None, str]:
    """(bytes or None, media type)."""
    if attachment.has("data"):
        return _bytes(attachment, "data", of), media
    address = attachment.text("url")
    if not address:
        return None, media
    binary = scope.resources.target(Element({"reference": address}, of.problems, of.resource), of)
    if binary is None or binary.data.get("resourceType") != "Binary":
        of.say(
            "warning",
            "attachment",
            "附件在别处（url），没有随附，未读取。(The attachment is elsewhere and was not read.)",
        )
        return None, media
    return _bytes(binary, "data", of), binary.text("contentType") or media


def _bytes(element: Element, name: str, of: Element) -> bytes | None:
    raw = element.data.get(name)
    if isinstance(raw, str) and len(raw) * 3 // 4 <= MOST_BYTES:
        try:
            return base64.b64decode("".join(raw.split()), validate=True)
        except (binascii.Error, ValueError):
            pass
    of.say(
        "error",
        "attachment",
        "附件不是有效的 base64，或超过大小上限，未读取。"
        "(The attachment is not valid base64, or too large; it was not read.)",
    )
    return None
