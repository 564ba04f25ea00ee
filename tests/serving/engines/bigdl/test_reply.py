"""Token ids become chunks; counts and times add up."""

from __future__ import annotations

from typing import Any

from serving.engine import Sampling
from serving.engines.bigdl.reply import Reply


def decode(ids: list[int]) -> str:
    return "".join(chr(i) for i in ids)


def line(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"token": ord(text), "logprob": -0.25, "finish": finish}


def test_the_token_that_ends_the_answer_is_not_in_its_text() -> None:
    reply = Reply(3, Sampling(logprobs=True), decode)
    assert reply.take({"started": True}) is None
    first, last = reply.take(line("a")), reply.take(line("E", "stop"))
    assert first is not None
    assert last is not None
    assert (first.text, first.finish_reason, first.usage) == ("a", None, None)
    assert (last.text, last.finish_reason) == ("", "stop")
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.new_tokens) == (3, 2)
    assert [p.logprob for p in first.logprobs] == [-0.25]


def test_what_may_become_a_stop_string_is_held_back_until_it_cannot() -> None:
    reply = Reply(1, Sampling(stop=("ab",)), decode)
    chunks = [reply.take(line("a")), reply.take(line("c")), reply.take(line("a", "length"))]
    assert [chunk.text for chunk in chunks if chunk] == ["", "ac", "a"]
    assert not reply.stopped


def test_a_stop_string_wins_over_the_length() -> None:
    reply = Reply(1, Sampling(stop=("ab",)), decode)
    reply.take(line("a"))
    last = reply.take(line("b", "length"))
    assert last is not None
    assert (last.text, last.finish_reason) == ("", "stop")
    assert reply.stopped


def test_no_logprobs_where_none_were_asked_for() -> None:
    chunk = Reply(1, Sampling(), decode).take(line("a"))
    assert chunk is not None
    assert chunk.logprobs == ()
