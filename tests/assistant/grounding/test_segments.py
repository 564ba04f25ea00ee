"""Sentences with their place, section and time."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.grounding.segments import Scope, segment_note, split_sentences
from assistant.record.note import Note, NoteKind


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
        ("现病史", Scope.PRIOR),
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


_MARKS = ["，", ",", "。", "；", "\n", " ", "（", "）"]
_TIMES = ["既往糖尿病", "本次住院", "2年前", "3月1日", "今日", "25年3月"]
_WORDS = [*_MARKS, *_TIMES, "较", "查体：", "予胰岛素", "𠮷"]


@given(st.lists(st.sampled_from(_WORDS), max_size=25))
def test_parts_of_sentences_lose_nothing_but_commas(words: list[str]) -> None:
    note = Note(id="n", kind="progress", text="".join(words))
    found = segment_note(note, date(2026, 3, 2))
    assert all(note.text[s.start : s.end] == s.text == s.text.strip() != "" for s in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    kept = "".join(s.text for s in found)
    ignored = set("。；，, \n")
    assert [c for c in note.text if c not in ignored] == [c for c in kept if c not in ignored]


def scopes_of(text: str, kind: NoteKind = "progress", day: int = 5) -> list[tuple[str, Scope]]:
    note = Note(id="n", kind=kind, text=text, written_at=datetime(2026, 3, day))
    return [(s.text, s.scope) for s in segment_note(note, date(2026, 3, 2))]


def test_a_sentence_of_two_times_is_cut_between_them() -> None:
    assert scopes_of("既往糖尿病，口服二甲双胍，本次住院予胰岛素泵降糖治疗。") == [
        ("既往糖尿病，口服二甲双胍", Scope.PRIOR),
        ("本次住院予胰岛素泵降糖治疗", Scope.STAY),
    ]
    assert scopes_of("3年前外院住院，出院诊断：胰腺炎，现再次腹痛。", "admission", 2) == [
        ("3年前外院住院，出院诊断：胰腺炎", Scope.PRIOR),
        ("现再次腹痛", Scope.PRESENTING),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "血压较1周前下降，继续予氨氯地平",
        "病灶较2025年12月1日缩小",
        "3月3日行手术",
        "2天前行手术",
        "水肿比上次减轻",
    ],
)
def test_this_stay(text: str) -> None:
    assert scopes_of(text) == [(text, Scope.STAY)]


@pytest.mark.parametrize(
    "text",
    [
        "去年行阑尾切除术",
        "去年3月12日行阑尾切除术",
        "上月住院期间行胆囊切除术",
        "2025.3行冠脉支架植入术",
        "25年3月行冠脉支架植入术",
        "2月20日行胃镜检查",
        "12月20日行肠镜检查",
        "２０２５年３月１日行支架植入术",
        "10天前行清创术",
        "2023年因肺炎住院",
    ],
)
def test_earlier_than_this_stay(text: str) -> None:
    assert scopes_of(text) == [(text, Scope.PRIOR)]


def test_care_before_the_admission_is_earlier() -> None:
    for text in ("患者10天前当地诊所予青霉素静滴", "在门诊予头孢口服", "自服布洛芬"):
        assert scopes_of(text, "admission", 2) == [(text, Scope.PRIOR)]
        assert scopes_of(text, "first_progress", 2) == [(text, Scope.PRIOR)]
    assert scopes_of("出院后门诊复查") == [("出院后门诊复查", Scope.STAY)]


def test_a_first_progress_note_tells_what_was_before_the_stay() -> None:
    assert scopes_of("病例特点：发热3天，体温39℃", "first_progress", 2) == [
        ("病例特点：发热3天，体温39℃", Scope.PRESENTING)
    ]


def test_free_text_under_its_headings() -> None:
    text = "现病史：咳嗽5天。\n诊疗经过：予头孢曲松静滴。\n出院医嘱：门诊复查。"
    found = [(s.section, s.scope) for s in segment_note(Note(id="text", text=text))]
    assert found == [
        ("现病史", Scope.PRESENTING),
        ("诊疗经过", Scope.STAY),
        ("出院医嘱", Scope.STAY),
    ]


def free_scopes(text: str) -> list[Scope]:
    return [s.scope for s in segment_note(Note(id="text", text=text))]


def test_a_free_text_goes_on_with_the_earlier_time_until_it_comes_to_this_stay() -> None:
    text = (
        "患者4月前因胃癌于我院行胃癌根治术。术后病理示腺癌，切缘阴性。术后予2周期化疗，副反应轻。"
        "现患者为行第3周期化疗再次来院，门诊以“胃癌术后”收入院。近期精神可，大便正常。"
        "入院后予奥沙利铂化疗。无恶心、呕吐。"
    )
    assert free_scopes(text) == [
        *[Scope.PRIOR] * 3,
        *[Scope.PRESENTING] * 2,
        *[Scope.STAY] * 2,
    ]


def test_a_free_text_of_the_stay_alone_is_of_the_stay() -> None:
    assert free_scopes("予头孢曲松静滴。体温降至36.8℃。入院第3天复查血常规。") == [Scope.STAY] * 3
    assert free_scopes("患者因咳嗽3天入院。予头孢曲松静滴。入院第3天体温正常。") == [
        Scope.PRESENTING,
        Scope.STAY,
        Scope.STAY,
    ]
