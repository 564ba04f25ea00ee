"""Cases as files have them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.clinical.differential.cases import cases_digest, read_cases
from eval.errors import InputError

CONSULTATION = {
    "split": "train",
    "self_report": "宝宝两岁，流清鼻涕三天。",
    "symptoms": {"咳嗽": True, "发热": False},
    "dialogue": ["应该是上呼吸道感染"],
    "disease": "上呼吸道感染",
}


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    return path


def test_text_and_the_case_of_the_api(tmp_path: Path) -> None:
    structured = {
        "patient": {"id": "p1", "sex": "male", "age_years": 58},
        "encounter_id": "e1",
        "chief_complaint": "胸痛2小时",
    }
    path = lines(
        tmp_path / "c.jsonl",
        {"case": "发热咳嗽三天", "gold": "肺炎"},
        {"id": "b", "case": structured, "gold": ["急性心肌梗死", "急性心肌梗塞 "]},
    )
    first, second = read_cases(path)
    assert (first.id, first.case.text, first.gold) == ("c-1", "发热咳嗽三天", ("肺炎",))
    assert (second.id, second.case.patient.age_years) == ("b", 58)
    assert second.gold == ("急性心肌梗死", "急性心肌梗塞")
    assert cases_digest([first]) != cases_digest([second])


def test_a_consultation_is_read_without_its_dialogue(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps(CONSULTATION, ensure_ascii=False) + "\n")
        file.write(json.dumps(CONSULTATION | {"split": "test", "symptoms": {}}) + "\n")
    first, second = read_cases(path)
    assert first.case.text == "宝宝两岁，流清鼻涕三天。\n问诊：有咳嗽，无发热。"
    assert second.case.text == "宝宝两岁，流清鼻涕三天。"
    assert first.gold == ("上呼吸道感染",)
    assert "感冒" in first.same
    assert [case.id for case in read_cases(path, "test")] == ["d-2"]
    assert len(read_cases(path, limit=1)) == 1


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"case": "x"}, "gold"),
        ({"case": "x", "gold": []}, "gold"),
        ({"case": "x", "gold": [1]}, "gold"),
        ({"case": "", "gold": "肺炎"}, "case"),
        ({"case": 3, "gold": "肺炎"}, "case"),
        ({"case": {}, "gold": "肺炎"}, "case.patient"),
        (
            {"case": {"patient": {"id": "p", "sex": "男"}, "encounter_id": "e"}, "gold": "肺炎"},
            "case.patient.sex",
        ),
        ({"case": {"patient": {"id": "p"}, "encounter_id": "e"}, "gold": "肺炎"}, "case"),
        ({"id": 4, "case": "x", "gold": "肺炎"}, "id"),
        ({"input": "x"}, "case"),
        (CONSULTATION | {"symptoms": {"咳嗽": "有"}}, "symptoms"),
        (CONSULTATION | {"symptoms": None}, "symptoms"),
        (CONSULTATION | {"disease": ""}, "disease"),
        (CONSULTATION | {"self_report": 1}, "self_report"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, row: dict[str, Any], field: str
) -> None:
    path = lines(tmp_path / "c.jsonl", {"case": "好的", "gold": "肺炎"}, row)
    with pytest.raises(InputError) as caught:
        read_cases(path)
    assert (caught.value.line, caught.value.field) == (2, field)
    assert str(path) in str(caught.value)


def test_a_message_does_not_repeat_the_case(tmp_path: Path) -> None:
    case = {"patient": {"id": "p", "name": ["王小明"]}, "encounter_id": "e", "text": "王小明发热"}
    path = lines(tmp_path / "c.jsonl", {"case": case, "gold": "肺炎"})
    with pytest.raises(InputError) as caught:
        read_cases(path)
    assert "王小明" not in str(caught.value)


def test_ids_are_unique_and_a_file_is_not_empty(tmp_path: Path) -> None:
    row = {"id": "a", "case": "x", "gold": "肺炎"}
    with pytest.raises(InputError, match="line 1 already"):
        read_cases(lines(tmp_path / "c.jsonl", row, row))
    with pytest.raises(InputError, match="no case of the split 'test'"):
        read_cases(lines(tmp_path / "d.jsonl", row | {"split": "train"}), "test")
    with pytest.raises(InputError, match="'split'"):
        read_cases(lines(tmp_path / "e.jsonl", row), "test")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    row=st.dictionaries(
        st.sampled_from(["id", "case", "gold", "self_report", "symptoms", "disease", "split"]), JSON
    )
)
def test_any_object_is_read_or_refused(
    row: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = lines(tmp_path_factory.mktemp("rows") / "c.jsonl", row)
    refused: InputError | None = None
    try:
        (case,) = read_cases(path)
        assert case.case.notes()
        assert all(case.gold)
    except InputError as error:
        refused = error
    assert refused is None or refused.line in (0, 1)


@pytest.mark.shared
def test_the_consultations(shared_data: Path) -> None:
    path = shared_data / "cases" / "dxy_pediatric_dialogues.jsonl.gz"
    assert len(read_cases(path)) == 527
    test = read_cases(path, "test")
    assert len(test) == 104
    assert len({case.gold for case in test}) == 5
