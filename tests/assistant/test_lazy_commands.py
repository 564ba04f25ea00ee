"""The command line answers at once: what a command does not need is not imported for its help."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli import app, commands
from assistant.lazy_commands import LazyCommand, Row
from eval.commands import COMMANDS as EVALUATIONS

ROOT = Path(__file__).parent.parent.parent
HEAVY = {"openvino", "gradio", "langchain", "langchain_core", "sqlalchemy", "faiss", "fastapi"}
COUNT = """
import runpy, sys
sys.argv = ["bedside", *sys.argv[1:]]
try:
    runpy.run_module("assistant.cli", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def imported(*arguments: str, path: Path | None = None) -> tuple[str, set[str]]:
    """What the command prints, and the top-level modules that it imported."""
    paths = [str(ROOT)] if path is None else [str(path), str(ROOT)]
    run = subprocess.run(
        [sys.executable, "-c", COUNT, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    text, _, names = run.stdout.rpartition("imported:")
    return text, set(names.split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("eval", "--help")])
def test_a_list_of_commands_imports_none_of_them(arguments: tuple[str, ...]) -> None:
    _, names = imported(*arguments)
    assert not names & (HEAVY | {"numpy", "httpx", "jinja2", "yaml"})


GROUPS = ("audit", "engine", "feedback", "kb", "key", "model", "train")
ALONE = ("chat", "ddx", "discharge", "doctor", "purge", "serve", "settings", "setup", "structure")
INNER = (
    ("model", "convert"),
    ("model", "try"),
    ("model", "approve"),
    ("kb", "build"),
    ("train", "score"),
    ("eval", "run"),
    ("eval", "differential"),
    ("eval", "structuring"),
)


@pytest.mark.parametrize("command", [*((name,) for name in (*GROUPS, *ALONE)), *INNER])
def test_the_help_of_a_command_does_not_import_what_it_runs(command: tuple[str, ...]) -> None:
    text, names = imported(*command, "--help")
    assert "Usage" in text
    assert not names & HEAVY


def test_structuring_a_note_imports_neither_page_nor_server_nor_search(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("发热、咳嗽3天。", encoding="utf-8")
    text, names = imported("structure", str(note), "--json")
    assert "咳嗽" in text
    assert not names & (HEAVY - {"openvino"})


def test_the_version_is_that_of_the_distribution() -> None:
    assert imported("--version")[0].strip() == f"bedside {version('bedside')}"


@pytest.mark.parametrize("row", [*commands(), *EVALUATIONS], ids=lambda row: row.name)
def test_a_list_says_of_a_command_what_its_own_help_begins_with(row: Row) -> None:
    command = LazyCommand(row).load()
    assert row.help == " ".join(command.help.partition("\n\n")[0].split())
    assert command.name == row.name


def test_a_mounted_group_is_listed_without_importing_it(tmp_path: Path) -> None:
    package = tmp_path / "ward_tools"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "commands.py").write_text(
        '"""Tools of the ward.\n\nMore."""\nimport typer\napp = typer.Typer()\n'
        '@app.command()\ndef beds() -> None:\n    """Count beds."""\n    print("12 beds")\n'
        '@app.command()\ndef rooms() -> None:\n    """Count rooms."""\n'
    )
    facts = tmp_path / "ward_tools-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: ward-tools\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[bedside.commands]\nward = ward_tools.commands:app\n")
    text, names = imported("--help", path=tmp_path)
    assert "Tools of the ward." in text
    assert "More." not in text
    assert "ward_tools" not in names
    assert "12 beds" in imported("ward", "beds", path=tmp_path)[0]


def test_an_unknown_command_names_the_nearest() -> None:
    run = CliRunner().invoke(app, ["structur"])
    assert run.exit_code == 2
    assert "structure" in run.output
