from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("３×１０⁹", "3×10⁹"),
        ("体温︰３９．１℃", "体温:39.1℃"),
        ("無發熱，否認高血壓", "无发热,否认高血压"),
        ("病情显著好转", "病情显著好转"),
        ("5μg—10µg", "5ug-10ug"),
        ("ＷＢＣ（＋）", "wbc(+)"),
        ("SpO₂", "spo2"),
    ],
)
def test_one_spelling(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_no_offset_moves_and_nothing_is_folded_twice(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


def test_the_table_of_characters_is_read_only_for_chinese() -> None:
    code = (
        "from knowledge.text import folding; folding.fold('WBC 12,500'); "
        "assert folding._simplified.cache_info().currsize == 0; folding.fold('發'); "
        "assert folding._simplified.cache_info().currsize == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
