"""Thoughts are kept apart from answers, however they are marked and wherever they are cut."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine import Chunk, FinishReason, Message, Sampling, TokenLogprob, Usage, complete
from serving.engines.echo import EchoEngine
from serving.reasoning import Habit, Separator, ThoughtsMixedIn, opened_by, separate, separated

ASK = [Message("user", "诊断？")]


def run(separator: Separator, pieces: list[str], reason: FinishReason = "stop") -> tuple[str, str]:
    parts = [separator.push(piece) for piece in pieces] + [separator.finish(reason)]
    return "".join(answer for answer, _ in parts), "".join(thought for _, thought in parts)


async def stream(pieces: list[str], reason: FinishReason = "stop") -> AsyncGenerator[Chunk]:
    for piece in pieces:
        yield Chunk(piece, logprobs=(TokenLogprob(piece, -0.5),))
    yield Chunk("", finish_reason=reason, usage=Usage(1, len(pieces)))


async def answered(habit: Habit, pieces: list[str], reason: FinishReason = "stop") -> Chunk:
    chunks = [chunk async for chunk in habit.separated(stream(pieces, reason), {})]
    text = "".join(chunk.text for chunk in chunks)
    return Chunk(text, reasoning="".join(chunk.reasoning for chunk in chunks))


@pytest.mark.parametrize(
    ("text", "answer", "thought"),
    [
        ("<think>我猜</think>\n\n肺炎。", "肺炎。", "我猜"),
        ("\n<think>\n我猜\n</think>肺炎。", "肺炎。", "我猜\n"),
        ("我猜。\n</think>\n\n肺炎。", "肺炎。", "我猜。\n"),
        ("<think>\n\n</think>\n\n肺炎。", "肺炎。", ""),
        ("<thinking>我猜</thinking>肺炎。", "肺炎。", "我猜"),
        ("◁think▷我猜◁/think▷肺炎。", "肺炎。", "我猜"),
        ("[THINK]我猜[/THINK]肺炎。", "肺炎。", "我猜"),
        ("<THINK>我猜</Think>肺炎。", "肺炎。", "我猜"),
        ("<think>用</thinking>字</think>肺炎。", "肺炎。", "用字"),
        ("<think>没想完", "", "没想完"),
        ("先答。<think>再想</think>再答。", "先答。再答。", "再想"),
        ("</think>肺炎。", "肺炎。", ""),
        ("  肺炎 <3 cm，<thin。", "  肺炎 <3 cm，<thin。", ""),
    ],
)
def test_the_answer_is_what_is_no_thought(text: str, answer: str, thought: str) -> None:
    assert separate(text) == (answer, thought)
    assert run(Separator(), list(text)) == (answer, thought)


def test_a_second_closing_tag_leaves_only_what_follows_it() -> None:
    text = "<think>一</think>二</think>三"
    assert separate(text)[0] == "三"
    with pytest.raises(ThoughtsMixedIn):
        run(Separator(), [text])


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<", "</", "think", "肺", "\n", "。"])),
    st.lists(st.integers(1, 9), max_size=40),
)
def test_cutting_a_text_elsewhere_changes_nothing(words: list[str], sizes: list[int]) -> None:
    text = "".join(words)
    pieces, at = [], 0
    for size in [*sizes, len(text)]:
        pieces.append(text[at : at + size])
        at += size
    results = []
    for cut in ([text], pieces, list(text)):
        try:
            results.append(run(Separator(), cut))
        except ThoughtsMixedIn:
            results.append(("mixed", ""))
    assert results[0] == results[1] == results[2]
    assert "</think>" not in results[0][0]


@pytest.mark.parametrize(
    ("prompt", "start"),
    [
        ("<|im_start|>assistant\n<think>\n", "thought"),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", "answer"),
        ("<|im_start|>assistant\n", None),
        ("</think>", "answer"),
        ("病历提到 <think> 一词", None),
    ],
)
def test_the_end_of_the_prompt_tells_how_the_text_begins(prompt: str, start: str | None) -> None:
    assert opened_by(prompt) == start


def test_a_thought_that_the_prompt_opened_and_that_was_cut_is_no_answer() -> None:
    assert run(Separator("thought"), ["我猜是嗜铬", "细胞瘤"], "length") == ("", "我猜是嗜铬细胞瘤")


def test_a_cut_text_of_a_model_that_likely_thinks_is_a_thought() -> None:
    assert run(Separator("likely"), ["我猜"], "length") == ("", "我猜")
    assert run(Separator("likely"), ["肺炎。"], "stop") == ("肺炎。", "")
    assert run(Separator("unknown"), ["肺炎"], "length") == ("肺炎", "")


async def test_what_an_engine_learned_is_used_for_the_next_answer() -> None:
    habit = Habit()
    assert (await answered(habit, ["我猜", "</think>", "肺炎"])).text == "肺炎"
    cut = await answered(habit, ["我又猜"], "length")
    assert (cut.text, cut.reasoning) == ("", "我又猜")


async def test_text_of_a_model_that_does_not_think_comes_at_once_from_the_second_answer() -> None:
    habit = Habit()
    assert (await answered(habit, ["肺炎。"])).text == "肺炎。"
    chunks = habit.separated(stream(["感染", "。"]), {})
    assert (await anext(chunks)).text == "感染"
    await chunks.aclose()


async def test_a_thought_that_came_out_as_text_is_an_error_and_not_twice() -> None:
    habit = Habit("answer")
    with pytest.raises(ThoughtsMixedIn):
        await answered(habit, ["我猜", "</think>", "肺炎"])
    again = await answered(habit, ["我猜", "</think>", "肺炎"])
    assert (again.text, again.reasoning) == ("肺炎", "我猜")


async def test_an_answer_that_speaks_of_tags_spoils_no_other() -> None:
    habit = Habit("answer")
    with pytest.raises(ThoughtsMixedIn):
        await answered(habit, ["那是 ", "</think>", " 标签"])
    assert (await answered(habit, ["肺炎。"])).text == "肺炎。"
    assert (await answered(habit, ["肺"], "length")).text == "肺"


async def test_a_model_that_opens_inside_its_thoughts_twice_always_does() -> None:
    habit = Habit()
    for _ in range(2):
        assert (await answered(habit, ["我猜", "</think>", "肺炎"])).text == "肺炎"
    lost = await answered(habit, ["我只是想"])
    assert (lost.text, lost.reasoning) == ("", "我只是想")
    assert (await answered(habit, ["肺炎。"])).text == "肺炎。"


async def test_log_probabilities_spell_the_answer_alone() -> None:
    pieces = ["<think>", "我猜", "</think>", "肺", "炎"]
    chunks = [chunk async for chunk in separated(stream(pieces), Separator())]
    assert [entry.token for chunk in chunks for entry in chunk.logprobs][-2:] == ["肺", "炎"]
    assert all(entry.token != "我猜" for chunk in chunks for entry in chunk.logprobs)


def test_json_may_hold_tags_in_its_strings() -> None:
    text = '{"a": "<think>x</think>"}'
    assert run(Separator("unknown", form=True), list(text)) == (text, "")
    assert run(Separator("thought", form=True), list(text)) == (text, "")
    assert run(Separator("unknown", form=True), ["我猜</think>", text]) == (text, "我猜")


async def test_an_answer_that_was_cut_while_thinking_is_empty() -> None:
    engine = EchoEngine(lambda _: "<think>想 了 很 久</think>肺炎")
    cut = await complete(engine, ASK, Sampling(max_tokens=3))
    assert (cut.text, cut.finish_reason) == ("", "length")
    assert cut.reasoning.startswith("想")
    whole = await complete(engine, ASK)
    assert (whole.text, whole.reasoning) == ("肺炎", "想 了 很 久")
