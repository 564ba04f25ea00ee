"""One model on several servers or processes, as one engine.

Which of them is asked follows from a key by rendezvous hashing (Thaler and Ravishankar 1998): all
requests of one stay go to the same replica, whose prefix cache holds its record, and when a
replica is gone only its own keys move.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal

from serving.engine import (
    Chunk,
    Engine,
    EngineBusy,
    EngineError,
    EngineLost,
    EngineUnavailable,
    Message,
    ModelCard,
    Prompt,
    Sampling,
    complete,
)

affinity: ContextVar[str] = ContextVar("affinity", default="")
"""What a request belongs to, such as an encounter; requests with the same share a replica."""

State = Literal["ready", "draining", "down"]
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0
"""Between two tries of a replica that is down: the first, doubled up to the longest."""

_OPENING = 2_000
"""Characters at the beginning of a conversation that stand for it where no affinity is given."""


@dataclass
class Replica:
    """One of the servers.  ``running``: requests that it is at."""

    name: str
    engine: Engine
    running: int = 0
    draining: bool = False
    failures: int = 0
    down_until: float = 0.0
    reviving: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def state(self) -> State:
        """Whether it is asked."""
        if self.failures:
            return "down"
        return "draining" if self.draining else "ready"

    def rest(self) -> None:
        """It failed once more: leave it alone for a while."""
        self.failures += 1
        wait = min(FIRST_SECONDS * 2 ** min(self.failures - 1, 10), LONGEST_SECONDS)
        self.down_until = time.monotonic() + wait


class ReplicatedEngine(Engine):
    """Asks one of several engines that serve the same model."""

    def __init__(self, engines: Mapping[str, Engine], *, spill_at: int = 8) -> None:
        """``engines`` by name.  ``spill_at``: requests that a replica is at before a further one
        goes to whichever has the fewest.

        Raises:
            ValueError: there is none.
        """
        if not engines:
            raise ValueError("a replicated engine needs at least one engine")
        self.replicas = tuple(Replica(name, engine) for name, engine in engines.items())
        self._spill_at = spill_at

    @property
    def card(self) -> ModelCard:
        """See `Engine.card`."""
        card = self.replicas[0].engine.card
        return replace(card, details={**card.details, "replicas": str(len(self.replicas))})

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return self.replicas[0].engine.count_tokens(text)

    def drain(self, name: str, draining: bool) -> None:
        """Give a replica no further requests (what it is at goes on), or give it some again.

        Raises:
            KeyError: there is no replica of this name.
        """
        {one.name: one for one in self.replicas}[name].draining = draining

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """See `Engine.generate`; a replica that cannot be reached is passed over for the next.

        Raises:
            EngineLost: it was lost after it had begun to answer.
        """
        problem: EngineError = EngineUnavailable("Every replica of this model is being drained.")
        for one in self._order(affinity.get() or _opening(prompt)):
            begun = ended = False
            one.running += 1
            try:
                async with aclosing(one.engine.generate(prompt, sampling, schema)) as stream:
                    async for chunk in stream:
                        begun = True
                        if chunk.finish_reason is not None:
                            # Whoever listens may leave the rest of this generator to the collector.
                            ended = True
                            one.running -= 1
                            one.failures = 0
                        yield chunk
                return
            except EngineBusy as busy:
                problem = _sooner(problem, busy)
            except EngineUnavailable as error:
                self._lost(one)
                if begun:
                    raise EngineLost(str(error)) from error
                problem = problem if isinstance(problem, EngineBusy) else error
            finally:
                one.running -= not ended
        raise problem

    async def close(self) -> None:
        """See `Engine.close`."""
        for one in self.replicas:
            if one.reviving is not None:
                one.reviving.cancel()
        await asyncio.gather(*(one.engine.close() for one in self.replicas))

    def _order(self, key: str) -> Iterator[Replica]:
        """The replicas to try: by weight of the key, the least loaded before a full one.

        Where all are down they are tried all the same, so that an error tells the cause.
        """
        now = time.monotonic()
        asked = [one for one in self.replicas if not one.draining]
        up = [one for one in asked if not one.failures or one.down_until <= now]
        ranked = sorted(up or asked, key=lambda one: _weight(key, one.name), reverse=True)
        if ranked and ranked[0].running >= self._spill_at:
            least = min(ranked, key=lambda one: one.running)
            if least.running < ranked[0].running:
                ranked.remove(least)
                ranked.insert(0, least)
        # One that is tried for the first time since it was down comes after those that answer.
        ranked.sort(key=lambda one: one.failures > 0)
        return iter(ranked)

    def _lost(self, one: Replica) -> None:
        """Leave a replica alone for a while, and see behind the scenes when it is back."""
        one.rest()
        if one.reviving is None or one.reviving.done():
            one.reviving = asyncio.get_running_loop().create_task(_revive(one))


async def _revive(one: Replica) -> None:
    """Ask a replica that is down for a token, again and again, until it gives one."""
    while one.failures:
        await asyncio.sleep(max(0.0, one.down_until - time.monotonic()))
        try:
            await complete(one.engine, [Message("user", "你好")], Sampling(max_tokens=1))
        except EngineError:
            one.rest()
        else:
            one.failures = 0


def _weight(key: str, name: str) -> bytes:
    return blake2b(f"{key}\0{name}".encode(errors="replace"), digest_size=8).digest()


def _opening(prompt: Prompt) -> str:
    """How a prompt begins: the turns of one conversation share it."""
    if isinstance(prompt, str):
        return prompt[:_OPENING]
    turns: Sequence[Message] = prompt
    return "\0".join(turn.content[:_OPENING] for turn in turns[:2])


def _sooner(problem: EngineError, busy: EngineBusy) -> EngineBusy:
    """Of two full replicas the one that has room first."""
    if isinstance(problem, EngineBusy) and problem.retry_after <= busy.retry_after:
        return problem
    return busy
