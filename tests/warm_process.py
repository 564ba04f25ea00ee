"""Processes of the program that need not import it: each is forked from one that has.

A start of the program takes seconds of a processor for imports alone, the same ones each time. What
a process does after them is as ever: it has its own environment, arguments, streams, threads and
exit status. Tests of the imports themselves, and of a kill, start an interpreter of their own.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROOT = Path(__file__).parent.parent
# No module of `assistant.commands`: consoles are made there, by what the environment says.
IMPORTED = ["assistant.application", "assistant.ui.page"]
PATIENCE = 300.0
"""Seconds that a command may take on a busy machine; nothing is measured by it."""
_context = multiprocessing.get_context("forkserver")


def bedside(
    environment: Mapping[str, str], *arguments: object, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """What ``bedside ARGUMENTS`` did and said."""
    return run(["-m", "assistant.cli", *map(str, arguments)], environment, stdin)


def run(
    arguments: list[str], environment: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """What ``python ARGUMENTS`` did and said; raises `TimeoutExpired` after five minutes."""
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin, encoding="utf-8")
        process = start(arguments, environment, streams)
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, PATIENCE)
        said = [stream.read_text(encoding="utf-8") for stream in streams[1:]]
        return subprocess.CompletedProcess(arguments, process.exitcode, *said)


def start(
    arguments: list[str], environment: Mapping[str, str], streams: list[Path] | None = None
) -> ForkServerProcess:
    """``python ARGUMENTS`` (``-m MODULE …`` or ``-c CODE``) in the folder of the project.

    ``streams`` are the files of its standard input, output and error; without them it reads nothing
    and its output goes nowhere, but for its errors.
    """
    _context.set_forkserver_preload(IMPORTED)
    with contextlib.chdir(ROOT):
        forkserver.ensure_running()
    process = _context.Process(
        target=_run, args=(arguments, dict(environment), streams), daemon=True
    )
    process.start()
    return process


def _run(arguments: list[str], environment: Mapping[str, str], streams: list[Path] | None) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    # A daemon could have no children, and these are programs of their own.
    multiprocessing.current_process().daemon = False
    _attach(streams or [Path(os.devnull), Path(os.devnull)])
    kind, what, *rest = arguments
    sys.argv = [what if kind == "-m" else kind, *rest]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        # As `python -c` does with it: the program is the test's own.
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


def _attach(streams: list[Path]) -> None:
    """The files as standard input, output and, if there are three, error."""
    for number, path in enumerate(streams):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), encoding="utf-8", line_buffering=True
    )
