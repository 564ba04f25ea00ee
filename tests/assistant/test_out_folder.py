"""Where a command cannot write, it says so before it works."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from assistant.commands import out_folder


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    out_folder.make(tmp_path / "研究 一" / "b")
    assert (tmp_path / "研究 一" / "b").is_dir()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for taken in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(typer.BadParameter, match="无法写入"):
            out_folder.make(taken)


def test_a_folder_is_checked_without_being_made(tmp_path: Path) -> None:
    out_folder.check(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").touch()
    with pytest.raises(typer.BadParameter, match="无法写入"):
        out_folder.check(tmp_path / "file" / "below")
