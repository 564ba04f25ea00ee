"""Files of answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from promptcblue_sets import gold, write_lines

from eval.errors import InputError
from eval.promptcblue.prediction import read_predictions
from eval.promptcblue.tracks import CCKS2023

SAMPLES = {sample.sample_id: sample for sample in gold(CCKS2023)}
FIRST = next(iter(SAMPLES.values()))


def test_id_and_text_are_enough(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", [{"sample_id": FIRST.sample_id, "target": "文字"}])
    (answer,) = read_predictions(path, SAMPLES)
    assert (answer.text, answer.task_dataset) == ("文字", FIRST.task_dataset)
    assert answer.choices == FIRST.answer_choices


@pytest.mark.parametrize("thoughts", ["<think>也许是感冒</think>\n\n", "也许是感冒</think>\n"])
def test_thoughts_are_no_part_of_an_answer(tmp_path: Path, thoughts: str) -> None:
    row = {"sample_id": FIRST.sample_id, "target": f"{thoughts}肺炎"}
    (answer,) = read_predictions(write_lines(tmp_path / "p.jsonl", [row]), SAMPLES)
    assert answer.text == "肺炎"


def test_a_failure_is_no_answer(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", [{"sample_id": "1", "failed": "prompt too long"}])
    assert read_predictions(path, SAMPLES) == []


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"sample_id": "1"}, "target"),
        ({"sample_id": "1", "target": None}, "target"),
        ({"target": "文字"}, "sample_id"),
        ({"sample_id": FIRST.sample_id, "target": "", "task_dataset": "MedDG"}, "task_dataset"),
        ({"sample_id": "1", "target": "", "answer_choices": {}}, "answer_choices"),
    ],
)
def test_a_wrong_field(tmp_path: Path, row: dict[str, object], field: str) -> None:
    path = write_lines(tmp_path / "p.jsonl", [{"sample_id": "0", "target": ""}, row])
    with pytest.raises(InputError) as caught:
        read_predictions(path, SAMPLES)
    assert (caught.value.line, caught.value.field) == (2, field)


def test_a_sample_is_answered_once(tmp_path: Path) -> None:
    row = {"sample_id": "1", "target": ""}
    path = write_lines(tmp_path / "p.jsonl", [row, row])
    with pytest.raises(InputError, match="line 1"):
        read_predictions(path, SAMPLES)


def test_a_half_line_is_passed_over_where_that_is_asked(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", [{"sample_id": "1", "target": "a"}])
    path.write_text(path.read_text() + '{"sample_id": "2", "tar')
    assert [a.sample_id for a in read_predictions(path, SAMPLES, whole_lines=True)] == ["1"]
    with pytest.raises(InputError, match="cut off"):
        read_predictions(path, SAMPLES)
