"""Thoughts that are closed after so many tokens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tiny_gguf

from serving.engine import Chunk, Message, Sampling, Usage, complete
from serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from serving.ir.convert import convert
from serving.reasoning import closing_of_open_thought
from serving.thinking_budget import within_budget

OPENED = tiny_gguf.TEMPLATE.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("budget")
    convert(tiny_gguf.write(place / "tiny.gguf", template=OPENED), place / "tiny")
    return place / "tiny"


@pytest.fixture(scope="module")
def thinker(folder: Path) -> Iterator[OpenVinoEngine]:
    engine = OpenVinoEngine(folder)
    yield engine
    engine._loop.close()


async def test_a_model_that_would_think_for_ever_answers(thinker: OpenVinoEngine) -> None:
    asked = [Message("user", "你好")]
    endless = await complete(thinker, asked, Sampling(max_tokens=24))
    assert endless.reasoning
    assert endless.text == ""
    told = await complete(thinker, asked, Sampling(max_tokens=24, reasoning_budget=6))
    assert told.text
    assert endless.reasoning.startswith(told.reasoning.rstrip()[:2])
    assert len(told.reasoning) < len(endless.reasoning)
    # The tokens of both parts count, and the limit of the answer holds for them together.
    assert told.usage.new_tokens <= 24


async def test_the_budget_of_an_engine_holds_where_a_request_names_none(folder: Path) -> None:
    engine = OpenVinoEngine(folder, OpenVinoOptions(reasoning_budget=6))
    try:
        told = await complete(engine, [Message("user", "你好")], Sampling(max_tokens=24))
        assert told.text
        assert told.reasoning
    finally:
        await engine.close()


class Written:
    """Writes what it is given, a word a chunk, and remembers its prompts."""

    def __init__(self, *texts: list[str]) -> None:
        self.texts = list(texts)
        self.prompts: list[str] = []

    async def __call__(
        self, text: str, sampling: Sampling, schema: Mapping[str, Any] | None
    ) -> AsyncGenerator[Chunk]:
        self.prompts.append(text)
        words = self.texts.pop(0)
        for word in words:
            yield Chunk(word, (1,))
        yield Chunk("", finish_reason="stop", usage=Usage(10, len(words)))


async def joined(stream: AsyncGenerator[Chunk]) -> str:
    return "".join([chunk.text async for chunk in stream])


async def test_a_short_thought_is_left_alone() -> None:
    written = Written(["<think>", "a", "</think>", "b", "c", "d", "e"])
    assert await joined(within_budget(written, "P", Sampling(), 4)) == "<think>a</think>bcde"
    assert written.prompts == ["P"]


async def test_a_long_one_is_closed_and_the_model_goes_on_behind_it() -> None:
    written = Written(["<think>", "a", "b", "c", "d"], ["x", "y"])
    said = await joined(within_budget(written, "P", Sampling(), 3))
    assert said == "<think>ab\n</think>\n\nxy"
    assert written.prompts == ["P", "P<think>ab\n</think>\n\n"]


@pytest.mark.parametrize(
    ("prompt", "text", "closing"),
    [
        ("P<think>\n", "a", "</think>"),
        ("P", "<think>a", "</think>"),
        ("P", "<thinking>a </think> b", "</thinking>"),
        ("P<think>\n", "a</think>b", ""),
        ("P <think> x", "a", ""),
        ("P", "a", ""),
    ],
)
def test_the_tag_that_closes_a_thought(prompt: str, text: str, closing: str) -> None:
    assert closing_of_open_thought(prompt, text) == closing
