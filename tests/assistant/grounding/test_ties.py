"""What ties one thing to another is read by the table's rows, and may not be tied anew."""

from __future__ import annotations

import re

import pytest

from assistant.grounding.ties import bound_words, causes, tie_rows
from knowledge.text.folding import fold


@pytest.mark.parametrize("row", tie_rows(), ids=lambda row: str(row[1]))
def test_every_row_reads_its_example(row: list[str]) -> None:
    kind, name, pattern, example = row
    assert re.search(pattern, fold(example))
    if kind == "effect":
        assert any(name in cause.effects for cause in causes(example))
    else:
        assert name in bound_words(example)


def test_a_factor_and_a_disease_cause_are_no_cause_of_an_effect() -> None:
    assert causes("凝血因子停用") == []
    assert causes("病因不明，停用") == []


def test_a_cause_without_a_known_effect_is_left_to_the_wording() -> None:
    assert causes("因受凉后咳嗽") == []
