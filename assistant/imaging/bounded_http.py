"""A session of HTTP that ends: after a time, after so many bytes, and at the server it was for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

Made = TypeVar("Made")

_BLOCK = 65536


class TooLong(Exception):
    """The time for all of it is over."""


class TooMuch(Exception):
    """More bytes came than are taken."""


class Bounds(HTTPAdapter):
    """For one errand: ``seconds`` in all, ``silence`` between two bytes, ``most`` bytes in all."""

    def __init__(self, seconds: float, silence: float, most: int) -> None:
        super().__init__()
        self._until = time.monotonic() + seconds
        self._silence = silence
        self._left = most

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override,unused-ignore]
        """Send, with what is left of the time as the timeout."""
        options["timeout"] = min(self._silence, self.remaining())
        return super().send(request, **options)

    def build_response(self, req: Any, resp: Any) -> Any:
        """The response, whose body is counted while it is read."""
        made = super().build_response(req, resp)
        made.raw = _Counted(resp, self)
        return made

    def remaining(self) -> float:
        """Seconds that are left.  Raises `TooLong`."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TooLong
        return left

    def count(self, size: int) -> None:
        """Note bytes that came.  Raises `TooMuch`, `TooLong`."""
        self._left -= size
        if self._left < 0:
            raise TooMuch
        self.remaining()


class _Counted:
    """A body that is read as it comes, so that a byte a minute is noticed too.

    It is taken as it is: a small body that unpacks to a large one is not unpacked.
    """

    def __init__(self, raw: Any, bounds: Bounds) -> None:
        self._raw = raw
        self._bounds = bounds

    def read(self, size: int = _BLOCK) -> bytes:
        try:
            data: bytes = self._raw.read1(min(size or _BLOCK, _BLOCK), decode_content=False)
        except HTTPError as error:
            # Silence, or an end before the end.
            raise requests.ConnectionError(error) from None
        self._bounds.count(len(data))
        return data

    def close(self) -> None:
        self._raw.close()

    def release_conn(self) -> None:
        self._raw.release_conn()


def session(bounds: Bounds) -> requests.Session:
    """A session that keeps to ``bounds``, follows no redirect and takes nothing from the
    environment: no proxy, and no password that lies in a file."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = 0
    made.headers["Accept-Encoding"] = "identity"
    made.mount("http://", bounds)
    made.mount("https://", bounds)
    return made


def within(seconds: float, work: Callable[[], Made]) -> Made:
    """What ``work`` gives, if it ends in time: a server may be slow where no timeout looks, as in
    its headers.  Raises `TooLong`, and what ``work`` raises."""
    found: list[Made] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    # Nobody waits for this thread any more once the time is over, not even the end of the program.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not found:
        raise TooLong
    return found[0]
