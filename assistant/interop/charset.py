"""Bytes from Chinese systems as text: UTF-8, UTF-16 with a mark, or GB18030 (GB 18030-2022).

Labels are often wrong, and short texts fit both.  A text that is valid UTF-8 with Chinese in it is
UTF-8, since bytes of GB18030 hardly ever are; one whose only non-ASCII characters would be Greek,
Cyrillic and the like (联 as bytes of GBK) is what its label says, else UTF-8 only if these are
characters that laboratories print, such as μ and ±.
"""

from __future__ import annotations

import re

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CHINESE = re.compile(r"gb[-_ ]?18030|gb[-_ ]?2312|gbk|cp[-_ ]?936|gb18030|\bgb\b", re.I)
_UNICODE = re.compile(r"utf[-_ ]?8|unicode", re.I)
_COMMON = re.compile(r"[\x00-\x7fμµ°±×÷²³¹·αβγδ§é]*")
_WIDE = re.compile(r"[\u0800-\U0010ffff]")

GB18030 = "gb18030"
UTF_8 = "utf-8"


def named(label: str) -> str:
    """``gb18030``, ``utf-8`` or "" for a label such as ``UNICODE UTF-8`` or ``GB 18030-2000``."""
    if _UNICODE.search(label):
        return UTF_8
    return GB18030 if _CHINESE.search(label) else ""


def decoded(data: bytes, label: str = "") -> tuple[str, str] | None:
    """(text, codec); None where the bytes are neither, or hold NUL characters."""
    mark = next((codec for mark, codec in _MARKS if data.startswith(mark)), None)
    if mark is not None and (text := _trial(data, mark)) is not None:
        return text, UTF_8
    unicode_text = _trial(data, UTF_8)
    if unicode_text is None:
        chinese = _trial(data, GB18030)
        return None if chinese is None else (chinese, GB18030)
    if unicode_text.isascii() or _WIDE.search(unicode_text):
        return unicode_text, UTF_8
    said = named(label)
    if said == UTF_8 or (not said and _COMMON.fullmatch(unicode_text)):
        return unicode_text, UTF_8
    chinese = _trial(data, GB18030)
    return (unicode_text, UTF_8) if chinese is None else (chinese, GB18030)


def _trial(data: bytes, codec: str) -> str | None:
    try:
        text = data.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return None
    return None if "\0" in text else text
