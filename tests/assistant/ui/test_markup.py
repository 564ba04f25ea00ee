"""Pieces of the pages without a browser: escaping, strings."""

from __future__ import annotations

import html
import string
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.review.fill_in import FillIn
from assistant.ui.markup import attributes, button, esc, filled_form
from assistant.ui.strings import STRINGS, Text

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


def test_a_signed_text_tells_only_the_figures_that_were_measured() -> None:
    filled = FillIn(text="甲", fields={})
    both = filled_form(filled, (3, 12.4), "{}", ZH, "k")
    assert "签署稿已保存。编辑距离 3。从草稿到采纳 12 秒。" in both
    neither = filled_form(filled, (None, None), "{}", ZH, "k")
    assert "签署稿已保存。<" in neither


def test_a_text_of_an_older_record_says_so() -> None:
    filled = FillIn(text="甲", fields={})
    assert "改动" not in filled_form(filled, None, "{}", ZH, "k")
    assert "改动" in filled_form(filled.marked_stale(), None, "{}", ZH, "k")
