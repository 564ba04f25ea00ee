"""A stay of which only notes are there: no rows, no kinds of notes, nothing in its head."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan
from assistant.record.note import Note, kind_of_title
from assistant.record.patient import Patient
from assistant.tasks.record_qa.chain import ask
from assistant.tasks.record_qa.days import days_in
from assistant.tasks.record_qa.drugs import courses
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.tests import table
from assistant.tasks.record_qa.wanted import wanted_of

NOTES = [
    ("入院记录", "2026-03-02T09:30",
     "韩一舟，男，61岁。因“右上腹痛2天”入院。既往高血压8年，氨氯地平5mg qd。头孢菌素过敏（皮疹）。"
     "父亲死于胃癌。查体：T 38.4℃，BP 142/86mmHg。身高170cm，体重70kg。"),
    ("首次病程记录", "2026-03-02T11:00",
     "予左氧氟沙星0.5g qd ivgtt，氯化钾缓释片1g tid。血红蛋白132g/L，K 3.1mmol/L。"),
    ("手术记录", "2026-03-04T12:00",
     "全麻下行腹腔镜胆囊切除术，出血20ml，留置腹腔引流管1根，剖开见结石3枚，最大1.2cm。"),
    ("病程记录", "2026-03-06T08:30",
     "体温正常1天，引流液10ml，今日拔除引流管。血红蛋白118g/L，K 4.0mmol/L，停氯化钾。"
     "左氧氟沙星停（用药4天）。复查LDL-C目标<1.8mmol/L。"),
    ("病程记录", "2026-03-08T08:30",
     "03-07起恢复氨氯地平10mg qd。腹痛VAS 1分。拟03-12门诊拆线。"),
    ("出院小结", "2026-03-09T10:00",
     "出院带药：氨氯地平10mg qd，熊去氧胆酸250mg bid×14天。2周后普外科门诊复查。"),
]  # fmt: skip


@pytest.fixture(scope="module")
def reading() -> RecordReading:
    notes = [
        Note(id=f"n{number}", title=title, written_at=datetime.fromisoformat(at), text=text)
        for number, (title, at, text) in enumerate(NOTES)
    ]
    return RecordReading(Encounter(id="enc-n", patient=Patient(id="pat-n"), notes=notes))


def test_the_head_is_read_from_the_notes(reading: RecordReading) -> None:
    assert (reading.name, reading.age, reading.sex) == ("韩一舟", 61, "male")
    assert reading.admitted == datetime(2026, 3, 2, 9, 30)
    assert reading.operated == datetime(2026, 3, 4, 12)
    assert kind_of_title("检验报告") == "other"


@pytest.mark.parametrize(
    ("said", "operated"),
    [
        ("3年前行阑尾切除术，恢复好。", None),
        ("既往行冠脉支架植入术。", None),
        ("必要时行开颅血肿清除术。", None),
        ("会诊意见：可行介入栓塞术。", None),
        ("已于3月2日行股骨颈骨折内固定术。", datetime(2026, 3, 2)),
        ("3年前行胃切除术。今日行胆囊切除术。", datetime(2026, 3, 5)),
    ],
)
def test_an_operation_of_before_or_for_a_case_is_none_of_the_stay(
    said: str, operated: datetime | None
) -> None:
    written = datetime(2026, 3, 5, 9)
    note = Note(id="n", kind="progress", title="病程记录", written_at=written, text=said)
    encounter = Encounter(id="e", patient=Patient(id="p"), notes=[note])
    assert RecordReading(encounter).operated == operated


def test_courses_begin_and_end_as_the_notes_say(reading: RecordReading) -> None:
    found = {(c.drug, c.row.dose, str(c.start), str(c.row.stop)) for c in courses(reading)}
    assert ("左氧氟沙星", "0.5g", "2026-03-02", "2026-03-06") in found
    assert ("氯化钾", "1g", "2026-03-02", "2026-03-06") in found
    assert ("氨氯地平", "10mg", "2026-03-07", "None") in found
    assert not any(drug == "氨氯地平" and dose == "5mg" for drug, dose, *_ in found)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("左氧氟沙星用了几天", "病程写明 4 天"),
        ("补钾补到哪天", "2026年3月6日"),
        ("出院带什么药", "熊去氧胆酸"),
        ("引流管哪天拔的", "2026年3月6日——"),
        ("术后第几天拔的管", "术后第2天"),
        ("结石几枚", "3枚——"),
        ("拔管后血红蛋白多少", "没有"),
        ("术前血红蛋白多少", "132g/L"),
        ("术后血红蛋白多少", "118g/L"),
        ("从入院到手术隔了几天", "相隔 2 天"),
        ("从拔除引流管到入院隔了几天", "相隔 4 天"),
        ("体温什么时候正常的", "体温正常1天"),
        ("血钾多少，什么时候停的钾", "4.0mmol/L"),
        ("入院前氨氯地平多少", "5mg"),
        ("家里谁有胃癌", "父亲"),
        ("BMI多少", "24.2"),
        ("什么时候拆线", "2026年3月12日"),
        ("韩一舟对什么过敏", "头孢"),
        ("韩一舟的血红蛋白最低多少", "最低 118g/L"),
        ("做了什么手术", "腹腔镜胆囊切除术"),
    ],
)
def test_it_is_answered(reading: RecordReading, question: str, words: str) -> None:
    answer = ask(reading, question)
    assert words in answer.plain_text()
    assert all(s.evidence for s in answer.statements)


def test_how_long_it_was_has_the_clauses_of_both_events(reading: RecordReading) -> None:
    (said,) = ask(reading, "从停氯化钾到恢复氨氯地平隔了几天").statements
    assert "相隔 1 天" in said.text
    notes = {note.note.id: note.text for note in reading.notes}
    quotes = [place for place in said.evidence if isinstance(place, TextSpan)]
    assert len(quotes) == 2
    assert all(notes[p.note_id][p.start : p.end] == p.quote for p in quotes)


@pytest.mark.parametrize(
    ("question", "never"),
    [
        ("LDL-C多少", "最近一次"),
        ("父亲的血红蛋白多少", "118"),
        ("第二次拔引流管是几号", "3月6日——"),
        ("TRAb多少", "g/L"),
    ],
)
def test_nothing_is_made_up(reading: RecordReading, question: str, never: str) -> None:
    assert never not in ask(reading, question).plain_text()


@pytest.mark.parametrize(
    ("said", "question", "is_value"),
    [
        ("维持SpO2 92%以上。", "血氧多少", False),
        ("收缩压控制在140mmHg以下。", "血压多少", False),
        ("体温38.5℃时予布洛芬。", "体温多少", False),
        ("吸氧下维持SpO2 96%。", "血氧多少", True),
        ("血压控制在130/80mmHg左右。", "血压多少", True),
        ("体温38.5℃，予布洛芬。", "体温多少", True),
    ],
)
def test_a_bound_to_keep_to_or_act_at_is_no_value(said: str, question: str, is_value: bool) -> None:
    written = datetime(2026, 3, 5, 9)
    note = Note(id="n", kind="progress", title="病程记录", written_at=written, text=said)
    stay = RecordReading(Encounter(id="e", patient=Patient(id="p"), notes=[note]))
    assert ("最近一次" in ask(stay, question).plain_text()) is is_value


def test_a_month_and_day_is_a_date_near_its_note_only() -> None:
    note = date(2026, 11, 14)
    assert [d.day for d in days_in("11-10起恢复，拟12-04复查", note)] == [
        date(2026, 11, 10), date(2026, 12, 4),
    ]  # fmt: skip
    assert days_in("Apgar评分8-9-9，每日2-3次，10-15mg，5-10U，BP 92/58", note) == []


@pytest.mark.parametrize("name", ["wanted.tsv", "acts.tsv"])
def test_each_row_of_a_table_is_in_its_example(name: str) -> None:
    for row in table(name):
        words, example = (row[1], row[2]) if name == "wanted.tsv" else (row[0], row[2])
        assert re.search(words, example), row
        if name == "wanted.tsv":
            wanted = wanted_of(example)
            assert wanted is not None
            assert wanted.kind == row[0]
