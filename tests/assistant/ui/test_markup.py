"""Pieces of the pages without a browser: escaping, offsets, strings, the form."""

from __future__ import annotations

import html
import re
import string
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.record import Note
from assistant.ui.case_form import FormError, age_in_years, read_case, read_encounter
from assistant.ui.markup import attributes, button, esc
from assistant.ui.record_view import marked, record_html
from assistant.ui.strings import STRINGS, Text
from knowledge.finding import Finding, Polarity, Span

ZH = Text("zh")


class Tags(HTMLParser):
    """Collects the tags and attributes of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@given(st.text())
def test_escaped_text_holds_no_markup_and_comes_back_whole(text: str) -> None:
    escaped = esc(text)
    assert not set(escaped) & set("<>\"'\r")
    assert html.unescape(escaped.replace("&#13;", "\r")) == html.unescape(html.escape(text))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_value_stays_inside_its_attribute(text: str) -> None:
    parser = Tags()
    parser.feed(button("确认", "resolve", statement=text))
    assert len(parser.seen) == 1
    assert parser.seen[0][1]["data-statement"] == text


def test_attributes_without_a_value_are_left_out() -> None:
    assert attributes({"a": None, "b": False, "c": True, "d": '"'}) == ' c d="&quot;"'


@given(
    st.text(alphabet=string.ascii_letters + "胸痛<>&\"' ", max_size=40),
    st.lists(st.tuples(st.integers(0, 45), st.integers(0, 10), st.booleans()), max_size=6),
)
def test_marking_findings_never_changes_the_text(
    text: str, places: list[tuple[int, int, bool]]
) -> None:
    findings = [
        Finding(
            text="x",
            concept="x",
            span=Span(note_id="n", start=start, end=start + length),
            polarity=Polarity.PRESENT if present else Polarity.ABSENT,
        )
        for start, length, present in places
    ]
    shown = re.sub(r"</?span[^>]*>", "", marked(text, findings))
    assert html.unescape(shown) == text


def test_a_note_keeps_its_carriage_returns_so_that_offsets_hold() -> None:
    shown = record_html([Note(id="n", text="甲\r\n乙")], [], "case", ZH, folded=False)
    assert "甲&#13;\n乙" in shown


@pytest.mark.parametrize(
    ("text", "years"),
    [("58岁", 58), ("58", 58), ("3岁1月", 3 + 1 / 12), ("8个月", 8 / 12), ("", None)],
)
def test_ages_as_they_are_written(text: str, years: float | None) -> None:
    assert age_in_years(text) == (None if years is None else pytest.approx(years))


@given(st.text(max_size=20))
def test_any_age_is_read_or_refused(text: str) -> None:
    try:
        years = age_in_years(text)
    except ValueError:
        return
    assert years is None or years >= 0


def form(**values: str) -> dict[str, str]:
    empty = dict.fromkeys(
        (
            "name",
            "sex",
            "age",
            "patient_id",
            "encounter_id",
            "chief_complaint",
            "present_illness",
            "past_history",
            "examination",
            "tests",
            "text",
        ),
        "",
    )
    return {**empty, "patient_id": "p1", "encounter_id": "e1", "text": "头痛", **values}


def test_the_form_becomes_a_case() -> None:
    case = read_case(form(age="58", sex="male"), ZH)
    assert case.patient.age_text == "58岁"
    assert case.patient.age_years == 58
    assert case.patient.sex == "male"


@pytest.mark.parametrize(
    "values",
    [{"text": "  "}, {"age": "很老"}, {"age": "999岁"}, {"patient_id": "张三"}, {"sex": "x"}],
)
def test_a_bad_form_is_refused_with_a_sentence(values: dict[str, str]) -> None:
    with pytest.raises(FormError, match=r"[\u4e00-\u9fff]"):
        read_case(form(**values), ZH)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda s: "{" + s))
def test_any_pasted_stay_is_opened_or_refused(text: str) -> None:
    try:
        encounter = read_encounter(text, ZH)
    except FormError:
        return
    assert encounter.notes[0].text


@pytest.mark.parametrize(
    "text", ['{"encounter": 3}', '{"encounter": null}', "{}", '{"id": ', '{"a":' * 5_000]
)
def test_json_that_is_no_stay_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(FormError, match="住院数据不符合格式"):
        read_encounter(text, ZH)


@pytest.mark.parametrize("key", sorted(STRINGS))
def test_both_languages_have_the_same_places(key: str) -> None:
    chinese, english = STRINGS[key]
    names = [
        {name for _, name, _, _ in string.Formatter().parse(text) if name}
        for text in (chinese, english)
    ]
    assert names[0] >= names[1]
    assert chinese
    assert english
