"""A person is always the same other person, dates keep their distance, and nothing else changes."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.training.data import dates, surrogates
from assistant.training.data.surrogates import StillNamed, Surrogates, check_digit

KEY = b"a key of the test that nobody has"


def of(patient: str = "p1", key: bytes = KEY) -> Surrogates:
    return Surrogates(key, patient)


def test_a_person_has_one_surrogate_in_all_texts_and_another_one_with_another_key() -> None:
    texts = ["患者李建国，男，62岁，其子李强代诉。", "李建国今日出院，李医生查房。"]
    one = of()
    one.learn(texts)
    first, second = (one.text(text) for text in texts)
    name = re.match("患者(.+?)，", first)[1]  # type: ignore[index]
    assert second.startswith(f"{name}今日出院")
    # The son and the doctor of the same surname still share it.
    family = name[:2] if name[:2] in ("欧阳", "上官") else name[0]
    assert f"其子{family}" in first
    assert f"{family}医生" in second
    assert "李" not in first + second
    assert Surrogates(b"another" * 5, "p1").text(texts[0]) != first


def test_dates_move_together_and_keep_weekday_and_way_of_writing() -> None:
    made = of().text("2023年11月4日入院，2023-11-14手术，11月20日出院，二〇二三年十一月四日。")
    year, month, day = map(int, re.match(r"(\d+)年(\d+)月(\d+)日", made).groups())  # type: ignore[union-attr]
    admitted = datetime.date(year, month, day)
    operated = datetime.date.fromisoformat(re.search(r"\d{4}-\d\d-\d\d", made)[0])  # type: ignore[index]
    assert (operated - admitted).days == 10
    assert admitted.weekday() == datetime.date(2023, 11, 4).weekday()
    assert "2023" not in made


@given(st.dates(datetime.date(1930, 1, 1), datetime.date(2040, 1, 1)), st.integers(-2000, 2000))
def test_every_way_of_writing_a_date_moves_alike(day: datetime.date, by: int) -> None:
    later = day + datetime.timedelta(by)
    for form in ("{:%Y-%m-%d}", "{:%Y%m%d}", "{:%Y/%m/%d} 08:30", "于{:%Y.%m.%d}"):
        assert dates.moved(form.format(day), by, None) == form.format(later)
    told = f"{day.year}年{day.month}月{day.day}日"
    assert dates.moved(told, by, None) == f"{later.year}年{later.month}月{later.day}日"


def test_ids_keep_their_form_and_phones_are_of_no_line() -> None:
    made = of().text("身份证510107199001011234，电话13812345678，住院号：ZY2023-0012。")
    identity = re.search(r"\d{17}[\dX]", made)[0]  # type: ignore[index]
    assert identity.startswith("990000")
    assert identity[-1] == check_digit(identity[:17])
    assert re.search(r"电话12\d{9}，", made)
    assert re.search(r"住院号：[A-Z]{2}\d{4}-\d{4}。", made)
    assert "0012" not in made


# Worked example of GB 11643-1999.
@pytest.mark.parametrize(
    ("body", "digit"), [("11010519491231002", "X"), ("44052418800101001", "4")]
)
def test_check_digits(body: str, digit: str) -> None:
    assert check_digit(body) == digit


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(
        ["血压120/80mmHg，心率78次/分。", "予华法林3mg qd，张力性气胸。", "肌酐106μmol/L。"]
    ),
    st.sampled_from(["王秀兰", "阿卜杜拉·买买提", "欧阳震", "John Smith"]),
)
def test_clinical_words_and_numbers_stay(line: str, name: str) -> None:
    made = of().text(f"患者{name}，女。{line}")
    assert made.endswith(line)
    assert name not in made


def test_a_name_that_the_record_gives_goes_wherever_it_stands() -> None:
    one = of()
    one.know(["钱塘江"])
    assert "钱塘江" not in one.text("见钱塘江家中旧药若干")


def test_a_text_that_still_holds_a_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Surrogates, "_surrogate", lambda _self, place, _year: place.text)
    with pytest.raises(StillNamed, match="已拒绝导出"):
        of().text("患者王秀兰，女，71岁。")


def test_the_lists_hold_no_surrogate_twice() -> None:
    for name, listed in surrogates._words().items():
        assert len(listed) == len(set(listed)), name
