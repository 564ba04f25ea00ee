"""Ids that sort by the time they were made (UUID version 7, RFC 9562 section 6.2 method 3)."""

from __future__ import annotations

import re
import secrets
import threading
import time
import uuid

_lock = threading.Lock()
_last_tick = 0
_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_id() -> str:
    """A new id; within one process each sorts after the one before, as text too."""
    global _last_tick
    with _lock:
        # Milliseconds with 12 bits of fraction: 60 bits in all, never the same twice.
        tick = max(time.time_ns() * 4096 // 1_000_000, _last_tick + 1)
        _last_tick = tick
    milliseconds, fraction = divmod(tick, 4096)
    number = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | fraction << 64
    number |= 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=number))


def is_id(text: str) -> bool:
    """True when ``text`` has the form that `new_id` gives."""
    return _PATTERN.fullmatch(text) is not None
