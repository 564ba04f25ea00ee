"""What the first bytes of a request tell: whether it is a call of a hook, and of which patient."""

from __future__ import annotations

import re
from zlib import crc32

LINE = b"POST /cds-services/"
"""How the call of a hook begins."""

MOST_BYTES = 200_000
"""Of a request are waited for to learn of which patient it is."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*(?:\r\n|\Z)", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)
_PATIENT = re.compile(rb'"patientId"\s*:\s*"([A-Za-z0-9\-.]{1,64})"')


def is_hook(begun: bytes) -> bool | None:
    """Whether a request that begins so calls a hook; None where that is too little to tell."""
    if len(begun) < len(LINE):
        return None if LINE.startswith(begun) else False
    return begun.startswith(LINE)


def is_enough(begun: bytes) -> bool:
    """Whether more of a request would tell no more of where it belongs, or is not to be had."""
    hook = is_hook(begun)
    if not hook or _PATIENT.search(begun) or len(begun) >= MOST_BYTES:
        return hook is not None
    head, end, body = begun.partition(b"\r\n\r\n")
    if not end:
        return False
    length = _LENGTH.search(head)
    # Without a length nobody knows when it ends; who expects an answer sends nothing before it.
    return length is None or bool(_EXPECT.search(head)) or len(body) >= int(length[1])


def share_of(begun: bytes, count: int) -> int | None:
    """The number, below ``count``, of the process that has this patient's calls; None where the
    patient is not told yet."""
    found = _PATIENT.search(begun)
    return crc32(found[1]) % count if found else None
