"""Files are parsed in a process of their own, which may neither read others nor reach the network.

A small server, started once, has the libraries loaded; for each file it forks a child that confines
itself (`serving.ocr.confinement`), parses, and sends pages back as plain bytes: a header as JSON,
then pixels.  Whatever a file makes of that child, it has nothing to read and nowhere to send.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from serving.ocr.line import TextLine
from serving.ocr.opening import pages_of, prepare
from serving.ocr.raw_page import MOST_PAGES, WORKING_SIDE, RawPage
from serving.ocr.refusal import PageRefused

MOST_BYTES = 200 << 20
_MEMORY = 3 << 30
_PROCESSOR_SECONDS = 60
_WAIT_SECONDS = 60.0
_LARGEST_HEADER = 16 << 20
_FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_LENGTH = struct.Struct("!Q")


class _Server:
    """The parent's end: one process, asked again for each file."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket = ours
        self._asking = threading.Lock()
        root = str(Path(__file__).resolve().parents[2])
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)]),
            "OMP_NUM_THREADS": "1",
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "serving.ocr.opening_process", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=environment,
                stdin=subprocess.DEVNULL,
                cwd="/",
            )

    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self) -> socket.socket:
        """A connection to a fresh child."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs, self._asking:
            socket.send_fds(self._socket, [b"f"], [theirs.fileno()])
        return ours


_starting = threading.Lock()
_servers: dict[int, _Server] = {}


def _server() -> _Server:
    # By process: a forked worker must not share its parent's connection.
    with _starting:
        server = _servers.get(os.getpid())
        if server is None or not server.alive():
            _servers.clear()
            server = _servers[os.getpid()] = _Server()
        return server


def opened(content: bytes) -> Iterator[RawPage]:
    """The pages of a file, one after another, parsed by a confined process.

    Raises:
        PageRefused: the file cannot or must not be opened.
    """
    if len(content) > MOST_BYTES:
        raise PageRefused(
            "too_large",
            f"文件超过 {MOST_BYTES >> 20} MB，请缩小或分开后上传。"
            f"(The file is larger than {MOST_BYTES >> 20} MB; make it smaller or split it.)",
        )
    connection = _server().ask()
    with connection:
        connection.settimeout(_WAIT_SECONDS)
        try:
            sender = threading.Thread(target=_send, args=(connection, content), daemon=True)
            sender.start()
            for _ in range(MOST_PAGES + 1):
                header = _header(connection)
                if "code" in header:
                    raise PageRefused(str(header["code"]), str(header["message"]))
                if "number" not in header:
                    return
                yield _received(connection, header)
        except TimeoutError:
            raise _gave_up("time", "打开文件用时太长") from None
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            raise _gave_up("crashed", "打开文件时出错或所需资源太多") from None


def _gave_up(code: str, reason: str) -> PageRefused:
    return PageRefused(
        code,
        f"{reason}，请缩小、转成图片或重新导出后上传。"
        "(Opening the file took too much or failed; make it smaller or export it again.)",
    )


def _send(connection: socket.socket, content: bytes) -> None:
    # A child that has refused reads no further.
    with suppress(OSError):
        connection.sendall(_LENGTH.pack(len(content)))
        connection.sendall(content)


def _header(connection: socket.socket) -> dict[str, Any]:
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > _LARGEST_HEADER:
        raise ValueError
    value = json.loads(_exactly(connection, length))
    if not isinstance(value, dict):
        raise ValueError
    return value


def _received(connection: socket.socket, header: dict[str, Any]) -> RawPage:
    height, width = int(header["height"]), int(header["width"])
    if not (0 < height <= WORKING_SIDE and 0 < width <= WORKING_SIDE):
        raise ValueError
    pixels = np.frombuffer(_exactly(connection, height * width * 3), np.uint8)
    lines = None
    if header["lines"] is not None:
        lines = [_text_line(*line) for line in header["lines"]]
    return RawPage(
        int(header["number"]),
        pixels.reshape(height, width, 3),
        (int(header["size"][0]), int(header["size"][1])),
        np.array(header["back"], np.float64).reshape(3, 3),
        lines,
        bool(header["blank"]),
    )


def _text_line(text: str, corners: list[list[float]], ends: list[float]) -> TextLine:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return TextLine(str(text), (a, b, c, d), 1.0, tuple(float(end) for end in ends))


def _exactly(connection: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    view, got = memoryview(data), 0
    while got < count:
        read = connection.recv_into(view[got:])
        if not read:
            raise EOFError
        got += read
    return data


def serve(control: socket.socket) -> None:
    """Fork a child for every connection that comes over ``control``, until it closes."""
    prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        for file in files:
            if os.fork() == 0:
                control.close()
                status = 1
                with suppress(BaseException):
                    _parse(socket.socket(fileno=file))
                    status = 0
                os._exit(status)
            os.close(file)


def _parse(connection: socket.socket) -> None:
    from serving.ocr.confinement import confine

    # A parser may write to standard error what it met in the file.
    quiet = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(quiet, number)
    libraries = [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parent]
    confine([*libraries, *_FONTS], _MEMORY, _PROCESSOR_SECONDS)
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    content = bytes(_exactly(connection, min(length, MOST_BYTES)))
    # A plain write: calls that send are denied by now.
    with open(connection.detach(), "wb") as out:
        try:
            for page in pages_of(content):
                _tell(out, _described(page))
                out.write(np.ascontiguousarray(page.image).data)
                out.flush()
            _tell(out, {})
        except PageRefused as refused:
            _tell(out, {"code": refused.code, "message": refused.message})


def _described(page: RawPage) -> dict[str, Any]:
    lines = page.text_lines
    return {
        "number": page.number,
        "height": page.image.shape[0],
        "width": page.image.shape[1],
        "size": page.original_size,
        "back": page.back.ravel().tolist(),
        "blank": page.blank,
        "lines": lines and [(line.text, line.corners, line.ends) for line in lines],
    }


def _tell(out: IO[bytes], header: dict[str, Any]) -> None:
    data = json.dumps(header).encode()
    out.write(_LENGTH.pack(len(data)) + data)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
