"""The low-bit process reaches nobody."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from pathlib import Path

import serving.engines.bigdl

FOLDER = Path(serving.engines.bigdl.__file__).parent
CODE = """
import socket, sys
from lowbit import offline
offline.enforce()
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
except PermissionError as error:
    print(error)
"""


def test_a_connection_is_refused_before_it_is_made() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted: list[object] = []
        server.settimeout(1)

        def accept() -> None:
            with contextlib.suppress(TimeoutError):
                accepted.append(server.accept())

        waiting = threading.Thread(target=accept)
        waiting.start()
        command = [sys.executable, "-c", CODE, str(server.getsockname()[1])]
        run = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True)
        waiting.join()
    assert "uses no network" in run.stdout
    assert accepted == []
