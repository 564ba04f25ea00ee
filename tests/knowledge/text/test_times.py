from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text.times import Anchors, clocks, dates, impossible_dates, times
from tests.counted_calls import grows_in_proportion

ADMITTED = Anchors(admission=date(2024, 3, 5))
NOTED = Anchors(note=date(2026, 3, 10))


@pytest.mark.parametrize(
    ("text", "words", "kind", "value", "days"),
    [
        ("2024-03-05行手术", "2024-03-05", "date", "2024-03-05", None),
        ("2024年3月复查", "2024年3月", "date", "2024-03", None),
        ("于2019年确诊", "2019年", "date", "2019", None),
        ("3月5日入院", "3月5日", "date", "--03-05", None),
        ("二〇二四年五月诊断", "二〇二四年五月", "date", "2024-05", None),
        ("3天前发热", "3天前", "relative", "2024-03-02", -3.0),
        ("2年余前手术", "2年余前", "relative", "2022", -730.5),
        ("一年半前手术", "一年半前", "relative", "2022-09", -547.875),
        ("1年半前手术", "1年半前", "relative", "2022-09", -547.875),
        ("半年前手术", "半年前", "relative", "2023-09", -182.625),
        ("两年半前手术", "两年半前", "relative", "2021-09", -913.125),
        ("入院后第2天体温正常", "入院后第2天", "relative", "2024-03-06", 1.0),
        ("术后第3天", "术后第3天", "relative", "", 3.0),
        ("昨晚呕吐", "昨晚", "relative", "2024-03-04", -1.0),
        ("咳嗽10余年", "10余年", "duration", "", 3652.5),
        ("腹痛两小时", "两小时", "duration", "", 0.083),
        ("病程两年半", "两年半", "duration", "", 913.125),
        ("十二天", "十二天", "duration", "", 12.0),
        ("患者58岁", "58岁", "age", "", 21184.5),
    ],
)
def test_times(text: str, words: str, kind: str, value: str, days: float | None) -> None:
    found = times(text, ADMITTED)[0]
    assert (text[found.start : found.end], found.kind, found.value) == (words, kind, value)
    assert found.days == days


@pytest.mark.parametrize(
    ("text", "value", "exact"),
    [
        ("上周三出现咽痛", "2026-03-04", True),
        ("上周出现咽痛", "2026-03", False),
        ("上个月出现咽痛", "2026-02", False),
        ("去年3月行手术", "2025-03", False),
        ("前天起声嘶", "2026-03-08", True),
        ("上月15日行手术", "2026-02-15", False),
        ("两个半月前手术", "2025-12", True),
    ],
)
def test_times_before_the_note(text: str, value: str, exact: bool) -> None:
    [found] = times(text, NOTED)
    assert (found.value, found.exact) == (value, exact)


def test_the_year_goes_on() -> None:
    text = "2025年12月30日胸痛，12月31日行PCI，1月3日出院，3月5日复查。"
    assert [d.iso for d in dates(text)] == ["2025-12-30", "2025-12-31", "2026-01-03", "2026-03-05"]
    assert [d.carried for d in dates(text)] == [False, True, True, True]


def test_later_days_of_the_same_month() -> None:
    text = "2026年3月1日-5日住院，3月8日、9日发热，3月底复查"
    days = ["2026-03-01", "2026-03-05", "2026-03-08", "2026-03-09", "2026-03"]
    assert [d.iso for d in dates(text)] == days


@pytest.mark.parametrize("text", ["2026年2月30日复查", "2026-13-01", "2月30日", "2025-02-29"])
def test_a_day_that_never_was_is_no_date(text: str) -> None:
    assert dates(text) == []
    assert len(impossible_dates(text)) == 1
    assert times(text) == []


@pytest.mark.parametrize("text", ["近3天再发黑便", "1周来口渴", "近1月发现"])
def test_what_is_of_late(text: str) -> None:
    [found] = times(text)
    assert (found.kind, found.recent) == ("duration", True)


def test_what_is_no_time() -> None:
    assert times("前列腺增生，前降支狭窄，Ⅲ期，3枚") == []


def test_a_titre_is_no_time_of_day() -> None:
    assert [(c.start, c.end) for c in clocks("抗体1:320，1:20，8:30服药")] == [(13, 17)]


@given(
    st.text(
        st.sampled_from("0123456789年月日天周上三小时前后第术入院半几十二〇五-./ 约余近来岁"),
        max_size=40,
    )
)
def test_spans_are_exact_and_apart(text: str) -> None:
    found = times(text, ADMITTED)
    assert all(0 <= t.start < t.end <= len(text) for t in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize(
    "piece", ["1", "一", "年", "2026年3月1日", "3天前", "第", "1-", "半", "3月5日"]
)
def test_hostile_text_is_work_in_proportion(piece: str) -> None:
    assert grows_in_proportion(lambda text: times(text, ADMITTED), piece)
