"""The patient's version: plain words, the record's numbers, nothing beyond the record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from discharge_stays import sample
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.record.encounter import Encounter
from assistant.settings import Settings
from assistant.tasks.patient_version.advice import part_of, pieces
from assistant.tasks.patient_version.draft import PatientVersion
from assistant.tasks.patient_version.lay import explain, plain, table
from assistant.tasks.patient_version.reading_level import level
from assistant.tasks.patient_version.run import written
from assistant.tasks.patient_version.source import RECORD
from assistant.work.registry import GROUP, Registry

NAMES = ["stemi-pci", "colorectal-chemo-cycle4", "diabetic-ketoacidosis"]
POINT = EntryPoint("patient_version", "assistant.tasks.patient_version.task:PatientVersions", GROUP)
_BRACKETS = re.compile(r"（[^（）]*：[^（）]*）。$|（[^（）]*）。$")


@cache
def draft_of(name: str) -> PatientVersion:
    return written(sample(name))


def part(draft: PatientVersion, name: str) -> list[str]:
    return [s.text for p in draft.parts if p.name == name for s in p.statements]


@pytest.mark.parametrize("name", NAMES)
def test_every_number_stands_in_the_record(name: str) -> None:
    for statement in draft_of(name).all_statements():
        assert statement.evidence
        quoted = "".join(e.quote for e in statement.evidence)
        claimed = _BRACKETS.sub("", statement.text)
        for number in re.findall(r"\d+(?:\.\d+)?", claimed):
            assert number in quoted


@pytest.mark.parametrize("name", NAMES)
def test_every_discharge_drug_has_its_dose_and_days_as_written(name: str) -> None:
    lines = part(draft_of(name), "drugs")
    for row in (m for m in sample(name).medications if m.discharge):
        (line,) = [text for text in lines if text.startswith(f"{row.name}：")]
        assert f"每次{row.dose}" in line
        assert f"{row.days}天" in line


@pytest.mark.parametrize("name", NAMES)
def test_it_is_easier_to_read_than_the_record(name: str) -> None:
    draft = draft_of(name)
    assert draft.level.mean < draft.before.mean
    assert len(draft.level.unexplained) < len(draft.before.unexplained)


def test_what_must_be_seen_at_once_stands_under_its_own_heading() -> None:
    assert part(draft_of("stemi-pci"), "alarms") == ["如再发胸痛持续不缓解马上到医院看病。"]
    # A condition keeps the record's own words where plain ones would not pass the check.
    (fever,) = part(draft_of("colorectal-chemo-cycle4"), "alarms")
    assert "38.0℃" in fever
    assert "每日超过4次" in fever or "每天超过4次" in fever


def test_a_word_is_explained_once() -> None:
    whole = draft_of("diabetic-ketoacidosis").plain_text()
    assert whole.count("（血里的钾偏低）") == 1
    explained: set[str] = set()
    assert explain("复查血脂", explained) == "复查血脂（血脂：血里的脂肪）"
    assert explain("复查血脂", explained) == "复查血脂"


def test_what_the_record_lacks_is_named_and_not_made_up() -> None:
    draft = draft_of("diabetic-ketoacidosis")
    assert part(draft, "alarms") == []
    assert any("何种情况须立即就医" in warning for warning in draft.warnings)


def test_a_signed_record_counts_and_not_the_rows_of_the_stay() -> None:
    signed = (
        "出院诊断：2型糖尿病。\n出院医嘱：门冬胰岛素每次10U三餐前皮下注射，2周后内分泌科门诊复诊。"
    )
    draft = written(sample("diabetic-ketoacidosis"), signed)
    text = draft.plain_text()
    assert "10U" in text
    assert "22U" not in text
    assert all(e.note_id == RECORD for s in draft.all_statements() for e in s.evidence)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "3. 今日出院，嘱戒烟，1个月后门诊复查血脂、肝功能。",
            ["戒烟", "1个月后门诊复查血脂、肝功能"],
        ),
        ("出院后规律吸入药物，2周后复诊。", ["出院后规律吸入药物", "2周后复诊"]),
        ("如发热超过38.0℃，或腹泻，立即就诊。", ["如发热超过38.0℃，或腹泻，立即就诊"]),
        ("双联抗血小板治疗，至少12个月。", ["双联抗血小板治疗，至少12个月"]),
        ("", []),
    ],
)
def test_advice_is_cut_into_single_pieces(text: str, found: list[str]) -> None:
    assert pieces(text) == found


@pytest.mark.parametrize(
    ("piece", "name"),
    [
        ("如再发胸痛立即就诊", "alarms"),
        ("2周后门诊复诊", "visits"),
        ("病理结果待回报", "pending"),
        ("继续口服多糖铁复合物", "drugs"),
        ("低脂饮食", "care"),
    ],
)
def test_each_piece_has_its_heading(piece: str, name: str) -> None:
    assert part_of(piece) == name


@given(st.text(alphabet="嘱如发热立即就诊，。；出院1. 2周后复查\n", max_size=60))
def test_no_letter_of_advice_is_made_up(text: str) -> None:
    for piece in pieces(text):
        assert set(piece) <= set(text) | {"，"}


@given(st.text(alphabet="每日1次口服0.5g血常规复查", max_size=30))
def test_plain_words_keep_the_numbers(text: str) -> None:
    wording = plain(text, {row[0] for row in table("glossary.tsv")})
    assert re.findall(r"\d", wording.bare) == re.findall(r"\d", text)
    assert wording.shown == wording.bare


def test_the_glossary_has_no_number_and_no_word_twice() -> None:
    rows = table("glossary.tsv")
    assert all(len(row) == 3 and row[1] in ("say", "explain") for row in rows)
    assert len({row[0] for row in rows}) == len(rows)
    assert not any(re.search(r"\d", row[2]) for row in rows)


def test_the_level_of_an_empty_text_is_no_error() -> None:
    assert level([], explained=True).sentences == 0


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1") as opened:
        yield opened


def test_the_api_gives_a_page_that_is_complete_and_escaped(client: TestClient) -> None:
    path = Path("assistant/samples/encounters/stemi-pci.json")
    stay = json.loads(path.read_text("utf-8"))
    stay["patient"]["name"] = "<b>郭"
    draft = client.post("/v1/patient-versions", json={"encounter": stay}).json()["drafts"][0]
    page = draft["html"]
    assert "草稿" in page
    assert "&lt;b&gt;郭" in page
    assert "<b>郭" not in page
    assert not re.search(r"(?:src|href)=|https?:|<script", page)
    assert all(s["text"] in page for p in draft["parts"] for s in p["statements"])


@pytest.mark.parametrize(
    "body",
    [
        {"encounter": {"id": "e", "patient": {"id": "p"}}},
        {"encounter": {"id": "e", "patient": {"id": "p"}}, "record": "x" * 100_001},
        {"record": "出院医嘱：休息。"},
    ],
)
def test_a_body_without_a_record_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    response = client.post("/v1/patient-versions", json=body)
    assert response.status_code == 422
    assert "Traceback" not in response.text


def test_a_record_alone_needs_no_notes() -> None:
    bare = Encounter.model_validate({"id": "e", "patient": {"id": "p"}})
    assert "休息" in written(bare, "出院医嘱：休息2周。").plain_text()
