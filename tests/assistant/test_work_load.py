"""The file that a command of a task reads: JSON or text of any usual encoding, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from assistant.commands.work import encounter_of, load
from assistant.record.encounter import Encounter

ENCOUNTER = {"id": "e1", "notes": [{"text": "主诉：发热３天，T 38.5℃。"}]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_json_and_text_are_read_in_the_encodings_that_hospitals_write(
    tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "病历 一.json"
    file.write_bytes(json.dumps(ENCOUNTER, ensure_ascii=False).encode(encoding))
    assert load(file) == ENCOUNTER
    note = tmp_path / "note.txt"
    note.write_bytes("主诉：发热３天。".encode(encoding))
    assert load(note) == "主诉：发热３天。"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b'{"id": "e1", "notes": [', "JSON"),
        ("a.json", b"", "JSON"),
        ("a.txt", b'{"id": "e1", "notes": [', "JSON"),
        ("a.json", b"[{}]", "对象"),
        ("a.txt", b"[{}]", "对象"),
        ("a.json", b"5", "对象"),
        ("a.txt", bytes(range(256)), "文本"),
    ],
)
def test_what_is_neither_is_not_taken_for_a_note(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(typer.BadParameter, match=said):
        load(tmp_path / name)


def test_what_is_missing_or_unknown_in_an_encounter_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit):
        encounter_of({"id": "e1", "foo": 1}, "p", Encounter)
    said = capsys.readouterr()
    words = said.out + said.err
    assert "patient: 必填" in words
    assert "foo: 没有这个字段" in words
