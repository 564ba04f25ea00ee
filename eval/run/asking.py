"""Asking again where the model is down, slow or full, without taking a failure for an answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from eval.errors import EvalError
from serving.engine import (
    Completion,
    Engine,
    EngineBusy,
    EngineError,
    Message,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
    complete,
)

_LONGEST_PAUSE = 60.0
T = TypeVar("T")


class NoAnswer(Exception):
    """There is no answer; the message says why.  ``final``: asking again would not help."""

    def __init__(self, problem: str, *, final: bool) -> None:
        super().__init__(problem)
        self.final = final


class Unreachable(EvalError):
    """Nothing has been answered for as long as the run waits."""


@dataclass(slots=True)
class Patience:
    """How long to wait: seconds for one answer, seconds without any answer, tries a sample."""

    answer_seconds: float = 900.0
    silent_seconds: float = 1800.0
    attempts: int = 8
    first_pause: float = 1.0
    last_answer: float = 0.0

    def __post_init__(self) -> None:
        self.last_answer = time.monotonic()

    def answered(self) -> None:
        """Something was answered: the model is there."""
        self.last_answer = time.monotonic()

    def check(self, problem: str) -> None:
        """Raise `Unreachable` when the silence has been too long."""
        silence = time.monotonic() - self.last_answer
        if silence > self.silent_seconds:
            raise Unreachable(
                f"The model has answered nothing for {silence:.0f} s ({problem}). What was "
                "answered is kept: run the same command again to go on."
            )


async def ask(
    engine: Engine,
    messages: tuple[Message, ...],
    sampling: Sampling,
    schema: Mapping[str, Any] | None,
    patience: Patience,
) -> tuple[Completion, int]:
    """The engine's answer and the tries that it took.  Raises what `insist` raises."""

    async def work() -> Completion:
        answer = await complete(engine, messages, sampling, schema)
        if answer.finish_reason == "cancelled":
            raise EngineError("the answer was broken off")
        if answer.finish_reason == "content_filter":
            raise UnsupportedOption("a filter of the server cut the answer")
        return answer

    return await insist(work, patience)


async def insist(work: Callable[[], Awaitable[T]], patience: Patience) -> tuple[T, int]:
    """What ``work`` gives, and the tries that it took.

    A full queue is no failed try; other failures of the engine pause twice as long each time.

    Raises:
        NoAnswer: the request cannot be answered, or failed as often as it may.
        Unreachable: see `Patience`.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            async with asyncio.timeout(patience.answer_seconds):
                answer = await work()
            patience.answered()
            return answer, attempt
        except PromptTooLong as error:
            raise NoAnswer(f"prompt too long: {error}", final=True) from error
        except UnsupportedOption as error:
            raise NoAnswer(f"refused: {error}", final=True) from error
        except EngineBusy as error:
            patience.check("its queue is full")
            attempt -= 1
            await pause(_spread(min(error.retry_after, _LONGEST_PAUSE)))
            continue
        except TimeoutError:
            problem = f"no answer within {patience.answer_seconds:.0f} s"
        except EngineError as error:
            problem = str(error)
        patience.check(problem)
        if attempt >= patience.attempts:
            raise NoAnswer(f"failed {attempt} times: {problem}", final=False)
        seconds = patience.first_pause * 2 ** (attempt - 1)
        await pause(_spread(min(seconds, _LONGEST_PAUSE)))


async def pause(seconds: float) -> None:
    """Wait before the next try."""
    await asyncio.sleep(seconds)


def _spread(seconds: float) -> float:
    """A little earlier or later, so that requests that failed together do not return together."""
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], parallel: int) -> None:
    """Do ``work`` on every item, ``parallel`` of them under way at once; the first error ends it.

    Items are taken one by one, as there is room for them.
    """
    waiting = iter(items)

    async def one_after_another() -> None:
        for item in waiting:
            await work(item)
            # The echo engine and the cache answer without ever giving way.
            await asyncio.sleep(0)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, parallel)):
                group.create_task(one_after_another())
    except ExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
