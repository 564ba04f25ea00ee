"""What the first bytes of a request tell: whether it is a call of a hook, and of which patient."""

from __future__ import annotations

import re
from zlib import crc32

LINE = b"POST /cds-services/"
"""How the call of a hook begins."""

_PATIENT = re.compile(rb'"patientId"\s*:\s*"([A-Za-z0-9\-.]{1,64})"')


def is_hook(begun: bytes) -> bool | None:
    """Whether a request that begins so calls a hook; None where that is too little to tell."""
    if len(begun) < len(LINE):
        return None if LINE.startswith(begun) else False
    return begun.startswith(LINE)


def share_of(begun: bytes, count: int) -> int | None:
    """The number, below ``count``, of the process that has this patient's calls; None where the
    patient is not told yet."""
    found = _PATIENT.search(begun)
    return crc32(found[1]) % count if found else None
