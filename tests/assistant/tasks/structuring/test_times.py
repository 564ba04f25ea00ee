from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.structuring.times import Anchors, time_expressions

ADMITTED = Anchors(admission=date(2024, 3, 5))


@pytest.mark.parametrize(
    ("text", "words", "kind", "value", "days"),
    [
        ("2024-03-05行手术", "2024-03-05", "date", "2024-03-05", None),
        ("2024年3月复查", "2024年3月", "date", "2024-03", None),
        ("于2019年确诊", "2019年", "date", "2019", None),
        ("3月5日入院", "3月5日", "date", "--03-05", None),
        ("3天前发热", "3天前", "relative", "2024-03-02", -3.0),
        ("2年余前手术", "2年余前", "relative", "2022", -730.5),
        ("入院后第2天体温正常", "入院后第2天", "relative", "2024-03-06", 1.0),
        ("术后第3天", "术后第3天", "relative", "", 3.0),
        ("昨晚呕吐", "昨晚", "relative", "2024-03-04", -1.0),
        ("咳嗽10余年", "10余年", "duration", "", 3652.5),
        ("腹痛两小时", "两小时", "duration", "", 0.083),
        ("十二天", "十二天", "duration", "", 12.0),
        ("患者58岁", "58岁", "age", "", 21184.5),
    ],
)
def test_times(text: str, words: str, kind: str, value: str, days: float | None) -> None:
    found = time_expressions(text, ADMITTED)[0]
    assert (found.text, found.kind, found.value, found.days) == (words, kind, value, days)


def test_what_is_no_time() -> None:
    assert time_expressions("前列腺增生，前降支狭窄，Ⅲ期，3枚") == []


def test_nothing_is_placed_without_a_day_to_count_from() -> None:
    assert time_expressions("3天前发热")[0].value == ""


@given(st.text(st.sampled_from("0123456789年月日天小时前后第术入院半几十二-./ 约余"), max_size=40))
def test_spans_are_exact_and_apart(text: str) -> None:
    found = time_expressions(text, ADMITTED)
    for time in found:
        assert text[time.start : time.end] == time.text
    assert all(a.end <= b.start for a, b in pairwise(found))
