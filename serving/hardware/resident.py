"""Give back memory that only mirrors a file.

OpenVINO maps a model's weights and then keeps a copy of its own in the processor's preferred
layout.  The mapped pages stay counted as this process's memory although nothing reads them any
more: half of what a large model seems to need.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MADV_DONTNEED = 4
_EVERY = 0.1  # Seconds; OpenVINO copies some hundred MB in that time.
_log = logging.getLogger("bedside.serving.resident")


def release(file: Path) -> int:
    """Drop the pages of every mapping of ``file`` in this process; returns the bytes mapped.

    The contents stay valid: a page that is read again comes from the file.  Elsewhere than on Linux
    nothing is done.
    """
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    name, mapped = str(file.resolve()), 0
    for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
        place, rights, *_, path = line.split(maxsplit=5) if line.count(" ") > 5 else (line, "", "")
        # Only what was never written to: dropping changed private pages would lose the changes.
        if path != name or "w" in rights:
            continue
        start, end = (int(part, 16) for part in place.split("-"))
        if libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED) == 0:
            mapped += end - start
    return mapped


@contextmanager
def released_meanwhile(file: Path) -> Iterator[None]:
    """While a model is loaded, drop what was read of ``file``, over and over, and once at the end.

    So the most that loading takes is what stays, and not the file besides.
    """
    done = threading.Event()

    def drop() -> None:
        while not done.wait(_EVERY):
            release(file)

    thread = threading.Thread(target=drop, name="release", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        _log.info("released the mapping of a model's weights, %d bytes", release(file))
