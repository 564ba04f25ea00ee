"""Answers requests, several in turn, whatever makes the tokens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .channel import Channel


class LoadFailed(Exception):
    """The model cannot be loaded; the message names file and tensor."""


class Refused(Exception):
    """The request asks for something that cannot be done; the message says what."""


class Cancelled(Exception):
    """Nobody waits for this answer any more."""


@dataclass(frozen=True)
class Token:
    """One token of an answer."""

    id: int
    logprob: float | None
    finish: Literal["stop", "length"] | None


Tokens = Callable[[Mapping[str, Any]], Iterator[Token | None]]


class Service:
    """Requests take turns, a token or a piece of a prompt each."""

    def __init__(self, channel: Channel, tokens: Tokens, max_running: int) -> None:
        """``tokens`` makes an answer; it yields None where it only gives way to others."""
        self._channel = channel
        self._tokens = tokens
        self._most = max_running
        self._waiting: deque[dict[str, Any]] = deque()
        self._active: dict[int, Iterator[Token | None]] = {}
        self._current = 0

    def run(self) -> None:
        """Never returns: the end of the input ends the process."""
        while True:
            self._admit()
            for number in list(self._active):
                self._step(number)

    def check(self) -> None:
        """Raise `Cancelled` if nobody waits for the answer that is being made."""
        if self._channel.cancelled(self._current):
            raise Cancelled

    def _admit(self) -> None:
        while request := self._channel.take(wait=not (self._active or self._waiting)):
            self._waiting.append(request)
        while self._waiting and len(self._active) < self._most:
            request = self._waiting.popleft()
            number: int = request["id"]
            if self._channel.cancelled(number):
                self._channel.forget(number)
                continue
            self._channel.send({"id": number, "started": True})
            self._active[number] = self._tokens(request)

    def _step(self, number: int) -> None:
        self._current = number
        try:
            self.check()
            token = next(self._active[number])
        except Cancelled:
            self._drop(number)
        except Exception as error:
            self._drop(number)
            self._channel.send({"id": number, "error": _told(error)})
        else:
            self._tell(number, token)

    def _tell(self, number: int, token: Token | None) -> None:
        if token is None:
            return
        last = token.finish is not None
        if last:
            self._drop(number)
        data = {"token": token.id, "logprob": token.logprob, "finish": token.finish}
        self._channel.send({"id": number, **data, "last": last})

    def _drop(self, number: int) -> None:
        del self._active[number]
        self._channel.forget(number)


def _told(error: Exception) -> dict[str, str]:
    if isinstance(error, Refused):
        return {"kind": "UnsupportedOption", "message": str(error)}
    # Never the error's own words, which may hold tokens of a prompt.
    message = f"The model failed on this request ({type(error).__name__})."
    if isinstance(error, MemoryError) or "allocate" in str(error):
        message = "There is not enough memory for this request; send a shorter one."
    return {"kind": "EngineError", "message": message}
