"""Token ids → text, piece by piece: whole characters only, and nothing of a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_REPLACEMENT = "\ufffd"
# A character has at most four bytes, so eight ids always hold the start of an unfinished one.
_OVERLAP = 8
_WINDOW = 32


class StopFilter:
    """Passes text through until a stop string appears; holds back what may become one."""

    def __init__(self, stop: Sequence[str]) -> None:
        """``stop``: strings that end the text; the first to occur wins, and is not passed on."""
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """The part of ``text``, and of what was held back, that is safe to emit."""
        if self.stopped:
            return ""
        self._held += text
        found = [at for at in map(self._held.find, self._stop) if at >= 0]
        if found:
            self.stopped = True
            return self._release(min(found))
        keep = max((self._partial(stop) for stop in self._stop), default=0)
        return self._release(len(self._held) - keep)

    def finish(self) -> str:
        """What is still held back, when no stop string came."""
        return "" if self.stopped else self._release(len(self._held))

    def _partial(self, stop: str) -> int:
        """Length of the longest end of the held text that begins ``stop``."""
        for size in range(min(len(stop) - 1, len(self._held)), 0, -1):
            if self._held.endswith(stop[:size]):
                return size
        return 0

    def _release(self, size: int) -> str:
        text, self._held = self._held[:size], self._held[size:]
        return text


class TextStream:
    """Decodes a growing list of token ids."""

    def __init__(self, decode: Callable[[list[int]], str], stop: Sequence[str] = ()) -> None:
        """``decode`` turns ids into text and may drop or replace an unfinished character."""
        self._decode = decode
        self._ids: list[int] = []
        self._emitted = ""
        self._filter = StopFilter(stop)

    @property
    def stopped(self) -> bool:
        """Whether a stop string has ended the text."""
        return self._filter.stopped

    def push(self, ids: Sequence[int]) -> str:
        """Text that the new ``ids`` complete."""
        self._ids.extend(ids)
        text = self._decode(self._ids).rstrip(_REPLACEMENT)
        fresh = text[len(self._emitted) :]
        self._emitted = text if fresh else self._emitted
        if len(self._ids) > _WINDOW:
            self._shorten()
        return self._filter.push(fresh)

    def finish(self) -> str:
        """Text that was held back for a stop string that did not come."""
        return self._filter.finish()

    def _shorten(self) -> None:
        """Forget ids whose text is out, as decoding must not grow with the answer."""
        tail = self._ids[-_OVERLAP:]
        text = self._decode(tail).rstrip(_REPLACEMENT)
        if self._emitted.endswith(text):
            self._ids, self._emitted = tail, text
