"""The model in a process of its own behaves as in this one, and its death is survived."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from serving.engine import (
    EngineBusy,
    EngineError,
    EngineUnavailable,
    Message,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
    complete,
)
from serving.engines.line_process import error_as_data, error_from_data
from serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from serving.engines.openvino.worker_engine import WorkerEngine

HELLO = [Message("user", "你好")]


@pytest_asyncio.fixture
async def worker(tiny_folder: Path) -> AsyncIterator[WorkerEngine]:
    engine = WorkerEngine(tiny_folder)
    yield engine
    await engine.close()


async def test_it_answers_as_the_engine_does(
    worker: WorkerEngine, tiny_engine: OpenVinoEngine
) -> None:
    sampling = Sampling(max_tokens=30, logprobs=True)
    ours = await complete(worker, HELLO, sampling)
    theirs = await complete(tiny_engine, HELLO, sampling)
    assert (ours.text, ours.finish_reason) == (theirs.text, theirs.finish_reason)
    assert [p.token for p in ours.logprobs] == [p.token for p in theirs.logprobs]
    assert ours.usage.prompt_tokens == theirs.usage.prompt_tokens
    assert worker.card == tiny_engine.card
    assert worker.count_tokens("咳嗽3天") == tiny_engine.count_tokens("咳嗽3天")


async def test_it_keeps_to_its_processors_and_its_context(tiny_folder: Path) -> None:
    core = min(os.sched_getaffinity(0))
    engine = WorkerEngine(tiny_folder, OpenVinoOptions(cores=(core,), context_length=40))
    assert psutil.Process(engine.pid).cpu_affinity() == [core]
    assert engine.card.context_length == 40
    with pytest.raises(PromptTooLong) as caught:
        await complete(engine, "咳嗽" * 20, Sampling(max_tokens=8))
    assert caught.value.limit == 32
    assert (await complete(engine, "咳", Sampling(max_tokens=8))).text is not None
    await engine.close()


async def test_errors_cross_the_border(worker: WorkerEngine) -> None:
    with pytest.raises(PromptTooLong):
        await complete(worker, "咳" * 200_000)
    with pytest.raises(UnsupportedOption):
        await complete(worker, "")


@pytest.mark.parametrize(
    "error",
    [EngineBusy(7), PromptTooLong(5, 3), UnsupportedOption("no"), EngineUnavailable("gone")],
)
def test_an_error_is_the_same_on_the_other_side(error: EngineError) -> None:
    again = error_from_data(error_as_data(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


async def test_closing_the_iterator_frees_the_place(tiny_folder: Path) -> None:
    engine = WorkerEngine(tiny_folder, OpenVinoOptions(max_num_seqs=1, queue_limit=0))
    try:
        stream = engine.generate(HELLO, Sampling(max_tokens=4000))
        await anext(stream)
        with pytest.raises(EngineBusy):
            await complete(engine, HELLO, Sampling(max_tokens=2))
        await stream.aclose()
        async with asyncio.timeout(30):
            while True:
                try:
                    await complete(engine, HELLO, Sampling(max_tokens=2))
                    break
                except EngineBusy:
                    await asyncio.sleep(0.02)
    finally:
        await engine.close()


async def test_a_killed_worker_ends_its_requests_and_is_started_again(
    worker: WorkerEngine,
) -> None:
    stream = worker.generate(HELLO, Sampling(max_tokens=4000))
    await anext(stream)
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="send the request again"):
        async for _ in stream:
            pass
    assert (await complete(worker, HELLO, Sampling(max_tokens=3))).usage.new_tokens == 3


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable):
        WorkerEngine(tmp_path)


def test_the_worker_ends_with_its_parent_however_that_ends(tiny_folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path;"
        "from serving.engines.openvino.worker_engine import WorkerEngine;"
        "e = WorkerEngine(Path(sys.argv[1])); print(e.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tiny_folder)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 30
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.05)
