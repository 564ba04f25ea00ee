"""A child process that speaks lines, however it ends."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from pathlib import Path

import pytest

from serving.engine import EngineError, EngineUnavailable
from serving.engines.line_process import Answer, LastingProcess, LineProcess, ProcessDied

READY = "import sys; print('{\"ready\": {}}', flush=True); sys.stdin.readline(); "


def child(code: str) -> LineProcess:
    return LineProcess([sys.executable, "-c", code])


def first_answer(process: LineProcess) -> Answer | EngineError:
    arrived: queue.Queue[Answer | EngineError] = queue.Queue()
    process.ask(1, {}, arrived.put)
    return arrived.get(timeout=60)


def test_half_a_line_ends_what_waits() -> None:
    process = child(READY + "print('{\"id\": 1, \"chu', end='', flush=True)")
    answer = first_answer(process)
    assert isinstance(answer, EngineError)
    assert "send the request again" in str(answer)
    process.close()
    assert not process.alive


def test_a_question_to_a_dead_process_is_answered() -> None:
    process = child(READY)
    assert isinstance(first_answer(process), EngineError)
    assert isinstance(first_answer(process), EngineError)
    process.close()


def test_nobody_waits_for_a_child_that_does_not_read() -> None:
    process = child("print('{\"ready\": {}}', flush=True); import time; time.sleep(300)")

    def ask_and_leave() -> None:
        process.ask(1, {"prompt": "x" * 1_000_000}, lambda answer: None)
        process.cancel(1)

    caller = threading.Thread(target=ask_and_leave, daemon=True)
    caller.start()
    caller.join(60)
    os.kill(process.pid, signal.SIGKILL)
    assert not caller.is_alive()
    process.close()


def test_progress_comes_before_ready() -> None:
    told: list[object] = []
    code = 'print(\'{"progress": {"done": 1}}\'); print(\'{"ready": {"card": 2}}\', flush=True)'
    process = LineProcess([sys.executable, "-c", code], progress=told.append)
    assert (told, process.ready) == ([{"done": 1}], {"card": 2})
    process.close()


def test_a_process_that_cannot_start_or_dies_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be started"):
        LineProcess([str(tmp_path / "none")])
    with pytest.raises(ProcessDied, match="status 3"):
        child("raise SystemExit(3)")


def test_one_that_dies_again_and_again_is_left_dead() -> None:
    lasting = LastingProcess(lambda: child(READY))
    for _ in range(3):
        assert isinstance(first_answer(lasting.running()), EngineError)
    with pytest.raises(EngineUnavailable, match="died 3 times"):
        lasting.running()
    lasting.close()
