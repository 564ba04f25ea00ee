from __future__ import annotations

import pytest

from knowledge.text.assertion.engine import assert_terms
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind


def match(text: str, words: str, kind: TermKind = TermKind.DISEASE) -> Match:
    start = text.index(words)
    return Match(start, start + len(words), words, kind)


@pytest.mark.parametrize(
    ("text", "words", "denied"),
    [
        ("坚信染上艾滋病，三次检测阴性，已排除。", "艾滋病", True),
        ("家属担心糖尿病，血糖正常，已告知不是。", "糖尿病", True),
        ("邻居说像中风，查CT、MRI均阴性已排除。", "中风", True),
        ("坚信染上艾滋病，尚不能排除。", "艾滋病", False),
        ("家属担心糖尿病，血糖12mmol/L。", "糖尿病", False),
    ],
)
def test_what_is_believed_is_denied_where_the_text_decides_against_it(
    text: str, words: str, denied: bool
) -> None:
    status = assert_terms(text, [match(text, words)])[0]
    assert (status.polarity is Polarity.ABSENT) is denied
    # Who fears says nothing of what is so.
    assert denied or status.certainty is Certainty.UNCERTAIN


def test_excluding_another_illness_takes_nothing_back() -> None:
    text = "怀疑肺栓塞，CT已排除主动脉夹层。"
    matches = [match(text, "肺栓塞"), match(text, "主动脉夹层")]
    feared, excluded = assert_terms(text, matches)
    assert feared.polarity is Polarity.PRESENT
    assert excluded.polarity is Polarity.ABSENT


def test_what_was_written_is_denied_where_its_name_is_denied_later() -> None:
    text = "家属先说有哮喘，后来弄清楚是慢阻肺，没有哮喘。"
    matches = [match(text, "哮喘"), match(text, "慢阻肺")]
    last = text.rindex("哮喘")
    matches.append(Match(last, last + 2, "哮喘", TermKind.DISEASE))
    first, found, _ = assert_terms(text, matches)
    assert (first.polarity, found.polarity) == (Polarity.ABSENT, Polarity.PRESENT)


def test_a_text_set_wide_is_read_as_one_that_is_not() -> None:
    text = "胸 部 C T ： 右 肺 结 节 ， 未 见 胸 水 ， 肺 癌 待 排 。"
    matches = [match(text, w) for w in ("结 节", "胸 水", "肺 癌")]
    node, fluid, cancer = assert_terms(text, matches)
    assert node.polarity is Polarity.PRESENT
    assert fluid.polarity is Polarity.ABSENT
    assert cancer.certainty is Certainty.UNCERTAIN


def test_a_heading_in_brackets_ends_what_stands_before_it() -> None:
    text = "【现病史】无尿痛、血尿【家族史】其兄前列腺癌"
    pain, blood, cancer = assert_terms(text, [match(text, w) for w in ("尿痛", "血尿", "前列腺癌")])
    assert pain.polarity is blood.polarity is Polarity.ABSENT
    assert blood.experiencer is Experiencer.PATIENT
    assert (cancer.polarity, cancer.experiencer) == (Polarity.PRESENT, Experiencer.FAMILY)


def test_a_condition_ends_where_the_present_begins() -> None:
    text = "若发热则停药，今日乏力。"
    fever, tired = assert_terms(text, [match(text, w) for w in ("发热", "乏力")])
    assert fever.temporality is Temporality.HYPOTHETICAL
    assert tired.temporality is Temporality.CURRENT
