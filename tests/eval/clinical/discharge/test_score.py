"""Facts, traps and the reading of encounters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.draft import Problem, Statement
from assistant.record.encounter import Encounter
from assistant.tasks.discharge.draft import SectionDraft, SectionName
from eval.clinical.discharge.generator import generate
from eval.clinical.discharge.known import Fact, KnownEncounter, Trap, read_known, words
from eval.clinical.discharge.score import score
from eval.errors import InputError

SAMPLES = Path(__file__).parents[4] / "assistant" / "samples" / "encounters"


def fact(text: str, section: SectionName = "hospital_course") -> Fact:
    return Fact(section=section, kind="检验", words=words(text))


def draft(section: SectionName, *statements: Statement) -> SectionDraft:
    return SectionDraft(section=section, title="", model="m", statements=list(statements))


def said(text: str, *problems: str) -> Statement:
    return Statement(
        id="s",
        text=text,
        status="unsupported" if problems else "supported",
        problems=[Problem(kind=kind, text="") for kind in problems],  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("wanted", "text", "told"),
    [
        ("头孢曲松 & 2g", "予头孢曲松2.0g静脉滴注", True),
        ("头孢曲松 & 2g", "予头孢曲松12g静脉滴注", False),
        ("穿刺|引流", "行胸腔闭式引流", True),
        ("36.5", "T 36.50℃", True),
        ("36.5", "T 136.5℃，36.55", False),
        ("98", "血红蛋白98.5g/L", False),
        ("124/76", "ＢＰ １２４／７６mmHg", True),
    ],
)
def test_a_fact_is_told_in_any_of_its_wordings(wanted: str, text: str, told: bool) -> None:
    assert fact(wanted).is_in(text) is told


@given(st.integers(1, 999), st.integers(1, 999))
def test_a_number_is_told_by_itself_alone(wanted: int, written: int) -> None:
    assert fact(f"血钾 & {wanted}").is_in(f"血钾{written}，") is (wanted == written)


def test_a_trap_is_sprung_without_what_takes_it_away() -> None:
    trap = Trap(
        kind="family",
        section="admission_condition",
        quote="父亲患胃癌",
        words=("胃癌",),
        unless="父|母",
    )
    assert trap.sprung("患者既往患胃癌。")
    assert not trap.sprung("父亲患胃癌。")
    assert not trap.sprung("患者既往体健。")


def test_scores_of_one_encounter() -> None:
    encounter = Encounter.from_text("发热3天。", patient_id="p", encounter_id="e")
    known = KnownEncounter(
        encounter=encounter,
        facts=(fact("血钾 & 3.3"), fact("手术"), fact("诊断甲", "discharge_diagnosis")),
        traps=(
            Trap(
                kind="earlier_stay",
                section="hospital_course",
                quote="",
                words=("碎石",),
                unless="既往",
            ),
        ),
        reference={"hospital_course": "血钾3.3，行碎石。"},
    )
    drafts = [
        draft("hospital_course", said("血钾3.3。"), said("行碎石。", "earlier_stay", "number")),
        draft("discharge_diagnosis", said("1. 诊断甲").model_copy(update={"origin": "record"})),
    ]
    found = score(known, drafts, narrated=True)
    assert [told for _, told in found.told] == [True, False, True]
    assert len(found.written) == 2
    assert found.copied == 1
    assert found.wrong() == {"数字 numbers": 1, "既往住院 earlier stay": 1}
    assert [text for _, text in found.sprung] == ["行碎石。"]
    assert 0.7 < found.rouge["hospital_course"] <= 1
    alone = score(known, drafts, narrated=False)
    assert [f.section for f, _ in alone.told] == ["discharge_diagnosis"]
    assert alone.traps == ()


def test_what_is_not_recorded_tells_no_fact() -> None:
    encounter = Encounter.from_text("发热3天。", patient_id="p", encounter_id="e")
    known = KnownEncounter(encounter=encounter, facts=(fact("过敏史"),))
    found = score(known, [draft("hospital_course", said("过敏史：病历未记载"))], narrated=True)
    assert [told for _, told in found.told] == [False]


def test_encounters_are_read_from_folders_files_and_lines(tmp_path: Path) -> None:
    assert len(read_known(SAMPLES)) == 10
    assert len(read_known(SAMPLES, 3)) == 3
    (one,) = read_known(SAMPLES / "stemi-pci.json")
    assert one.encounter.id == "enc-stemi-pci"
    known = generate(2)
    rows = [
        known[0].model_dump_json(),
        json.dumps({"text": "患者，女，45岁，咳嗽3天。"}),
        known[1].encounter.model_dump_json(),
    ]
    path = tmp_path / "all.jsonl"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    read = read_known(path)
    assert read[0] == known[0]
    assert read[1].encounter.id == "text-2"
    assert read[2].encounter == known[1].encounter
    assert read[2].facts == ()


def test_a_wrong_line_is_named_without_its_text(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    row = generate(1)[0].model_dump(mode="json")
    row["encounter"]["notes"][0]["kind"] = "张三的病程"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    with pytest.raises(InputError) as raised:
        read_known(path)
    assert raised.value.line == 1
    assert raised.value.field == "encounter.notes.0.kind"
    assert "张三" not in str(raised.value)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no"):
        read_known(tmp_path / "none")
