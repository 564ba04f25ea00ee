"""What was read, as a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.bill_ocr.labels import table_of
from assistant.tasks.bill_ocr.ui.strings import name_of
from assistant.tasks.bill_ocr.values import decimal_of, quantity_of, read_value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("amount", "￥1,234.50元", "1234.50"),
        ("amount", "-12.00", "-12.00"),
        ("amount", "退费：-1,234.50", "-1234.50"),
        ("amount", "12.5", "12.50"),
        ("date", "2024年3月5日", "2024-03-05"),
        ("date", "20240305", "2024-03-05"),
        ("date", "202403-05", "2024-03-05"),
        ("time", "2024-03-0508:12", "2024-03-05 08:12"),
        ("time", "2024/3/5 8:12:30", "2024-03-05 08:12:30"),
        ("sex", "性别男", "男"),
        ("number", ":0012A3", "0012A3"),
        ("name", "：欧阳建国 ", "欧阳建国"),
        ("words", "人民币壹元整", "1.00"),
        ("words", "叁佰捌抬伍元玖角伍分", "385.95"),
    ],
)
def test_a_value_is_normalised(kind: str, text: str, value: str) -> None:
    found = read_value(kind, text)
    assert found is not None
    assert found.value == value
    assert not found.doubt


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.015.55", "1015.55"), ("4,556:88", "4556.88"), ("81,00", "81.00"), ("1250", "1250.00"),
     ("12.5O", None), ("1,23.4", None)],
)  # fmt: skip
def test_an_amount_that_may_be_misread_is_doubted(text: str, value: str | None) -> None:
    found = read_value("amount", text)
    assert found is not None
    assert found.doubt
    assert value in (None, found.value)


def test_an_amount_in_words_that_a_seal_has_cut_is_doubted() -> None:
    found = read_value("words", "叁佰捌囗伍元玖角伍分")
    assert found is not None
    assert found.doubt
    assert found.value != "5.95"


@pytest.mark.parametrize("kind", ["date", "time"])
def test_a_day_that_never_was_is_doubted(kind: str) -> None:
    found = read_value(kind, "2024-02-31")
    assert found is None or found.doubt


def test_numbers() -> None:
    assert decimal_of("1,23") is None
    assert quantity_of("2.00") == "2"
    assert quantity_of("二") is None


@given(
    st.sampled_from(["amount", "words", "date", "time", "sex", "number", "name", "text"]), st.text()
)
def test_any_text_gives_a_value_within_it_or_none(kind: str, text: str) -> None:
    found = read_value(kind, text)
    if found is not None:
        assert 0 <= found.start <= found.end <= len(text)
        assert found.value


def test_every_field_and_column_has_a_chinese_name_on_the_page() -> None:
    read = [row[0] for row in table_of("labels.tsv") if row[1] != "skip"]
    for name in [*read, *(row[0] for row in table_of("columns.tsv"))]:
        assert not name_of(name, "zh").isascii(), name
