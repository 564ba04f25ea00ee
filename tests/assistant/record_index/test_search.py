"""What queries find, for whom, on both databases."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import postgresql_server
import pytest
from sqlalchemy import func, select

from assistant.record_index.access import Caller, caller_of, grant, revoke
from assistant.record_index.errors import NotAllowed, SearchRefused
from assistant.record_index.index import NoteToIndex, add_notes, known
from assistant.record_index.search import count, search
from assistant.record_index.shown import deidentified
from assistant.store import Context, Store
from assistant.store.record_rows import RecordFactRow, RecordNoteRow, RecordTermRow

ACTOR = Context.operator("tester")
CASES = [
    ("EGFR:阳性", ["p1", "p2"]),
    ("EGFR:阴性", ["p4"]),
    ("EGFR:阳性 AND NOT 胸腔积液", ["p1"]),
    ("胸腔积液", ["p2"]),
    ("胸腔积液:无", ["p1"]),
    ("诊断:肺癌", ["p1", "p2", "p4"]),
    ('"肺癌"', ["p2", "p4"]),
    ("诊断:肺癌 AND 日期>=2025-01-01", ["p1", "p2"]),
    ("诊断:肺癌 AND NOT 日期>=2025-01-01", ["p4"]),
    ("NOT 肺癌 AND 日期=2025", ["p5"]),
    ("肌酐>120umol/L", ["p1", "p2"]),
    ("肌酐>1.4mg/dL", ["p1", "p2"]),
    ("肌酐<=80μmol/L", ["p4"]),
    ("肌酐>5mmol/L", []),
    ("肌酐>85umol/L AND 日期<2024-01-01", ["p5"]),
    ("CEA<0.6ng/mL", ["p5"]),
    ("CEA>0.4ng/mL", []),
    ("发热:无", ["p4"]),
    ("肺栓塞", []),
    ("肺栓塞:可疑", ["p4"]),
    ("高血压:家族", []),
    ("青霉素:过敏", ["p5"]),
    ("文本:双侧胸腔", ["p2"]),
    ("标题:病程 AND 发热", ["p2"]),
    ("患者:p4", ["p4"]),
    ("(EGFR:阴性 OR 发热) AND 肺癌", ["p2", "p4"]),
    ("NOT (肺癌 OR 高血压)", []),
    ("没有这样的病", []),
]


def ids(store: Store, caller: Caller, query: str) -> list[str]:
    found = search(store, caller, query)
    assert found.total == len(found.rows) == count(store, caller, query)
    return [row.patient_id for row in found.rows]


@pytest.mark.parametrize(("query", "patients"), CASES)
def test_what_a_query_finds(index: Store, doctor: Caller, query: str, patients: list[str]) -> None:
    assert ids(index, doctor, query) == patients


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql_server.PostgresqlServer]:
    programs = postgresql_server.programs()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine")
    with postgresql_server.running(programs) as running:
        yield running


def test_postgresql_finds_the_same(
    server: postgresql_server.PostgresqlServer,
    filled: Callable[[Path | str], Store],
    doctor: Caller,
) -> None:
    store = filled(server.new_database())
    store.database.analyse()
    assert {query: ids(store, doctor, query) for query, _ in CASES} == dict(CASES)
    assert store.purge_patient("p2", ACTOR).notes == 1
    assert ids(store, doctor, "EGFR:阳性") == ["p1"]
    store.close()


def test_notes_count_by_themselves(index: Store, doctor: Caller) -> None:
    found = search(index, doctor, "NOT 肺癌", unit="note")
    assert [(row.patient_id, row.note_id) for row in found.rows] == [("p5", "n1"), ("p5", "n2")]


def test_evidence_is_the_words_of_the_note(
    index: Store, doctor: Caller, notes: list[NoteToIndex]
) -> None:
    texts = {(note.patient_id, note.note_id): note.text for note in notes}
    found = search(index, doctor, "EGFR:阳性 AND NOT 胸腔积液 AND 肌酐>120umol/L")
    (row,) = found.rows
    assert [one.condition for one in row.evidence] == ["EGFR:阳性", "胸腔积液", "肌酐>120umol/L"]
    for one in row.evidence:
        assert texts[row.patient_id, one.note_id][one.start : one.end] == one.text
    assert [one.denies for one in row.evidence] == [False, True, False]
    assert (row.evidence[2].value, row.evidence[2].unit) == ("135", "umol/L")


def test_what_a_caller_may_not_see_is_not_counted(index: Store, doctor: Caller) -> None:
    assert "p3" not in ids(index, doctor, "肺癌")
    assert "p3" not in ids(index, doctor, "NOT 发热")
    assert ids(index, doctor, "患者:p3") == []
    assert "150" not in str(search(index, doctor, "肌酐>100"))
    grant(index, "dr", "呼吸科", ACTOR)
    now = caller_of(index, "dr", "doctor")
    assert "p3" in ids(index, now, "肺癌")
    assert "p3" not in ids(index, caller_of(index, "another", "doctor"), "肺癌")
    assert revoke(index, "dr", "呼吸科", ACTOR)
    assert not revoke(index, "dr", "呼吸科", ACTOR)
    assert "p3" not in ids(index, caller_of(index, "dr", "doctor"), "肺癌")


def test_other_notes_of_a_patient_stay_hidden_too(
    index: Store, doctor: Caller, notes: list[NoteToIndex]
) -> None:
    secret = replace(notes[1], patient_id="p1", note_id="secret", access="呼吸科")
    add_notes(index, [secret], ACTOR)
    assert ids(index, doctor, "EGFR:阳性 AND NOT 胸腔积液") == ["p1"]
    (row,) = search(index, doctor, "EGFR:阳性 AND NOT 胸腔积液").rows
    assert row.notes == 1
    assert {one.note_id for one in row.evidence} == {"n1"}


def test_roles(index: Store) -> None:
    for role in ("student", "auditor", "admin", "system"):
        with pytest.raises(NotAllowed):
            caller_of(index, "x", role)
    caller_of(index, "x", "nurse")
    with pytest.raises(NotAllowed):
        caller_of(index, "x", "nurse", identified=True)


@pytest.mark.parametrize(
    "query",
    [
        '"\'; DROP TABLE record_facts; --"',
        '文本:"\' OR 1=1 --"',
        '文本:"%"',
        "患者:' OR",
        '"x\') UNION SELECT patient_id FROM record_patients --"',
        '"%肺癌%"',
        '"_癌"',
        "编码:C%",
    ],
)
def test_nothing_in_a_query_is_sql(index: Store, doctor: Caller, query: str) -> None:
    with contextlib.suppress(SearchRefused):
        assert ids(index, doctor, query) == []
    assert ids(index, doctor, "EGFR:阳性") == ["p1", "p2"]


def test_every_row_that_is_shown_is_in_the_audit(index: Store, doctor: Caller) -> None:
    search(index, doctor, "EGFR:阳性")
    rows = index.audit.list(limit=3)
    assert [row.action for row in rows] == ["record.search.row"] * 2 + ["record.search"]
    assert {row.actor_id for row in rows} == {"dr"}
    assert next(row.action for row in index.audit.list(patient_id="p1")) == "record.search.row"
    assert all("EGFR" not in str(row.__dict__) for row in rows)
    assert index.audit.verify().ok


def test_a_purge_takes_the_notes_and_the_names_that_nobody_else_has(
    index: Store, doctor: Caller, tmp_path: Path
) -> None:
    assert index.purge_patient("p1", ACTOR).notes == 1
    assert ids(index, doctor, "EGFR:阳性") == ["p2"]
    with index.database.read() as session:
        names = set(session.scalars(select(RecordTermRow.name)))
        left = session.scalar(select(func.count()).select_from(RecordFactRow))
        assert left
        assert session.scalar(select(func.count()).select_from(RecordNoteRow)) == 5
    assert "右肺癌" not in names
    assert "egfr" in names
    assert "王建国".encode() not in (tmp_path / "index.db").read_bytes()
    assert index.audit.verify().ok


def test_a_note_that_comes_again_takes_its_place(
    index: Store, doctor: Caller, notes: list[NoteToIndex]
) -> None:
    add_notes(index, [notes[0]], ACTOR)
    assert len(known(index, ["p1"])) == 1
    changed = replace(notes[3], patient_id="p1", note_id="n1")
    add_notes(index, [changed], ACTOR)
    assert ids(index, doctor, "EGFR:阳性") == ["p2"]
    assert known(index, ["p1"]) == {("p1", "n1"): changed.digest}


def test_a_missing_unit_and_an_unknown_name_are_said(index: Store, doctor: Caller) -> None:
    (notice,) = search(index, doctor, "肌酐>100").notices
    assert "umol/L" in notice
    (notice,) = search(index, doctor, "没有这样的病").notices
    assert "没有这样的病" in notice


def test_where_there_is_nothing_to_search_it_is_said_once(index: Store) -> None:
    nobody = Caller(Context("dr", "doctor", ""), ())
    (notice,) = search(index, nobody, "肌酐>100 AND 糖尿病").notices
    assert "records load" in notice


def test_de_identified_rows_say_nothing_of_who_it_is(index: Store, doctor: Caller) -> None:
    shown = deidentified(index, search(index, doctor, "右肺癌"))
    (row,) = shown.rows
    (one,) = row.evidence
    assert row.patient_id.startswith("P-")
    assert "王建国" not in str(shown)
    assert "n1" not in str(shown)
    assert one.on_date == row.first_day == "2025"
    assert (one.text, "诊断" in one.before) == ("右肺癌", True)
