"""Environment over file over default; the reference and the example follow the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from assistant.commands import engine_entry
from assistant.engine_settings import EngineSettings
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


def test_an_engine_of_ones_own_is_all_that_must_be_written() -> None:
    settings = Settings(engines={"ward": EngineSettings(model="glm")})
    assert settings.default_engine == "ward"
    assert [(member.name, member.engine) for member in settings.panel] == [("ward", "ward")]
    several = {"ward": EngineSettings(model="glm"), "other": EngineSettings(kind="echo")}
    chosen = Settings(
        engines=several, default_engine="other", panel=[PanelMember(name="甲", engine="ward")]
    )
    assert [member.engine for member in chosen.panel] == ["ward"]
    with pytest.raises(ValidationError, match=r"default_engine.*choose one of: other, ward"):
        Settings(engines=several)
    assert Settings(engines=several, default_engine="other", panel=[]).panel == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "bigdl", "precision": "bf16"}, "precision: not for an engine of kind bigdl"),
        ({"kind": "remote", "threads": 2, "cache_gib": 2}, "cache_gib, threads: not for"),
        ({"low_bit": "sym_int8"}, "low_bit: not for an engine of kind openvino"),
        ({"modle": "glm"}, "modle"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        EngineSettings.model_validate(fields)


@pytest.mark.parametrize("page", ["models.md", "bigdl.md"])
def test_what_the_documents_show_can_be_used(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    shown = [found for found in re.findall(r"```toml\n(.*?)```", text, re.S) if "[engines" in found]
    assert shown
    for example in shown:
        (tmp_path / "b.toml").write_text(example, encoding="utf-8")
        monkeypatch.setenv("BEDSIDE_CONFIG", str(tmp_path / "b.toml"))
        assert Settings().default_engine != "demo"


def test_what_is_printed_after_a_conversion_is_toml() -> None:
    for name in ("glm-4", "qwen2.5-0.5b"):
        entry = tomllib.loads(engine_entry.lines(name, "/srv/models/x"))
        assert entry == {"engines": {name: {"model": "/srv/models/x"}}}


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


def test_an_engines_thinking_is_one_of_its_chat_templates_options() -> None:
    engine = EngineSettings(enable_thinking=False, chat_template_kwargs={"depth": 2})
    assert engine.template_options == {"depth": 2, "enable_thinking": False}
    assert EngineSettings().template_options == {}
    with pytest.raises(ValueError, match="thinks_first: not for an engine of kind openvino"):
        EngineSettings(thinks_first=True)
    with pytest.raises(ValueError, match="enable_thinking: not for an engine of kind echo"):
        EngineSettings(kind="echo", enable_thinking=False)
