"""Asks a model every request that is not answered yet, several at once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from eval.run.asking import NoAnswer, Patience, ask, each
from eval.run.cache import Cache
from eval.run.journal import Journal
from eval.run.progress import Counts, ProgressLine
from eval.run.request import Request
from serving.engine import Completion, Engine


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``problems`` are the samples without an answer and why."""

    counts: Counts
    problems: dict[str, str]


@dataclass(slots=True)
class Executor:
    """Keeps ``parallel`` requests under way, so that the engine's batch stays full."""

    engine: Engine
    model: str
    journal: Journal
    cache: Cache | None
    patience: Patience
    parallel: int

    async def run(self, requests: Iterable[Request], total: int, *, quiet: bool = False) -> Outcome:
        """Answer ``requests``; each answer is in the journal before the next is asked.

        Raises:
            Unreachable: the model is gone; what was answered is kept.
        """
        counts = Counts(total)
        problems: dict[str, str] = {}
        with ProgressLine(counts, quiet=quiet) as line:

            async def work(request: Request) -> None:
                await self._one(request, counts, problems)
                line.changed()

            await each(requests, work, self.parallel)
        return Outcome(counts, problems)

    async def _one(self, request: Request, counts: Counts, problems: dict[str, str]) -> None:
        earlier = self.journal.answered.get(request.sample.sample_id)
        if earlier is not None:
            counts.earlier += 1
            if "failed" in earlier:
                problems[request.sample.sample_id] = str(earlier["failed"])
            return
        key = request.key(self.model)
        kept = self.cache.get(key) if self.cache else None
        if kept is not None:
            self.journal.append(_row(request, key, kept, from_cache=True))
            counts.cached += 1
            return
        started = time.perf_counter()
        try:
            answer, attempts = await ask(
                self.engine, request.messages, request.sampling, request.schema, self.patience
            )
        except NoAnswer as error:
            problems[request.sample.sample_id] = str(error)
            counts.failed += 1
            if error.final:
                self.journal.append(_failure(request, str(error)))
            return
        seconds = time.perf_counter() - started
        if self.cache and _repeatable(request):
            self.cache.put(key, answer)
        self.journal.append(_row(request, key, answer, attempts=attempts, seconds=seconds))
        counts.answered += 1
        counts.tokens += answer.usage.new_tokens


def _repeatable(request: Request) -> bool:
    return request.sampling.temperature == 0 or request.sampling.seed is not None


def _row(
    request: Request,
    key: str,
    answer: Completion,
    *,
    attempts: int = 1,
    seconds: float = 0.0,
    from_cache: bool = False,
) -> dict[str, Any]:
    """A sample with the model's text as its target, and beside it what the answer cost."""
    return request.sample.to_json() | {
        "target": answer.text,
        "finish_reason": answer.finish_reason,
        "usage": {name: _rounded(value) for name, value in asdict(answer.usage).items()},
        "seconds": round(seconds, 4),
        "attempts": attempts,
        "from_cache": from_cache,
        "shots": list(request.shots),
        "constrained": request.schema is not None,
        "key": key,
    }


def _rounded(value: float) -> float:
    return round(value, 5) if isinstance(value, float) else value


def _failure(request: Request, problem: str) -> dict[str, Any]:
    sample = request.sample
    return {
        "sample_id": sample.sample_id,
        "task_dataset": sample.task_dataset,
        "failed": problem,
    }
