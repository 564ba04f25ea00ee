"""Several servers of one model: who is asked, and what happens when one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine import (
    Chunk,
    Engine,
    EngineBusy,
    EngineLost,
    EngineUnavailable,
    Message,
    ModelCard,
    Prompt,
    Sampling,
    UnsupportedOption,
    Usage,
    complete,
)
from serving.engines import replicas
from serving.engines.replicas import ReplicatedEngine, affinity


class Server(Engine):
    """Answers with its name, or fails as it is told, before or after the first words."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0
        self.fails: Exception | None = None
        self.fails_later = False
        self.hold: asyncio.Event | None = None

    @property
    def card(self) -> ModelCard:
        return ModelCard(name="m", source="test", context_length=100)

    def count_tokens(self, text: str) -> int:
        return len(text)

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        self.asked += 1
        if self.fails is not None and not self.fails_later:
            raise self.fails
        yield Chunk(self.name)
        if self.hold is not None:
            await self.hold.wait()
        if self.fails is not None:
            raise self.fails
        yield Chunk("", finish_reason="stop", usage=Usage(1, 1))


@pytest.fixture
def servers() -> dict[str, Server]:
    return {name: Server(name) for name in ("a", "b", "c")}


async def asked(engine: Engine, key: str) -> str:
    affinity.set(key)
    return (await complete(engine, [Message("user", "?")])).text


async def home_of(engine: Engine, name: str) -> str:
    """A key whose requests go to the server ``name``."""
    for number in range(1000):
        if await asked(engine, f"stay-{number}") == name:
            return f"stay-{number}"
    raise AssertionError(name)


async def test_a_stay_stays_where_its_record_was_read(servers: dict[str, Server]) -> None:
    engine = ReplicatedEngine(servers)
    first = [await asked(engine, f"stay-{n}") for n in range(60)]
    assert [await asked(engine, f"stay-{n}") for n in range(60)] == first
    assert min(first.count(name) for name in servers) >= 8
    assert engine.card.details["replicas"] == "3"


async def test_only_the_keys_of_a_drained_server_move(servers: dict[str, Server]) -> None:
    engine = ReplicatedEngine(servers)
    before = [await asked(engine, f"stay-{n}") for n in range(60)]
    engine.drain("b", True)
    after = [await asked(engine, f"stay-{n}") for n in range(60)]
    assert "b" not in after
    assert all(x == y for x, y in zip(before, after, strict=True) if x != "b")
    engine.drain("b", False)
    assert [await asked(engine, f"stay-{n}") for n in range(60)] == before
    for name in servers:
        engine.drain(name, True)
    with pytest.raises(EngineUnavailable, match="drained"):
        await asked(engine, "stay-1")
    with pytest.raises(KeyError):
        engine.drain("z", True)


async def test_turns_of_a_conversation_share_a_server(servers: dict[str, Server]) -> None:
    affinity.set("")
    engine = ReplicatedEngine(servers)
    for number in range(20):
        turns = [Message("system", "s"), Message("user", f"question {number}")]
        longer = [*turns, Message("assistant", "answer"), Message("user", "and then?")]
        first, second = await complete(engine, turns), await complete(engine, longer)
        assert first.text == second.text


async def test_a_server_that_is_gone_is_passed_over_and_comes_back(
    servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(replicas, "LONGEST_SECONDS", 0.02)
    engine = ReplicatedEngine(servers)
    key = await home_of(engine, "a")
    servers["a"].fails = EngineUnavailable("gone")
    assert await asked(engine, key) in "bc"
    assert engine.replicas[0].state == "down"
    servers["a"].fails = None
    async with asyncio.timeout(10):
        while engine.replicas[0].state == "down":
            await asyncio.sleep(0.01)
    assert await asked(engine, key) == "a"
    for server in servers.values():
        server.fails = EngineUnavailable(f"{server.name} is gone")
    with pytest.raises(EngineUnavailable, match="is gone"):
        await asked(engine, key)
    await engine.close()


async def test_lost_in_the_middle_is_said_and_the_next_goes_elsewhere(
    servers: dict[str, Server],
) -> None:
    engine = ReplicatedEngine(servers)
    key = await home_of(engine, "a")
    servers["a"].fails, servers["a"].fails_later = EngineUnavailable("gone"), True
    with pytest.raises(EngineLost):
        await asked(engine, key)
    assert await asked(engine, key) in "bc"
    await engine.close()


async def test_a_full_server_spills_to_the_least_loaded(servers: dict[str, Server]) -> None:
    engine = ReplicatedEngine(servers, spill_at=2)
    key = await home_of(engine, "a")
    for server in servers.values():
        server.hold = asyncio.Event()
    at = [server.asked for server in servers.values()]
    running = [asyncio.create_task(asked(engine, key)) for _ in range(4)]
    while sum(one.running for one in engine.replicas) < 4:
        await asyncio.sleep(0)
    assert [s.asked - n for s, n in zip(servers.values(), at, strict=True)] == [2, 1, 1]
    for server in servers.values():
        assert server.hold is not None
        server.hold.set()
    await asyncio.gather(*running)
    assert [one.running for one in engine.replicas] == [0, 0, 0]


async def test_busy_everywhere_tells_the_shortest_wait(servers: dict[str, Server]) -> None:
    engine = ReplicatedEngine(servers)
    for wait, server in enumerate(servers.values(), 3):
        server.fails = EngineBusy(wait)
    with pytest.raises(EngineBusy) as refused:
        await asked(engine, "stay-1")
    assert refused.value.retry_after == 3
    assert all(one.state == "ready" for one in engine.replicas), "full is not down"


async def test_a_refusal_is_not_tried_elsewhere(servers: dict[str, Server]) -> None:
    engine = ReplicatedEngine(servers)
    key = await home_of(engine, "a")
    before = servers["b"].asked + servers["c"].asked
    servers["a"].fails = UnsupportedOption("no")
    with pytest.raises(UnsupportedOption):
        await asked(engine, key)
    assert servers["b"].asked + servers["c"].asked == before


@given(st.text(max_size=30), st.sets(st.text(min_size=1, max_size=8), min_size=2, max_size=6))
def test_taking_a_server_away_moves_no_other_key(key: str, names: set[str]) -> None:
    def ranked(of: set[str]) -> list[str]:
        engine = ReplicatedEngine({name: Server(name) for name in sorted(of)})
        return [one.name for one in engine._order(key)]

    order = ranked(names)
    for name in names:
        assert ranked(names - {name}) == [one for one in order if one != name]
