"""Questions in words, and what they become."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.record_index.errors import SearchRefused
from assistant.record_index.form import SearchForm
from assistant.record_index.language import parse
from assistant.record_index.words import translate

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("EGFR 阳性且无胸腔积液，近一年", "EGFR:阳性 AND NOT 胸腔积液 AND 日期>=2025-11-30"),
        ("诊断为肺癌、肌酐大于120umol/L的患者", "诊断:肺癌 AND 肌酐>120umol/L"),
        ("肺癌或胃癌，近6个月", "(肺癌 OR 胃癌) AND 日期>=2026-05-30"),
        ("否认高血压、糖尿病", "高血压:无 AND 糖尿病:无"),
        ("无发热或咳嗽，有胸痛", "NOT 发热 AND NOT 咳嗽 AND 胸痛"),
        ("EGFR或ALK阳性", "EGFR:阳性 OR ALK:阳性"),
        ("非小细胞肺癌", "非小细胞肺癌"),
        ("2025年以来使用过奥希替尼", "药物:奥希替尼 AND 日期>=2025"),
        ("有肺癌家族史", "肺癌:家族"),
        ("怀疑肺栓塞", "肺栓塞:可疑"),
    ],
)
def test_words_become_a_query(words: str, query: str) -> None:
    assert translate(words, TODAY) == query


@given(st.text(max_size=40) | st.text("无有且或，肺癌EGFR阳性近一年120>大于的(", max_size=30))
def test_what_comes_out_can_be_read(words: str) -> None:
    try:
        query = translate(words, TODAY)
    except SearchRefused:
        return
    parse(query)


@pytest.mark.parametrize("words", ["", "无", "(", "，，", "肺" * 501])
def test_what_is_not_understood_is_said(words: str) -> None:
    with pytest.raises(SearchRefused):
        translate(words, TODAY)


def test_a_form_is_a_query() -> None:
    form = SearchForm(
        all_of=["诊断:肺癌"], any_of=["EGFR:阳性", "ALK:阳性"], none_of=["胸腔积液"],
        begin=date(2025, 1, 1),
    )  # fmt: skip
    assert form.query() == (
        "诊断:肺癌 AND (EGFR:阳性 OR ALK:阳性) AND NOT 胸腔积液 AND 日期>=2025-01-01"
    )
    with pytest.raises(SearchRefused):
        SearchForm().query()
