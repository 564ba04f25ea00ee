"""Amounts in capital figures."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.bill_ocr.chinese_amount import find_words, in_words, read_words


@given(st.integers(0, 10**13).map(lambda cents: Decimal(cents) / 100))
def test_what_is_written_is_read_again(amount: Decimal) -> None:
    assert read_words(in_words(amount)) == amount


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ("壹仟贰佰叁拾肆元伍角陆分", "1234.56"),
        ("拾元整", "10"),
        ("零仟叁佰伍拾零元零角零分", "350"),
        ("贰万零叁拾元正", "20030"),
        ("壹亿零伍佰圆整", "100000500"),
        ("伍角", "0.5"),
        ("陆分", "0.06"),
        ("一千二百元五角", "1200.5"),
    ],
)
def test_forms_that_are_in_use(words: str, amount: str) -> None:
    assert read_words(words) == Decimal(amount)


@pytest.mark.parametrize(
    "words", ["", "元整", "壹贰元整", "贰拾叁仟元", "人民币", "壹元贰", "叁佰"]
)
def test_what_is_no_amount_is_not_guessed(words: str) -> None:
    assert read_words(words) is None


@given(st.text(alphabet="零壹贰叁拾佰仟万亿元角分整大写:1a", max_size=24))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = find_words(text)
    if found is not None:
        value = read_words(found[0])
        assert value is None or value >= 0
