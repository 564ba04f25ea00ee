"""What of an answer is its answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.reasoning import without_reasoning


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("肺炎", "肺炎"),
        ("<think>也许是结核</think>\n\n肺炎", "\n\n肺炎"),
        ("<think>\n\n</think>肺炎", "肺炎"),
        ("也许是结核</think>肺炎", "肺炎"),
        ("<think>也许是结核", ""),
        ("<THINK>一</THINK>甲<think>二</think>乙", "甲乙"),
        ("<think>外<think>内</think>肺炎", "肺炎"),
        ("<think>外<think>内</think>还在想</think>肺炎", "肺炎"),
        ("<thinking>一</thinking>肺炎", "肺炎"),
        ("<reasoning>一</reasoning>肺炎", "肺炎"),
        ("[THINK]一[/THINK]肺炎", "肺炎"),
        ("◁think▷一◁/think▷肺炎", "肺炎"),
        ("<|begin_of_thought|>一<|end_of_thought|>肺炎", "肺炎"),
        (
            "<|channel|>analysis<|message|>一<|end|><|start|>assistant"
            "<|channel|>final<|message|>肺炎<|return|>",
            "肺炎",
        ),
        ("<|channel|>analysis<|message|>一", ""),
        ("血压<140mmHg，心率>100次/分", "血压<140mmHg，心率>100次/分"),
    ],
)
def test_reasoning_is_left_out(text: str, answer: str) -> None:
    assert without_reasoning(text) == answer


@given(st.text(alphabet="甲乙 \n<>/", max_size=30), st.text(alphabet="丙丁 \n<", max_size=30))
def test_only_the_reasoning_goes(thought: str, answer: str) -> None:
    assert without_reasoning(f"<think>{thought}</think>{answer}") == answer
