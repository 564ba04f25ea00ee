"""What the server and one of its processes tell each other: whole messages, some with a file."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

MOST_BYTES = 400_000
"""Of a message: what was read of a request is at most 256 KiB."""

READY, REQUEST, COUNTS = b"r", b"h", b"c"
"""Calls can be taken; a connection with what was read of it; what was answered (JSON)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message; whoever has it closes its ``file``."""

    kind: bytes
    data: bytes
    file: int | None = None


class Closed(Exception):
    """The other end is gone."""


class Channel:
    """One end; it never blocks."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, option, MOST_BYTES)
        self.end = end

    @staticmethod
    def pair() -> tuple[socket.socket, socket.socket]:
        """Both ends."""
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def send(self, kind: bytes, data: bytes = b"", file: int | None = None) -> bool:
        """Send a message; False where that cannot be done now."""
        try:
            socket.send_fds(self.end, [kind, data], [] if file is None else [file])
        except OSError:
            return False
        return True

    def received(self) -> Iterator[Message]:
        """The messages that are there.  Raises `Closed`."""
        while True:
            try:
                data, files, _, _ = socket.recv_fds(
                    self.end, MOST_BYTES, 1, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                raise Closed from None
            if not data:
                raise Closed
            yield Message(data[:1], data[1:], files[0] if files else None)

    def close(self) -> None:
        """Close this end."""
        self.end.close()


def let_go(message: Message) -> None:
    """Close the connection of a message that nobody takes."""
    if message.file is not None:
        os.close(message.file)
