"""``bedside structure`` as an engineer uses it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from pathlib import Path

import pytest
import warm_process
from typer.testing import CliRunner

from assistant.cli import app

ROOT = Path(__file__).parent.parent.parent
TEXT = "发热、咳嗽3天，无胸痛。\r\n😷T 38.5℃，口服布洛芬0.2g。"
REPORT = "右肺上叶见结节，大小约8mm，边缘毛刺。"


@pytest.fixture
def home(tmp_path: Path, knowledge_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "knowledge").symlink_to(knowledge_folder)
    config = tmp_path / "bedside.toml"
    config.write_text('encoder = "hashing"\n')
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BEDSIDE_CONFIG", str(config))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bedside(*arguments: object) -> str:
    run = CliRunner().invoke(app, ["structure", *map(str, arguments)], catch_exceptions=False)
    assert run.exit_code == 0, run.output
    return run.stdout


@pytest.fixture
def note(home: Path) -> Path:
    path = home / "note.txt"
    path.write_bytes(TEXT.encode())
    return path


def test_one_file_as_one_object(note: Path) -> None:
    told = json.loads(bedside(note, "--json"))
    assert {e["text"] for e in told["entities"]} >= {"发热", "咳嗽", "胸痛", "布洛芬"}
    for entity in told["entities"]:
        assert TEXT[entity["start"] : entity["end"]] == entity["text"]
        assert {"type", "polarity", "certainty"} <= entity.keys()
    assert {(r["predicate"], r["object"]["text"]) for r in told["relations"]} >= {
        ("结果", "38.5℃"),
        ("剂量", "0.2g"),
    }


def test_the_day_of_admission(note: Path) -> None:
    note.write_text("3天前发热。", encoding="utf-8")
    told = json.loads(bedside(note, "--json", "--admitted", "2024-03-05"))
    assert told["entities"][0]["time"]["value"] == "2024-03-02"


def test_a_table_of_features(note: Path) -> None:
    note.write_text(REPORT, encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO(bedside(note, "--template", "chest-ct")))
    assert (row["lobe"], row["size"], row["spiculation"]) == ("右肺上叶", "8mm", "有")
    table = json.loads(bedside(note, "--template", "chest-ct", "--json"))
    (mention,) = table["rows"][0]["cells"]["size"]["evidence"]
    assert REPORT[mention["start"] : mention["end"]] == mention["text"]


def test_fhir_and_csv_on_standard_output(note: Path) -> None:
    assert json.loads(bedside(note, "--format", "fhir"))["resourceType"] == "Bundle"
    assert bedside(note, "--format", "csv").startswith("note_id,")


def test_a_folder_goes_on_where_it_stopped(home: Path) -> None:
    folder = home / "notes"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(TEXT, encoding="utf-8")
    out = home / "out.jsonl"
    bedside(folder, "--out", out)
    first = out.read_text("utf-8")
    assert [json.loads(line)["note_id"] for line in first.splitlines()] == [
        "0.txt", "1.txt", "2.txt",
    ]  # fmt: skip
    with out.open("ab") as torn:
        torn.write(b'{"note')
    (folder / "3.txt").write_text(TEXT, encoding="utf-8")
    bedside(folder, "--out", out)
    lines = out.read_text("utf-8").splitlines()
    assert "\n".join(lines[:3]) + "\n" == first
    assert [json.loads(line)["note_id"] for line in lines] == [f"{n}.txt" for n in range(4)]


def test_a_folder_as_a_table(home: Path) -> None:
    folder = home / "reports"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.txt").write_text(REPORT, encoding="utf-8")
    bedside(folder, "--template", "chest-ct", "--out", home / "t.csv")
    found = list(csv.DictReader((home / "t.csv").open(encoding="utf-8")))
    assert [row["note_id"] for row in found] == ["0.txt", "1.txt"]
    assert {row["size"] for row in found} == {"8mm"}


def run(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200"}
    return warm_process.bedside(environment, "structure", *arguments)


def test_errors_are_sentences_that_name_file_and_line(home: Path, note: Path) -> None:
    bad = home / "bad.yaml"
    bad.write_text("name: x\ntitle: y\nfeatures:\n  - name: a\n    title: b\n    kind: what\n")
    told = run(home, note, "--template", bad)
    assert told.returncode == 1
    assert "bad.yaml, line 6" in told.stderr
    assert "Traceback" not in told.stderr
    lines = home / "a.jsonl"
    lines.write_text('{"text": "发热"}\n{no\n')
    told = run(home, lines, "--json")
    assert told.returncode == 1
    assert "a.jsonl, line 2" in told.stderr


def test_a_folder_as_parquet_goes_on_after_a_stop(home: Path) -> None:
    files = pytest.importorskip("pyarrow.parquet")
    notes = home / "notes"
    notes.mkdir()
    for number in range(3):
        (notes / f"{number}.txt").write_text(f"=发热{number}天，无胸痛。", encoding="utf-8")
    target = home / "cohort.parquet"
    bedside(notes, "--out", target, "--format", "parquet")
    rows = files.read_table(target).to_pylist()
    assert {row["note_id"] for row in rows} == {"0.txt", "1.txt", "2.txt"}
    absent = [row for row in rows if row["text"] == "胸痛"]
    assert [row["polarity"] for row in absent] == ["absent"] * 3
    assert all(isinstance(row["start"], int) and row["value"] is None for row in absent)
    assert sorted(path.name for path in home.iterdir() if "cohort" in path.name) == [target.name]

    # As a stop leaves it: rows and their journal, no Parquet file.
    bedside(notes, "--out", home / "rows.csv", "--format", "csv")
    refused = run(home, notes, "--out", target, "--format", "parquet")
    assert refused.returncode == 2
    assert "there already" in refused.stderr
    bedside(notes, "--out", target, "--format", "parquet", "--restart")
    assert files.read_table(target).to_pylist() == rows


def test_parquet_of_no_entities_has_its_columns(home: Path) -> None:
    files = pytest.importorskip("pyarrow.parquet")
    empty = home / "empty.txt"
    empty.write_text("", encoding="utf-8")
    bedside(empty, "--out", home / "a.parquet", "--format", "parquet")
    table = files.read_table(home / "a.parquet")
    assert table.num_rows == 0
    assert {"note_id", "start", "codes"} <= set(table.column_names)


def test_a_file_that_cannot_be_read_does_not_stop_the_others(home: Path) -> None:
    notes = home / "notes"
    notes.mkdir()
    (notes / "a.txt").write_text("发热3天。", encoding="utf-8")
    (notes / "b.json").write_text("{", encoding="utf-8")
    (notes / "c.txt").write_text("咳嗽3天。", encoding="utf-8")
    told = run(home, notes, "--out", home / "all.jsonl")
    assert told.returncode == 1
    assert "b.json, line 1: not JSON" in told.stderr
    lines = (home / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["note_id"] for line in lines] == ["a.txt", "c.txt"]
    (notes / "b.json").write_text(json.dumps({"text": "腹痛1天。"}), encoding="utf-8")
    assert run(home, notes, "--out", home / "all.jsonl").returncode == 0
    assert len((home / "all.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_each_file_is_a_patient_of_its_own(home: Path) -> None:
    notes = home / "notes"
    notes.mkdir()
    for name in ("张三.txt", "李四.txt"):
        (notes / name).write_text("诊断：高血压。", encoding="utf-8")
    bedside(notes, "--out", home / "b.ndjson", "--format", "fhir")
    patients = {
        entry["resource"]["id"]
        for line in (home / "b.ndjson").read_text(encoding="utf-8").splitlines()
        for entry in json.loads(line)["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    }
    assert len(patients) == 2


@pytest.fixture
def many(home: Path) -> Path:
    folder = home / "many"
    folder.mkdir()
    for number in range(6):
        text = f"第{number}天发热，T 38.{number}℃，无胸痛。诊断：肺炎。"
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    lines = [json.dumps({"id": f"n{k}", "text": f"咳嗽{k}天，否认高血压。"}) for k in range(2)]
    (folder / "9.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def without_times(path: Path) -> list[object]:
    notes = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for note in notes:
        del note["seconds"]
    return notes


def test_several_processes_write_what_one_writes(
    home: Path, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bedside(many, "--out", home / "one.jsonl")
    bedside(many, "--out", home / "one.csv", "--format", "csv")
    monkeypatch.setattr("assistant.tasks.structuring.command_file.processes_for", lambda *_: 2)
    bedside(many, "--out", home / "two.jsonl")
    bedside(many, "--out", home / "two.csv", "--format", "csv")
    assert without_times(home / "two.jsonl") == without_times(home / "one.jsonl")
    assert (home / "two.csv").read_bytes() == (home / "one.csv").read_bytes()


def test_several_processes_go_on_where_a_stop_left_the_file(
    home: Path, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, journal = home / "o.jsonl", home / "o.jsonl.journal"
    bedside(many, "--out", out)
    whole = without_times(out)
    lines = journal.read_text("utf-8").splitlines(keepends=True)
    journal.write_text("".join(lines[:4]) + lines[4][:5], encoding="utf-8")
    monkeypatch.setattr("assistant.tasks.structuring.command_file.processes_for", lambda *_: 2)
    bedside(many, "--out", out)
    assert without_times(out) == whole
