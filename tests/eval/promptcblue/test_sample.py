"""Bad input names file, line and field."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promptcblue_sets import gold, gold_path, write_lines

from eval.errors import InputError
from eval.promptcblue.sample import Sample, parse_limits, read_samples
from eval.promptcblue.tracks import CCKS2023

NEEDS = {name: task.needs_choices for name, task in CCKS2023.tasks.items()}
ROW: dict[str, Any] = {
    "input": "感冒能喝酒吗",
    "target": "不是",
    "answer_choices": ["是的", "不是"],
    "task_type": "cls",
    "task_dataset": "CHIP-STS",
    "sample_id": "a-1",
}


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_samples(path, NEEDS)
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sample_id", 7),
        ("sample_id", " "),
        ("input", None),
        ("target", ["不是"]),
        ("answer_choices", "是的，不是"),
        ("answer_choices", ["是的", 1]),
        ("task_dataset", "CHIP-ST"),
        ("task_dataset", {}),
        ("task_type", 3),
    ],
)
def test_a_wrong_field(tmp_path: Path, field: str, value: Any) -> None:
    path = write_lines(tmp_path / "set.jsonl", [ROW, ROW | {"sample_id": "a-2", field: value}])
    error = refused(path)
    assert (error.line, error.field) == (2, field)
    assert f"{path}:2: field '{field}'" in str(error)


@pytest.mark.parametrize("field", ["sample_id", "input", "target", "task_dataset"])
def test_a_missing_field(tmp_path: Path, field: str) -> None:
    row = {key: value for key, value in ROW.items() if key != field}
    error = refused(write_lines(tmp_path / "set.jsonl", [row]))
    assert (error.line, error.field) == (1, field)
    assert "missing" in str(error)


def test_choices_are_needed_where_the_task_reads_them(tmp_path: Path) -> None:
    row = ROW | {"task_dataset": "CMeEE-V2", "answer_choices": None}
    assert refused(write_lines(tmp_path / "set.jsonl", [row])).field == "answer_choices"


def test_a_duplicate_id_names_both_lines(tmp_path: Path) -> None:
    rows = [ROW, ROW | {"sample_id": "a-2"}, ROW | {"input": "另一句"}]
    path = write_lines(tmp_path / "set.jsonl", rows)
    error = refused(path)
    assert (error.line, error.field) == (3, "sample_id")
    assert "line 1" in str(error)
    assert [s.sample_id for s in read_samples(path, NEEDS, number=True)] == [
        "set-1",
        "set-2",
        "set-3",
    ]


def test_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    whole = json.dumps(ROW, ensure_ascii=False)
    path.write_text(f"{whole}\n{whole[:50]}", encoding="utf-8")
    error = refused(path)
    assert error.line == 2
    assert "cut off" in str(error)


@pytest.mark.parametrize(("encoding", "guess"), [("gb18030", "GBK"), ("utf-16", "UTF-16")])
def test_another_encoding(tmp_path: Path, encoding: str, guess: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(ROW, ensure_ascii=False) + "\n", encoding=encoding)
    error = refused(path)
    assert error.line == 1
    assert guess in str(error)


@pytest.mark.parametrize("text", ['["a"]', "7", "nonsense", "[{}]", "[" * 100_000])
def test_a_line_that_is_no_object(tmp_path: Path, text: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(text + "\n", encoding="utf-8")
    assert refused(path).line == 1


def test_no_file_no_samples_and_a_damaged_archive(tmp_path: Path) -> None:
    assert "no such file" in str(refused(tmp_path / "absent.jsonl"))
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    assert "no sample" in str(refused(empty))
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(gold_path(CCKS2023).read_bytes())[:400])
    assert "damaged" in str(refused(cut))


def test_gzip_a_byte_order_mark_and_blank_lines_are_read(tmp_path: Path) -> None:
    content = gold_path(CCKS2023).read_bytes()
    packed = tmp_path / "set.jsonl.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + content + b"\n  \n"))
    assert read_samples(packed, NEEDS) == gold(CCKS2023)


def test_a_filter_takes_the_first_of_a_task() -> None:
    limits = parse_limits(["MedDG:2", "KUAKE-IR"], CCKS2023.tasks)
    taken = read_samples(gold_path(CCKS2023), NEEDS, limits)
    assert [s.task_dataset for s in taken].count("MedDG") == 2
    assert {s.task_dataset for s in taken} == {"MedDG", "KUAKE-IR"}
    every = read_samples(gold_path(CCKS2023), NEEDS, parse_limits(["*:1"], CCKS2023.tasks))
    assert len(every) == len(CCKS2023.tasks)


@pytest.mark.parametrize("text", ["MedDG:0", "MedDG:x", "MedDG:-1", "Med", ":3", "MedDG:１"])
def test_a_bad_filter(text: str) -> None:
    with pytest.raises(ValueError, match=r"task|limit"):
        parse_limits([text], CCKS2023.tasks)


@given(
    st.builds(
        Sample,
        sample_id=st.text(min_size=1).filter(lambda text: bool(text.strip())),
        task_dataset=st.sampled_from(sorted(CCKS2023.tasks)),
        input=st.text(),
        target=st.text(),
        answer_choices=st.lists(st.text(), max_size=4).map(tuple),
    )
)
def test_what_is_written_is_read_again(tmp_path_factory: Any, sample: Sample) -> None:
    path = tmp_path_factory.mktemp("set") / "set.jsonl"
    write_lines(path, [sample.to_json()])
    assert read_samples(path, NEEDS) == [sample]
