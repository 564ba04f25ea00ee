"""What a text tells of a stay: by facts, not by wording."""

from __future__ import annotations

from typing import Any

import pytest
from discharge_stays import SAMPLES, sample, stay
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.course.stay import compare, events_of

STAY = {
    "operations": [{"id": "p", "name": "右侧人工股骨头置换术", "at": "2026-03-03T10:00:00"}],
    "observations": [
        {"id": "o1", "name": "白细胞计数", "value": "17.2", "unit": "10^9/L", "flag": "high",
         "at": "2026-03-02T10:00:00"},
        {"id": "o2", "name": "白细胞计数", "value": "8.1", "unit": "10^9/L", "flag": "normal",
         "at": "2026-03-06T10:00:00"},
        {"id": "o3", "name": "术后病理检查", "status": "pending"},
    ],
    "medications": [{"id": "m", "name": "注射用头孢呋辛钠", "dose": "1.5g"}],
}  # fmt: skip
NOTE = "停用氨氯地平。并发肺部感染。心脏超声未见心包积液。输注悬浮红细胞2U。"


def lacking(text: str, note: str = NOTE, rows: dict[str, Any] | None = None) -> set[str]:
    events = events_of(stay(("progress", note), **(STAY if rows is None else rows)))
    return {e.kind for e in compare(events, text).lacking}


FULL = (
    "行右侧人工股骨头置换。查WBC 17.2×10^9/L，后复查8.1×10^9/L。予头孢呋辛1.5g抗感染。"
    "氨氯地平已停用。期间发生肺部感染。超声：无心包积液，心脏大小正常。输红细胞悬液2U。"
    "术后病理结果尚未回报。"
)


def test_a_text_in_other_words_lacks_nothing() -> None:
    assert lacking(FULL.replace("后复查8", "后复查白细胞8").replace("超声：", "心脏超声")) == set()


@pytest.mark.parametrize(
    ("cut", "kind"),
    [
        ("行右侧人工股骨头置换。", "operation"),
        ("予头孢呋辛1.5g抗感染。", "drug"),
        ("氨氯地平已停用。", "drug_change"),
        ("期间发生肺部感染。", "complication"),
        ("输红细胞悬液2U。", "transfusion"),
        ("术后病理结果尚未回报。", "pending_result"),
        ("查WBC 17.2×10^9/L，后复查8.1×10^9/L。", "result"),
    ],
)
def test_what_is_cut_out_is_named(cut: str, kind: str) -> None:
    whole = lacking(FULL)
    assert kind in lacking(FULL.replace(cut, ""))
    assert kind not in whole or kind == "result"


@pytest.mark.parametrize(
    ("said", "instead", "kind"),
    [
        ("右侧人工股骨头置换", "左侧人工股骨头置换", "operation"),
        ("行右侧人工股骨头置换", "拟行右侧人工股骨头置换", "operation"),
        ("氨氯地平已停用", "继续氨氯地平", "drug_change"),
        ("期间发生肺部感染", "期间无肺部感染", "complication"),
        ("予头孢呋辛1.5g", "未予头孢呋辛1.5g", "drug"),
        ("17.2", "12.7", "result"),
    ],
)
def test_a_turned_fact_does_not_tell_it(said: str, instead: str, kind: str) -> None:
    assert said in FULL
    assert kind in lacking(FULL.replace(said, instead))


def test_words_tell_a_result_that_became_normal() -> None:
    rows = {"observations": STAY["observations"][:2]}
    assert lacking("白细胞计数17.2×10^9/L，治疗后白细胞恢复正常。", "一般可。", rows) == set()
    assert lacking("白细胞计数17.2×10^9/L。", "一般可。", rows) == {"result"}


def test_another_drug_of_a_like_name_is_not_it() -> None:
    rows = {"medications": [{"id": "m", "name": "依诺肝素钠注射液"}]}
    assert lacking("术中肝素8000U。", "一般可。", rows) == {"drug"}
    assert lacking("予依诺肝素抗凝。", "一般可。", rows) == set()


def test_a_count_of_platelets_is_no_transfusion() -> None:
    note = "予输注单采血小板1个治疗量。"
    assert lacking("复查血小板102×10^9/L。未输血小板。", note, {}) == {"transfusion"}
    assert lacking("期间输单采血小板1个治疗量。", note, {}) == set()


def test_a_consultation_of_another_department_is_not_it() -> None:
    note = "内分泌科会诊：建议调整降糖方案。"
    assert lacking("神经内科会诊后继续治疗。内分泌科门诊复查。", note, {}) == {"consultation"}
    assert lacking("请内分泌科会诊，调整方案。", note, {}) == set()


@pytest.mark.parametrize("name", [f.stem for f in sorted(SAMPLES.glob("*.json"))])
def test_its_own_sentence_tells_an_event(name: str) -> None:
    encounter = sample(name)
    events = events_of(encounter)
    text = "\n".join(e.text for e in events)
    drugs = [m.name for m in encounter.medications]
    assert [e.text for e in compare(events, text, drugs=drugs).lacking] == []


def test_a_drug_to_take_home_is_told_with_its_dose() -> None:
    row = {"id": "m", "name": "阿司匹林肠溶片", "dose": "100mg", "discharge": True}
    for said, missing in (("0.1g", set()), ("300mg", {"discharge_drug"}), ("", {"discharge_drug"})):
        text = f"出院后阿司匹林{said}每日1次。氯吡格雷75mg。"
        assert lacking(text, "一般可。", {"medications": [row]}) == missing


def test_an_empty_text_tells_nothing() -> None:
    events = events_of(stay(("progress", NOTE), **STAY))
    assert compare(events, "").covered == []


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="行右侧，。停用氨氯地平12.5×10^9/L：（）\n无并发感染ABC", max_size=60))
def test_any_text_can_be_held_against_a_stay(text: str) -> None:
    events = events_of(stay(("progress", NOTE), **STAY))
    found = compare(events, text)
    assert len(found.covered) + len(found.lacking) == len(events)
