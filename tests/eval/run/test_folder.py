"""A folder is of one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.errors import EvalError
from eval.run.folder import alone, read_settings, same_settings


def test_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with alone(folder):
        assert folder.stat().st_mode & 0o077 == 0
        with pytest.raises(EvalError, match="Another run is at work"), alone(folder):
            pass
    with alone(folder):
        pass


def test_the_same_settings_go_on_and_others_do_not(tmp_path: Path) -> None:
    path, answers = tmp_path / "run.json", tmp_path / "answers.jsonl"
    settings = {"format": 1, "data": "x", "parallel": 2, "command": "a"}
    same_settings(path, answers, settings)
    answers.touch()
    same_settings(path, answers, settings | {"parallel": 4, "command": "b"})
    assert read_settings(path) == settings
    with pytest.raises(EvalError, match="data, more differ"):
        same_settings(path, answers, settings | {"data": "y", "more": 1})
    path.unlink()
    with pytest.raises(EvalError, match=r"without run\.json"):
        same_settings(path, answers, settings)


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "cannot be read"), ("[]", "another version"), ('{"format": 2}', "another version")],
)
def test_a_damaged_file_is_said(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content, "utf-8")
    with pytest.raises(EvalError, match=said):
        read_settings(path)
