"""Sending one message over MLLP and waiting for its acknowledgement."""

from __future__ import annotations

import socket
import time

from assistant.interop.hl7.message import MessageInvalid, read
from assistant.interop.hl7.mllp import Frames, FrameTooLarge, framed


class SendFailed(Exception):
    """No acknowledgement came; the message says what to do."""


def send(host: str, port: int, message: bytes, seconds: float = 10.0) -> tuple[str, str]:
    """(code, text) of MSA, such as ``("AA", "")``.  Raises `SendFailed`."""
    until = time.monotonic() + seconds
    frames = Frames()
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(framed(message))
            while (left := until - time.monotonic()) > 0:
                connection.settimeout(left)
                data = connection.recv(65_536)
                if not data:
                    break
                for answer in frames.feed(data):
                    found = read(answer).first("MSA")
                    if found is not None:
                        return found.text(1), found.text(3)
    except (OSError, MessageInvalid, FrameTooLarge) as error:
        raise SendFailed(
            f"没有收到应答，请检查地址、端口和对方日志。({type(error).__name__}: no answer came.)"
        ) from error
    raise SendFailed("没有收到应答，请稍后重发。(No answer came in time; send it again.)")
