"""A model that is down, slow or full."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from typing import Any

import pytest

from eval.run.asking import NoAnswer, Patience, Unreachable, ask, each
from serving.engine import (
    Chunk,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    Message,
    Prompt,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
    Usage,
)
from serving.engines.echo import EchoEngine

MESSAGES = (Message("user", "头痛"),)


class Faulty(EchoEngine):
    """Does what each step of a list says before it answers."""

    def __init__(self, *steps: Callable[[], Any]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.asked = 0

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        self.asked += 1
        if self.steps:
            result = self.steps.pop(0)()
            if asyncio.iscoroutine(result):
                await result
            if isinstance(result, Chunk):
                yield result
                return
        async for chunk in super().generate(prompt, sampling, schema):
            yield chunk


def fail(error: Exception) -> Callable[[], None]:
    def step() -> None:
        raise error

    return step


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses are noted instead of waited for."""
    noted: list[float] = []

    async def pause(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr("eval.run.asking.pause", pause)
    return noted


async def test_it_comes_back(pauses: list[float]) -> None:
    engine = Faulty(
        fail(EngineUnavailable("down")),
        fail(EngineError("broken off")),
        lambda: Chunk("半", finish_reason="cancelled", usage=Usage(1, 1)),
    )
    answer, attempts = await ask(engine, MESSAGES, Sampling(), None, Patience())
    assert (answer.text, attempts) == ("头痛", 4)
    assert [0.75 <= p / 2**n <= 1.25 for n, p in enumerate(pauses)] == [True] * 3


async def test_a_full_queue_is_waited_for_as_it_says_and_is_no_try(pauses: list[float]) -> None:
    engine = Faulty(*[fail(EngineBusy(7)) for _ in range(20)])
    answer, attempts = await ask(engine, MESSAGES, Sampling(), None, Patience(attempts=2))
    assert (answer.text, attempts) == ("头痛", 1)
    assert len(pauses) == 20
    assert all(5 <= pause <= 9 for pause in pauses)


async def test_too_many_failures_are_no_answer(pauses: list[float]) -> None:
    engine = Faulty(*[fail(EngineError("broken off")) for _ in range(9)])
    with pytest.raises(NoAnswer, match="failed 3 times") as caught:
        await ask(engine, MESSAGES, Sampling(), None, Patience(attempts=3))
    assert not caught.value.final
    assert engine.asked == 3


@pytest.mark.parametrize("error", [PromptTooLong(9, 5), UnsupportedOption("no grammar")])
async def test_what_can_never_be_answered_is_not_asked_again(
    pauses: list[float], error: Exception
) -> None:
    engine = Faulty(fail(error))
    with pytest.raises(NoAnswer) as caught:
        await ask(engine, MESSAGES, Sampling(), None, Patience())
    assert caught.value.final
    assert engine.asked == 1
    assert not pauses


async def test_a_slow_answer_is_given_up_and_asked_for_again() -> None:
    engine = Faulty(lambda: asyncio.sleep(60))
    patience = Patience(answer_seconds=0.05, first_pause=0.0)
    answer, attempts = await ask(engine, MESSAGES, Sampling(), None, patience)
    assert (answer.text, attempts) == ("头痛", 2)


async def test_a_long_silence_ends_the_run(pauses: list[float]) -> None:
    engine = Faulty(*[fail(EngineUnavailable("down")) for _ in range(9)])
    patience = Patience(silent_seconds=0.0)
    with pytest.raises(Unreachable, match="run the same command again"):
        await ask(engine, MESSAGES, Sampling(), None, patience)


async def test_items_are_worked_on_so_many_at_once_and_taken_one_by_one() -> None:
    taken: list[int] = []
    running = most = 0

    async def work(item: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        assert len(taken) <= item + 3
        await asyncio.sleep(0)
        running -= 1

    def items() -> Iterator[int]:
        for number in range(9):
            taken.append(number)
            yield number

    await each(items(), work, 3)
    assert taken == list(range(9))
    assert (running, most) == (0, 3)


async def test_the_first_error_ends_the_work() -> None:
    done: list[int] = []

    async def work(item: int) -> None:
        if item == 2:
            raise Unreachable("gone")
        done.append(item)

    with pytest.raises(Unreachable, match="gone"):
        await each(range(9), work, 1)
    assert done == [0, 1]
