"""Sentences with their place, section and time."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assistant.chains.segments import Scope, segment_note, split_sentences
from assistant.record import Note


@given(st.text(alphabet="咳嗽。；\n 无a1，", max_size=120))
def test_sentences_are_the_text_without_its_ends(text: str) -> None:
    ranges = split_sentences(text)
    assert all(text[a:b].strip() == text[a:b] != "" for a, b in ranges)
    assert all(a[1] <= b[0] for a, b in pairwise(ranges))
    kept = "".join(text[a:b] for a, b in ranges)
    dropped = {"。", "；", "\n", " "}
    assert [c for c in text if c not in dropped] == [c for c in kept if c not in dropped]


def test_sections_and_scopes_of_an_admission_note() -> None:
    note = Note(
        id="n1",
        kind="admission",
        text="主诉：咳嗽3天。\n现病史：3天前受凉后咳嗽。2年前曾行阑尾切除术。\n"
        "既往史：高血压10年。\n体格检查：体温38.5℃。",
    )
    found = [(s.section, s.scope) for s in segment_note(note)]
    assert found == [
        ("主诉", Scope.PRESENTING),
        ("现病史", Scope.PRESENTING),
        ("现病史", Scope.PRIOR),
        ("既往史", Scope.PRIOR),
        ("体格检查", Scope.PRESENTING),
    ]


def test_a_date_before_admission_makes_a_sentence_prior() -> None:
    note = Note(
        id="n2",
        kind="progress",
        text="2026年1月3日行第一周期化疗。2026年3月6日行本次化疗。今日无不适。",
    )
    scopes = [s.scope for s in segment_note(note, date(2026, 3, 5))]
    assert scopes == [Scope.PRIOR, Scope.STAY, Scope.STAY]


def test_segments_quote_their_note_exactly() -> None:
    note = Note(id="n3", text="𠮷某，咳嗽😷3天。\n发热。")
    for segment in segment_note(note):
        assert note.text[segment.start : segment.end] == segment.text
