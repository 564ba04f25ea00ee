"""Rouge-L against the package that the task is described with."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.promptcblue.rouge import NOTHING, rouge_l, tokens

TEXT = st.text(alphabet="咳嗽发烧三天abC 12，。？！…é“”\n\u200b", max_size=30)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("CRP偏高", ("crp", "偏", "高")),
        ("38.5℃", ("38", ".", "5℃")),
        ("a$b", ("a", "$", "b")),
        ("Ménière病", ("meniere", "病")),
        ("一\u200b二\x00\ufffd", ("一", "二")),
        ("全\u3000角\t空 白", ("全", "角", "空", "白")),
        ("ＡＢ１２", ("ａｂ１２",)),
        ("", NOTHING),
        (" \n", NOTHING),
    ],
)
def test_tokens(text: str, cut: tuple[str, ...]) -> None:
    assert tokens(text) == cut


def test_order_counts() -> None:
    assert rouge_l(tokens("发烧咳嗽"), tokens("咳嗽发烧")) == pytest.approx(0.5)
    assert rouge_l(tokens("咳嗽"), tokens("咳嗽三天")) == pytest.approx(2 / 3)
    assert rouge_l(tokens("甲"), tokens("乙")) == 0


@given(TEXT, TEXT)
@settings(max_examples=300)
def test_it_equals_rouge_chinese(answer: str, gold: str) -> None:
    rouge_chinese = pytest.importorskip("rouge_chinese")
    first, second = tokens(answer), tokens(gold)
    reference = rouge_chinese.Rouge(["rouge-l"]).get_scores(" ".join(first), " ".join(second))
    assert rouge_l(first, second) == pytest.approx(reference[0]["rouge-l"]["f"], abs=1e-6)
