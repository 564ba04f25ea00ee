"""Environment over file over default; the reference and the example follow the code."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from assistant.settings import PanelMember, Settings
from assistant.settings_reference import markdown

ROOT = Path(__file__).parent.parent.parent


def test_environment_over_file_over_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b.toml"
    file.write_text('port = 9001\nhost = "127.0.0.2"\n')
    monkeypatch.setenv("BEDSIDE_CONFIG", str(file))
    assert Settings().port == 9001
    assert Settings().jobs == 2
    monkeypatch.setenv("BEDSIDE_PORT", "9002")
    assert Settings().port == 9002
    assert Settings().host == "127.0.0.2"
    assert Settings(port=9003).port == 9003


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValidationError, match="nobody"):
        Settings(default_engine="nobody")


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        ([PanelMember(name="甲"), PanelMember(name="甲", prompt="open")], "甲"),
        ([PanelMember(name="知识库排序")], "knowledge ranking"),
        ([PanelMember(name="甲", prompt="wishful")], "wishful; there are: evidence"),
    ],
)
def test_a_panel_that_cannot_sit_is_refused(panel: list[PanelMember], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(panel=panel)


def test_the_example_file_is_valid_and_seats_three_members(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BEDSIDE_CONFIG", str(ROOT / "bedside.example.toml"))
    assert len(Settings().panel) == 3


def test_the_configuration_reference_is_up_to_date() -> None:
    kept = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert kept == markdown(), "run `make docs`"
