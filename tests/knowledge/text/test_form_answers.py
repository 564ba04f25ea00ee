"""Fields, boxes, codes and columns say what they say of the term they stand beside."""

from __future__ import annotations

import pytest

from knowledge.text.assertion.engine import assert_terms
from knowledge.text.finding import Certainty, Polarity
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind


def read(text: str, *terms: str) -> str:
    """One mark a term: + there, - denied, ? uncertain."""
    matches = [
        Match(text.index(t), text.index(t) + len(t), t, TermKind.SYMPTOM)
        for t in sorted(terms, key=text.index)
    ]
    marks = ""
    for said in assert_terms(text, matches):
        absent = said.polarity is Polarity.ABSENT
        doubted = said.certainty is Certainty.UNCERTAIN
        marks += "-" if absent else "?" if doubted else "+"
    return marks


@pytest.mark.parametrize(
    ("text", "terms", "wanted"),
    [
        ("√乏力 ×盗汗 ×消瘦", ("乏力", "盗汗", "消瘦"), "+--"),
        ("发热× 咳嗽√ 腹泻×", ("发热", "咳嗽", "腹泻"), "-+-"),
        ("（√）腰痛（ ）血尿（√）尿频（ ）水肿", ("腰痛", "血尿", "尿频", "水肿"), "+-+-"),
        ("腹泻 Y/N：N 便血 Y/N：Y", ("腹泻", "便血"), "-+"),
        ("腹泻：有/无（无） 便血：有/无（有）", ("腹泻", "便血"), "-+"),
        ("呕吐 ○有 ●无；腹泻 ●有 ○无", ("呕吐", "腹泻"), "-+"),
        ("呕吐 1无 2有【2】；腹泻 1无 2有【1】", ("呕吐", "腹泻"), "+-"),
        ("昏迷：0　水肿：1（0无 1有）", ("昏迷", "水肿"), "-+"),
        ("腹痛\n无\n腹泻\n有", ("腹痛", "腹泻"), "-+"),
        ("发热:- 咳嗽:+ 腹泻:-", ("发热", "咳嗽", "腹泻"), "-+-"),
        ("恶心+、呕吐+、腹泻-", ("恶心", "呕吐", "腹泻"), "++-"),
        ("查体：无 皮疹 黄疸", ("皮疹", "黄疸"), "--"),
        ("否认 头痛 头晕", ("头痛", "头晕"), "--"),
        ("头痛 否认 头晕 否认", ("头痛", "头晕"), "--"),
        # Which of the two is denied cannot be told.
        ("血肿 昏迷史无", ("血肿", "昏迷"), "?-"),
    ],
)
def test_a_form_is_read_as_it_is_ticked(text: str, terms: tuple[str, ...], wanted: str) -> None:
    assert read(text, *terms) == wanted


def test_a_size_is_no_crossed_box() -> None:
    assert read("√发热 肿块3×2cm 咳嗽", "发热", "肿块", "咳嗽")[1] == "+"


def test_a_form_that_nobody_filled_in_denies_nothing() -> None:
    assert "-" not in read("发热（ ） 咳嗽（ ）", "发热", "咳嗽")
