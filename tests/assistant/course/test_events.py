"""The events of a stay, from its rows and its notes."""

from __future__ import annotations

from typing import Any

import pytest
from discharge_stays import sample, stay

from assistant.course.cues import cues
from assistant.course.event import CourseEvent
from assistant.course.stay import events_of


def kinds(events: list[CourseEvent]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in events:
        found.setdefault(event.kind, []).append(event.text)
    return found


def of_notes(*notes: tuple[str, str], **rows: Any) -> dict[str, list[str]]:
    return kinds(events_of(stay(*notes, **rows)))


@pytest.mark.parametrize("cue", cues(), ids=lambda c: f"{c.kind}-{c.example[:6]}")
def test_every_row_of_cues_matches_its_example(cue: Any) -> None:
    assert cue.pattern.search(cue.example)


def test_every_event_quotes_the_record() -> None:
    for name in ("stemi-pci", "cholecystectomy-laparoscopic", "diabetic-ketoacidosis"):
        encounter = sample(name)
        notes = {n.id: n.text for n in encounter.all_notes()}
        events = events_of(encounter)
        assert len(events) > 15
        for event in events:
            for span in event.evidence:
                assert notes[span.note_id][span.start : span.end] == span.quote


def test_a_result_is_told_by_its_first_its_worst_and_its_last_value() -> None:
    rows = [
        {"id": f"o{n}", "name": "肌钙蛋白I", "value": value, "unit": "ng/mL", "flag": flag,
         "at": f"2026-03-0{n + 2}T08:00:00"}
        for n, (value, flag) in enumerate(
            [("0.42", "high"), ("28.6", "high"), ("19.3", "high"), ("0.02", "normal")]
        )
    ]  # fmt: skip
    told = of_notes(("progress", "一般情况可。"), observations=rows)["result"]
    assert [t.split("为")[1] for t in told] == ["0.42ng/mL。", "28.6ng/mL。", "0.02ng/mL。"]


def test_a_result_that_was_never_abnormal_is_no_event() -> None:
    row = {"id": "o", "name": "血钾", "value": "4.1", "unit": "mmol/L", "flag": "normal"}
    assert "result" not in of_notes(("progress", "一般情况可。"), observations=[row])


def test_what_is_planned_refused_or_denied_did_not_happen() -> None:
    text = (
        "拟明日输注悬浮红细胞2U。患者拒绝转入ICU。术中未输血。无切口感染。家属拒绝行血液透析治疗。"
    )
    found = of_notes(("progress", text))
    assert not {"transfusion", "intensive_care", "complication", "treatment"} & set(found)


def test_complications_transfusions_and_consultations_are_events() -> None:
    text = "今日并发肺部感染。输注悬浮红细胞2U。转入ICU监护。内分泌科会诊：建议调整降糖方案。"
    found = of_notes(("progress", text))
    assert {"complication", "transfusion", "intensive_care", "consultation"} <= set(found)


def test_a_stopped_drug_is_told_with_its_reason() -> None:
    found = of_notes(("progress", "局部瘙痒，停用左氧氟沙星。"))
    assert found["drug_change"] == ["停用左氧氟沙星。"]


def test_an_earlier_stay_is_no_event_of_this_one() -> None:
    text = "主诉：咳嗽3天。\n既往史：2019年因“急性阑尾炎”行阑尾切除术，术后病理：慢性炎。"
    assert set(of_notes(("admission", text))) == {"admission_reason"}


def test_a_day_that_counts_from_the_note_is_not_dated_by_it() -> None:
    note = {"id": "n", "kind": "progress", "written_at": "2026-03-05T09:00:00",
            "text": "昨日心脏超声：左房增大。"}  # fmt: skip
    (event,) = events_of(stay().model_validate({**stay().model_dump(), "notes": [note]}))
    assert event.text == "2026年3月5日记录：昨日心脏超声：左房增大。"


def test_what_is_for_later_comes_last() -> None:
    order = [e.kind for e in events_of(sample("cholecystectomy-laparoscopic"))]
    assert order[0] == "admission_reason"
    assert order.index("operation") < order.index("discharge_condition") < order.index("advice")
