"""Which model is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.errors import EvalError
from eval.run.model import ModelChoice, open_model
from serving.engine import Engine
from serving.engines.echo import EchoEngine
from serving.engines.remote import RemoteEngine


@pytest.mark.parametrize(
    "choice",
    [
        ModelChoice(),
        ModelChoice(echo=True, url="http://127.0.0.1:1/v1", model="m"),
        ModelChoice(url="http://127.0.0.1:1/v1"),
        ModelChoice(echo=True, precision="int3"),
        ModelChoice(url="ftp://x", model="m"),
        ModelChoice(engine="demo"),
        ModelChoice(url="http://127.0.0.1:1/v1", model="m", api_key_env="NO_SUCH_VARIABLE_HERE"),
    ],
)
def test_what_cannot_be_opened_is_said(choice: ModelChoice) -> None:
    with pytest.raises(EvalError):
        open_model(choice, None)


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="cannot be opened"):
        open_model(ModelChoice(folder=tmp_path), None)


def test_a_configured_engine_is_opened_by_its_name(tmp_path: Path) -> None:
    asked: list[str] = []

    def configured(name: str) -> tuple[Engine, dict[str, str]]:
        asked.append(name)
        return EchoEngine(), {"folder": str(tmp_path), "kv_cache": "u8"}

    opened = [open_model(ModelChoice(engine="glm"), configured)]
    (tmp_path / "weights.bin").write_bytes(b"1")
    opened.append(open_model(ModelChoice(engine="glm"), configured))
    assert asked == ["glm", "glm"]
    assert opened[0].engine.card.name == "echo"
    assert opened[0].settings["kv_cache"] == "u8"
    assert opened[0].settings["files_sha256"] != opened[1].settings["files_sha256"]
    assert all(model.fixed for model in opened)


def test_a_server_is_only_as_fixed_as_its_weights_are_said_to_be() -> None:
    url = "http://127.0.0.1:9/v1"
    loose = open_model(ModelChoice(url=url, model="m"), None)
    pinned = open_model(ModelChoice(url=url, model="m", weights="glm4 int4 r3"), None)
    assert isinstance(loose.engine, RemoteEngine)
    assert (loose.fixed, pinned.fixed) == (False, True)
    assert loose.settings != pinned.settings
