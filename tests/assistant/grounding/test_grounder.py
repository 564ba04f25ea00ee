"""Grounding is judged on statements whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from assistant.draft import Statement
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import Scope, segment_note, segment_notes
from assistant.record.encounter import Encounter
from assistant.record.note import Note
from knowledge.base import KnowledgeBase

ROOT = Path(__file__).parent.parent.parent.parent
CASES: list[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "data" / "grounding_cases.json").read_text("utf-8")
)
STAY = {Scope.PRESENTING, Scope.STAY}
Ground = Callable[[str, str], Statement]


@pytest.fixture(scope="module")
def ground(knowledge: KnowledgeBase) -> Ground:
    # A record is read once for all the statements that stand behind one another in the data.
    @lru_cache(maxsize=1)
    def grounder(record: str) -> Grounder:
        return Grounder(
            segment_note(Note(id="n", text=record)),
            findings_of=knowledge.extractor.extract,
            drugs_of=drug_names(),
        )

    return lambda record, statement: grounder(record).ground("s", statement)


RECORD = (
    "患者3天前受凉后发热，体温最高39.2℃，咳嗽，咳黄痰，无胸痛、咯血。"
    "查体：左下肺可闻及湿啰音，双下肢无水肿。白细胞13.2×10^9/L。"
    "2026年3月5日予头孢曲松2.0g静脉滴注每日1次，3天后体温正常。否认青霉素过敏史。"
)


@pytest.mark.parametrize(
    "statement",
    [
        "受凉后发热3天，体温最高39.2℃。",
        "咳嗽、咳黄痰，无胸痛及咯血。",
        "左下肺闻及湿啰音。",
        "白细胞 13.2*10^9/L。",
        "3月5日予头孢曲松2.0g静脉滴注。",
        "予头孢曲松2g静脉滴注每日1次。",
        "否认青霉素过敏史。",
    ],
)
def test_true_statements_are_supported_with_their_span(ground: Ground, statement: str) -> None:
    checked = ground(RECORD, statement)
    assert checked.status == "supported", checked.problems
    assert checked.evidence
    for evidence in checked.evidence:
        assert evidence.span is not None
        assert RECORD[evidence.span.start : evidence.span.end] == evidence.quote


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("体温最高38.2℃。", "number"),
        ("白细胞13.2g/L。", "unit"),
        ("3月6日予头孢曲松2.0g静脉滴注。", "date"),
        ("予头孢曲松4.0g静脉滴注每日1次。", "dose"),
        ("予左氧氟沙星静脉滴注每日1次。", "drug"),
        ("右下肺闻及湿啰音。", "laterality"),
        ("患者有胸痛、咯血。", "negation"),
        ("患者无咳嗽。", "negation"),
        ("有青霉素过敏史。", "negation"),
        ("患者既往行冠状动脉支架植入术。", "no_evidence"),
        ("无糖尿病。", "negation"),
    ],
)
def test_one_wrong_fact_is_enough(ground: Ground, statement: str, problem: str) -> None:
    checked = ground(RECORD, statement)
    assert checked.status == "unsupported"
    assert problem in {p.kind for p in checked.problems}


def test_a_denied_finding_cannot_become_a_finding_in_any_wording(ground: Ground) -> None:
    for statement in ("胸痛。", "伴胸痛", "患者出现咯血。", "有胸痛，无咯血。", "胸痛、咯血明显。"):
        assert ground("否认胸痛、咯血。", statement).status == "unsupported"


def test_an_earlier_stay_does_not_support_this_one(knowledge: KnowledgeBase) -> None:
    notes = [
        Note(id="a", kind="admission", text="现病史：2年前在外院行阑尾切除术，术后恢复好。"),
        Note(id="b", kind="progress", text="今日体温正常，继续静脉补液。"),
    ]
    grounder = Grounder(
        segment_notes(notes), findings_of=knowledge.extractor.extract, drugs_of=drug_names()
    )
    checked = grounder.ground("s", "在外院行阑尾切除术，术后恢复好。", scopes={Scope.STAY})
    assert [p.kind for p in checked.problems] == ["earlier_stay"]


ATTACKS: list[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "data" / "grounding_attacks.json").read_text("utf-8")
)


@pytest.mark.parametrize("case", ATTACKS, ids=lambda c: c["statement"][:20])
def test_what_nearly_stands_in_the_record_is_told_from_what_does(
    ground: Ground, case: dict[str, Any]
) -> None:
    checked = ground(case["record"], case["statement"])
    assert (checked.status == "supported") == case["supported"], checked.problems


REWORDINGS: list[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "data" / "grounding_rewordings.json").read_text("utf-8")
)


@pytest.mark.parametrize("case", REWORDINGS, ids=lambda c: c["statement"][:20])
def test_a_true_rewording_is_supported_and_its_neighbour_is_not(
    ground: Ground, case: dict[str, Any]
) -> None:
    checked = ground(case["record"], case["statement"])
    assert (checked.status == "supported") == case["supported"], checked.problems


def _judged(knowledge: KnowledgeBase) -> list[tuple[dict[str, Any], Statement]]:
    judged = []
    grounders: dict[str, Grounder] = {}
    for case in CASES:
        scopes = STAY if case["error"] == "earlier_stay" else None
        if known := grounders.get(case["encounter"]):
            judged.append((case, known.ground("s", case["statement"], scopes=scopes)))
            continue
        path = ROOT / "assistant" / "samples" / "encounters" / f"{case['encounter']}.json"
        encounter = Encounter.model_validate_json(path.read_bytes())
        assert encounter.admitted_at is not None
        grounder = Grounder(
            segment_notes(encounter.all_notes(), encounter.admitted_at.date()),
            findings_of=knowledge.extractor.extract,
            drugs_of=drug_names(m.name for m in encounter.medications),
            patient_names=[encounter.patient.name],
        )
        grounders[case["encounter"]] = grounder
        judged.append((case, grounder.ground("s", case["statement"], scopes=scopes)))
    return judged


def test_seeded_errors_are_found_and_true_statements_mostly_pass(
    knowledge: KnowledgeBase,
) -> None:
    judged = _judged(knowledge)
    missed = [c["statement"] for c, s in judged if not c["supported"] and s.status == "supported"]
    alarms = [c["statement"] for c, s in judged if c["supported"] and s.status != "supported"]
    assert missed == [], "an error that passes as supported is a danger"
    assert len(alarms) <= 7, alarms
