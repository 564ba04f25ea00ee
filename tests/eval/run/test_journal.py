"""The file of answers survives a kill at any byte."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from eval.errors import EvalError, InputError
from eval.run.journal import Journal, write_whole

ROWS = [{"sample_id": str(number), "target": "答案\n" * number} for number in range(4)]


def test_what_was_appended_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    with Journal(path) as journal:
        for row in ROWS:
            journal.append(row)
    assert path.stat().st_mode & 0o077 == 0
    with Journal(path) as journal:
        assert journal.answered == {row["sample_id"]: row for row in ROWS}


def test_cut_anywhere_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    with Journal(path) as journal:
        for row in ROWS:
            journal.append(row)
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with Journal(path) as journal:
            kept = content[:size].count(b"\n")
            assert list(journal.answered) == [str(number) for number in range(kept)]
            journal.append({"sample_id": "new", "target": ""})
        lines = path.read_text("utf-8").splitlines()
        assert [json.loads(line)["sample_id"] for line in lines][-1] == "new"


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"sample_id": "1"}\nrubbish\n')
    with pytest.raises(InputError, match=":2:"):
        Journal(path).__enter__()


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with Journal(tmp_path / "p.jsonl") as journal:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(EvalError, match="No space"):
            journal.append(ROWS[0])
        assert not journal.answered


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "一")
    write_whole(path, "二")
    assert path.read_text("utf-8") == "二"
    assert list(tmp_path.iterdir()) == [path]
