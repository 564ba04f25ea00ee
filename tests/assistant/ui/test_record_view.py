"""The record with what was found in it marked."""

from __future__ import annotations

import html
import re
import string

from hypothesis import given
from hypothesis import strategies as st

from assistant.record.note import Note
from assistant.ui.record_view import marked, record_html
from assistant.ui.strings import Text
from knowledge.base import KnowledgeBase
from knowledge.text.finding import Finding, Polarity, Span

ZH = Text("zh")


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


def test_an_uncertain_finding_does_not_look_like_one_that_is_there(
    knowledge: KnowledgeBase,
) -> None:
    text = "发热，可能有咳嗽，无胸痛。"
    findings = knowledge.extractor.extract(text, "n")
    shown = record_html([Note(id="n", text=text)], findings, "case", ZH, folded=False)
    looks = dict(re.findall(r'<span class="(\w+)">([^<]*)</span>', shown.split("note-text")[1]))
    assert looks == {"present": "发热", "uncertain": "咳嗽", "absent": "胸痛"}
    legend = shown.split("note-text")[0]
    for kind in looks:
        assert f'class="{kind}">{ZH("legend." + kind)}<' in legend
