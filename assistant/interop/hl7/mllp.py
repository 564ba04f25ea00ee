"""MLLP: the frames that HL7 v2 messages travel in over TCP (HL7 Transport Specification: MLLP,
Release 1).  A frame is ``<VT> message <FS><CR>``; bytes of UTF-8 and GB18030 never look like these.
"""

from __future__ import annotations

START = b"\x0b"
END = b"\x1c\r"
MOST_BYTES = 16 * 1024 * 1024


class FrameTooLarge(ValueError):
    """A frame is over the bound: the connection cannot be read on."""


def framed(message: bytes) -> bytes:
    """A message in its frame."""
    return START + message + END


class Frames:
    """Collects what comes in and gives whole frames; what stands between frames is dropped."""

    def __init__(self, limit: int = MOST_BYTES) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self._inside = False

    @property
    def half(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._inside

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now.  Raises `FrameTooLarge`."""
        self._buffer += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> bytes | None:
        if not self._inside:
            start = self._buffer.find(START)
            if start < 0:
                self._buffer.clear()
                return None
            del self._buffer[: start + 1]
            self._inside, self._searched = True, 0
        end = self._buffer.find(END, self._searched)
        if end < 0:
            # Searched once: many small packets of a large message cost no more than it.
            self._searched = max(0, len(self._buffer) - 1)
            if len(self._buffer) > self._limit:
                raise FrameTooLarge
            return None
        if end > self._limit:
            raise FrameTooLarge
        message = bytes(self._buffer[:end])
        del self._buffer[: end + len(END)]
        self._inside = False
        # A sender that began anew after a break: what stood before is the broken message.
        return message.rpartition(START)[2]
