"""A measured model in a process of its own, asked by JSON lines (`bench.peers.loop`)."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


class PeerFailed(Exception):
    """A process answered with an error, or died; the message ends with what it last wrote."""


def _own_environment() -> dict[str, str]:
    """This process's, but for packages that are not of the peer's environment."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


class PeerProcess:
    """One process; ``python`` is the interpreter of the peer's own environment."""

    def __init__(self, python: Path, module: str) -> None:
        self._log = tempfile.TemporaryFile(  # noqa: SIM115
            "w+", encoding="utf-8", errors="replace"
        )
        self._child = subprocess.Popen(
            [str(python), "-m", f"bench.peers.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env=_own_environment(),
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send one request and wait for the answer.

        Raises:
            PeerFailed: see there.
        """
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self._child.stdin.flush()
            line = self._child.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer: dict[str, Any] = json.loads(line) if line else {}
        if not answer or "error" in answer:
            self._log.seek(0)
            reason = answer.get("error", f"ended with {self._child.poll()}")
            raise PeerFailed(f"{reason}\n{self._log.read()[-1500:]}")
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.close()
