"""What leaves as FHIR: days that exist, and chronic illness that is still there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.structuring.calendar_date import in_year, is_after, is_date
from assistant.tasks.structuring.chronic import is_over
from assistant.tasks.structuring.entity import Entity, StructuredNote, TimeExpression
from assistant.tasks.structuring.fhir import bundle
from assistant.tasks.structuring.patient import date_of, patient_view
from assistant.tasks.structuring.pipeline import NoteText, Structurer
from assistant.tasks.structuring.span import EntityType
from knowledge.base import KnowledgeBase
from knowledge.text.finding import Temporality
from knowledge.text.times import impossible_dates

WRITTEN = datetime(2026, 3, 8, 9, tzinfo=UTC)
DATES = ("performedDateTime", "onsetDateTime", "effectiveDateTime", "recordedDate")


def exported(base: KnowledgeBase, text: str) -> dict[str, dict[str, Any]]:
    """Words → resource of each thing that the note names."""
    note = Structurer(base).structure(NoteText("n1", text, written_at=WRITTEN))
    resources = [entry["resource"] for entry in bundle("pat-1", [note])["entry"][1:]]
    return {r["code"]["text"]: r for r in resources if "code" in r}


@pytest.mark.parametrize("day", ["2026年2月30日", "2026年13月5日", "2026-02-30", "2026/13/05"])
def test_a_day_that_does_not_exist_is_no_date(knowledge: KnowledgeBase, day: str) -> None:
    found = exported(knowledge, f"{day}复查胸片示肺炎。")
    assert {"胸片", "肺炎"} <= set(found)
    for resource in found.values():
        assert not set(resource) & set(DATES), resource


def test_a_day_that_does_not_exist_is_no_date_in_the_note_either(knowledge: KnowledgeBase) -> None:
    note = Structurer(knowledge).structure(
        NoteText("n1", "2026年2月30日复查胸片示肺炎。", written_at=WRITTEN)
    )
    assert "2026-02-30" not in note.model_dump_json()
    assert all(event.date == "" for event in patient_view("pat-1", [note]).timeline)


def test_what_has_happened_was_not_after_the_note(knowledge: KnowledgeBase) -> None:
    found = exported(knowledge, "2027年1月2日行胆囊切除术。2026年3月2日行胸片。")
    assert "performedDateTime" not in found["胆囊切除术"]
    assert found["胸片"]["performedDateTime"] == "2026-03-02"


def test_a_day_without_a_year_is_the_last_one_before_the_note(knowledge: KnowledgeBase) -> None:
    found = exported(knowledge, "3月3日行胸片。12月30日行胆囊切除术。")
    assert found["胸片"]["performedDateTime"] == "2026-03-03"
    assert found["胆囊切除术"]["performedDateTime"] == "2025-12-30"


@pytest.mark.parametrize("written", [datetime.min, datetime(9999, 12, 30)])
def test_the_ends_of_the_calendar_are_no_error(knowledge: KnowledgeBase, written: datetime) -> None:
    text = "3天前行胸片，3月3日行胆囊切除术，2026年2月30日肺炎，去年高血压。"
    note = Structurer(knowledge).structure(
        NoteText("n1", text, written_at=written, admitted_on=written.date())
    )
    assert bundle("pat-1", [note])["entry"]
    assert patient_view("pat-1", [note]).timeline


def test_a_day_of_another_time_zone_is_not_after_the_note(knowledge: KnowledgeBase) -> None:
    tomorrow = (WRITTEN + timedelta(days=1)).date()
    found = exported(knowledge, f"{tomorrow:%Y年%m月%d日}行胸片。")
    assert found["胸片"]["performedDateTime"] == tomorrow.isoformat()


@pytest.mark.parametrize(
    ("text", "exists"),
    [
        ("2026", True),
        ("2026-02", True),
        ("2026-02-28", True),
        ("2024-02-29", True),
        ("--02-29", True),
        ("2026-02-29", False),
        ("2026-13", False),
        ("2026-00-10", False),
        ("--02-30", False),
        ("9999-01-01", False),
        ("2026-2-3", False),
        ("", False),
    ],
)
def test_what_is_a_date(text: str, exists: bool) -> None:
    assert is_date(text) is exists
    time = TimeExpression(start=0, end=1, text="x", kind="date", value=text)
    assert time.value == (text if exists else "")


@given(st.integers(1900, 2099), st.integers(0, 19), st.integers(0, 39))
def test_every_written_day_either_exists_or_is_impossible(year: int, month: int, day: int) -> None:
    written = f"{year}年{month}月{day}日"
    assert bool(impossible_dates(written)) is not is_date(f"{year}-{month:02}-{day:02}")


def test_a_leap_day_without_a_year() -> None:
    assert in_year("--02-29", date(2024, 3, 1)) == "2024-02-29"
    assert in_year("--02-29", date(2026, 3, 1)) == ""
    assert in_year("2024-02-29", date(2026, 3, 1)) == ""


def condition(words: str, temporality: Temporality, *, over: bool = False) -> str:
    entity = Entity(
        id="e1",
        start=0,
        end=len(words),
        text=words,
        type=EntityType.DISEASE,
        temporality=temporality,
        over=over,
    )
    note = StructuredNote(note_id="n1", length=len(words), entities=[entity])
    assert date_of(note, entity) == ("", False)
    resource = bundle("pat-1", [note])["entry"][1]["resource"]
    return str(resource["clinicalStatus"]["coding"][0]["code"])


CHRONIC = """
慢性乙肝 房颤 高血压 2型糖尿病 慢阻肺 COPD 肝硬化 癫痫 乙肝病毒携带 类风湿关节炎 慢性肾脏病
甲减 胃癌 系统性红斑狼疮 支气管哮喘 冠心病
"""


@pytest.mark.parametrize("words", CHRONIC.split())
def test_a_chronic_illness_stays_until_the_note_ends_it(words: str) -> None:
    assert condition(words, Temporality.PAST) == "active"
    assert condition(words, Temporality.CURRENT) == "active"
    assert condition(words, Temporality.PAST, over=True) == "inactive"


@pytest.mark.parametrize("words", ["肺炎", "脑梗死", "急性阑尾炎", "骨折", "肺结核"])
def test_what_is_not_chronic_is_over_when_it_is_past(words: str) -> None:
    assert condition(words, Temporality.PAST) == "inactive"
    assert condition(words, Temporality.CURRENT) == "active"


@pytest.mark.parametrize(
    ("text", "words", "over"),
    [
        ("哮喘病史10年，规律吸入布地奈德。", "哮喘", False),
        ("哮喘病史，已痊愈。", "哮喘", True),
        ("儿时曾患哮喘，成年后未再发作。", "哮喘", True),
        ("幼年有哮喘。", "哮喘", True),
        ("胃癌病史3年，已行切除。", "胃癌", True),
        ("胃癌根治术后2年。", "胃癌", True),
        ("胃癌切除术后，目前口服替吉奥治疗。", "胃癌", False),
        ("胃癌病史1月，拟行根治。", "胃癌", False),
        ("慢性乙肝未治愈。", "慢性乙肝", False),
        ("高血压10年，胆囊结石已切除。", "高血压", False),
        ("高血压10年。阑尾炎已切除。", "高血压", False),
        ("甲亢行甲状腺次全切除。", "甲亢", False),
    ],
)
def test_what_ends_an_illness(text: str, words: str, over: bool) -> None:
    def at(named: str, number: int) -> Entity:
        start = text.index(named)
        return Entity(
            id=f"e{number}",
            start=start,
            end=start + len(named),
            text=named,
            type=EntityType.DISEASE,
        )

    others = [at(named, 2) for named in ("胆囊结石", "阑尾炎") if named in text]
    assert is_over(text, at(words, 1), others) is over


def test_the_history_of_a_note_is_exported_as_it_stands(knowledge: KnowledgeBase) -> None:
    found = exported(knowledge, "既往高血压10年，规律服药。肺炎病史，已治愈。")
    assert found["高血压"]["clinicalStatus"]["coding"][0]["code"] == "active"
    assert found["肺炎"]["clinicalStatus"]["coding"][0]["code"] == "inactive"


def test_nothing_is_after_the_last_day() -> None:
    assert not is_after("9999-12-31", date.max)
    assert is_after("2026-03-10", date(2026, 3, 8))
    assert not is_after("2026-03", date(2026, 3, 8))
    assert not is_after("", date(2026, 3, 8))
