"""The patient over the notes."""

from __future__ import annotations

import re

from structured_sample import ATTACK

from assistant.tasks.structuring.patient import (
    MedicationEntry,
    PatientView,
    Place,
    ProblemEntry,
    ResultPoint,
    TimelineEvent,
)
from assistant.tasks.structuring.span import EntityType
from assistant.tasks.structuring.ui.patient_card import patient_html
from assistant.ui.strings import Text

ZH, EN = Text("zh"), Text("en")
TITLES = {"n1": "入院记录", "n2": "出院小结"}


def place(text: str, start: int = 3, note: str = "n1") -> Place:
    return Place(note_id=note, entity="e1", start=start, end=start + len(text), text=text)


def view(**parts: object) -> PatientView:
    return PatientView.model_validate({"patient_id": "p", "notes": 2, **parts})


def section(shown: str, name: str) -> str:
    found = re.search(rf'<section class="card \w*" aria-label="{name}">.*?</section>', shown)
    return found[0] if found else ""


def test_problems_say_status_conflict_and_every_place() -> None:
    problem = ProblemEntry(
        name="肺炎",
        status="denied",
        since="2024-03",
        conflicting=True,
        places=[place("肺炎"), place("肺炎", 9, "n2")],
    )
    other = ProblemEntry(name="高血压", status="past", since="10年", places=[place("高血压")])
    shown = section(patient_html(view(problems=[problem, other]), TITLES, ZH), "问题列表")
    assert "否认" in shown
    assert "⚠ 矛盾" in shown
    assert "自 2024-03" in shown
    assert ">10年<" in shown
    assert 'data-to="n1 3 5"' in shown
    assert 'data-to="n2 9 11"' in shown
    assert 'title="出院小结：肺炎"' in shown


def test_medication_and_allergies() -> None:
    drug = MedicationEntry(name="氨氯地平", status="planned", dose="5mg", places=[place("络活喜")])
    shown = patient_html(view(medications=[drug], allergies=[place("青霉素")]), TITLES, ZH)
    assert "拟用" in section(shown, "用药")
    assert "5mg" in section(shown, "用药")
    assert "⚠" in section(shown, "过敏")
    assert "planned" in section(patient_html(view(medications=[drug]), TITLES, EN), "Medication")


def test_a_view_without_anything_says_so_once() -> None:
    shown = patient_html(view(), TITLES, ZH)
    assert shown.count("<section") == 1
    assert "无" in section(shown, "问题列表")


def test_dated_and_undated_events_are_told_apart_and_lead_to_their_words() -> None:
    def event(text: str, date: str, dated: bool, start: int) -> TimelineEvent:
        return TimelineEvent(
            date=date, dated=dated, type=EntityType.SYMPTOM, text=text, place=place(text, start)
        )

    events = [
        event("发热", "2024-03-02", True, 1),
        event("咳嗽", "2024-03-02", False, 4),
        event("咳嗽", "2024-03-02", False, 8),
        event("头痛", "", False, 12),
    ]
    shown = section(patient_html(view(timeline=events), TITLES, ZH), "时间轴")
    assert re.findall(r'<li class="(\w+)">', shown) == ["dated", "undated", "undated"]
    assert re.findall(r'data-to="n1 (\d+)', shown) == ["1", "4", "8", "12"]
    assert shown.count("病历日期</span>") == 1
    assert "未注明日期" in shown


def point(value: str, unit: str, flag: str | None = None, date: str = "2024-03-02") -> ResultPoint:
    return ResultPoint.model_validate(
        {"date": date, "value": value, "unit": unit, "flag": flag, "place": place("WBC")}
    )


def test_a_series_is_a_line_and_its_values_are_flagged_in_words() -> None:
    points = [point("12.3", "10^9/L", "high"), point("8.1", "10^9/L"), point("阴性", "")]
    results = {"白细胞计数": points[:2], "抗体": points[2:]}
    shown = section(patient_html(view(results=results), TITLES, ZH), "检验与测量")
    assert "12.3×10^9/L ↑偏高" in shown
    (line,) = re.findall(r'<polyline points="([^"]*)"', shown)
    (_, first), (_, last) = (map(float, pair.split(",")) for pair in line.split())
    assert first < last, "the higher value is drawn higher up"
    assert shown.count("<circle") == 2
    assert "白细胞计数 的 2 次结果" in shown


def test_numbers_of_different_units_are_not_on_one_line() -> None:
    results = {"体重": [point("3250", "g"), point("13", "kg")]}
    assert "<polyline" not in patient_html(view(results=results), TITLES, ZH)


def test_names_are_escaped() -> None:
    shown = patient_html(
        view(
            problems=[ProblemEntry(name=ATTACK, status="active", places=[place(ATTACK)])],
            results={ATTACK: [point(ATTACK, ATTACK)]},
            allergies=[place(ATTACK)],
        ),
        {"n1": ATTACK},
        ZH,
    )
    assert "<script" not in shown
    assert "<img" not in shown
