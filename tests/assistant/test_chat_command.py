"""``bedside chat``: one question, a conversation, and an answer that is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest
import warm_process

from assistant.commands.chat import Conversation, engine_settings
from assistant.engine_settings import EngineSettings
from assistant.settings import Settings
from serving.engine import Chunk, Message, Prompt, PromptTooLong, Sampling
from serving.engines.echo import EchoEngine
from serving.ir.convert import convert
from serving.models.catalog import CatalogError

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "serving"))

import tiny_gguf  # noqa: E402

CONFIG = """
[engines.demo]
kind = "echo"
demo_only = true
[[panel]]
name = "甲"
engine = "demo"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with a model of random weights."""
    home = tmp_path_factory.mktemp("home")
    convert(tiny_gguf.write(home / "tiny.gguf"), home / "models" / "tiny")
    (home / "bedside.toml").write_text(CONFIG, encoding="utf-8")
    return home


def environment(home: Path) -> dict[str, str]:
    return os.environ | {"BEDSIDE_HOME": str(home), "BEDSIDE_CONFIG": str(home / "bedside.toml")}


def chat(home: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return warm_process.bedside(environment(home), "chat", *arguments, stdin=stdin)


def test_one_question_prints_its_answer_alone(home: Path) -> None:
    run = chat(home, "tiny", "--prompt", "你好", "--max-tokens", "6")
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    assert "模型 model: tiny" in run.stderr
    assert "+ 6 tokens" in run.stderr
    assert "仅供演示" in run.stderr


def test_an_engine_of_the_settings_answers(home: Path) -> None:
    run = chat(home, "--prompt", "-", stdin="胸痛3小时\n第二行")
    assert run.returncode == 0, run.stderr
    assert "胸痛3小时\n第二行" in run.stdout


def test_a_conversation_goes_on_until_exit(home: Path) -> None:
    run = chat(home, "demo", stdin="咳嗽\n/help\n/clear\n发热\n/exit\n腹痛\n")
    assert run.returncode == 0, run.stderr
    assert "咳嗽" in run.stdout
    assert "发热" in run.stdout
    assert "腹痛" not in run.stdout
    assert "已清空" in run.stderr
    assert run.stderr.count("/exit") == 2


def test_a_model_that_is_none_is_one_line(home: Path) -> None:
    run = chat(home, "nothing", "--prompt", "a")
    assert run.returncode == 1
    assert "nothing" in run.stderr
    assert "demo" in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_a_question_that_is_too_long_fails(home: Path) -> None:
    run = chat(home, "tiny", "--prompt", "a", "--max-tokens", "9999")
    assert run.returncode == 1
    assert "tokens" in run.stderr
    assert run.stdout == ""


def test_an_interrupt_stops_the_answer_and_not_the_conversation(home: Path) -> None:
    # A session of its own, so that the interrupt reaches every process as at a terminal.
    run = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", "chat", "tiny", "--max-tokens", "2500"],
        env=environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=ROOT,
        start_new_session=True,
    )
    assert run.stdin is not None
    assert run.stdout is not None
    watchdog = threading.Timer(200, run.kill)
    watchdog.start()
    run.stdin.write("你好\n")
    run.stdin.flush()
    # The prompt's two characters, then the answer begins.
    assert len(run.stdout.read(6)) == 6
    os.killpg(run.pid, signal.SIGINT)
    run.stdin.write("/clear\n再说一次\n/exit\n")
    run.stdin.flush()
    _, notes = run.communicate(timeout=200)
    watchdog.cancel()
    assert run.returncode == 0, notes
    assert notes.count("已停止 stopped") == 1
    assert "+ 2500 tokens" in notes
    assert "ended while it was answering" not in notes


class Narrow(EchoEngine):
    """Takes two messages at most."""

    def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        self.asked = list(prompt)
        if len(prompt) > 2:
            raise PromptTooLong(len(prompt), 2)
        return super().generate(prompt, sampling, schema)


async def test_what_was_said_goes_along_and_clear_forgets_it(capsys: Any) -> None:
    engine = EchoEngine()
    talk = Conversation(engine, Sampling(), "你是助手")
    asked: list[list[Message]] = []
    generate = engine.generate

    def remembering(prompt: Any, *rest: Any) -> Any:
        asked.append(list(prompt))
        return generate(prompt, *rest)

    engine.generate = remembering  # type: ignore[method-assign]
    assert await talk.ask("一")
    assert await talk.ask("二")
    talk.clear()
    assert await talk.ask("三")
    said = [
        [message.content for message in messages if message.role != "assistant"]
        for messages in asked
    ]
    assert said == [["你是助手", "一"], ["你是助手", "一", "二"], ["你是助手", "三"]]
    assert [message.role for message in asked[1]] == ["system", "user", "assistant", "user"]
    assert "一" in capsys.readouterr().out


async def test_a_question_that_failed_is_not_remembered(capsys: Any) -> None:
    engine = Narrow()
    talk = Conversation(engine, Sampling())
    assert await talk.ask("一")
    assert not await talk.ask("二")
    assert "/clear" in capsys.readouterr().err
    talk.clear()
    assert await talk.ask("三")
    assert [message.content for message in engine.asked] == ["三"]


def test_a_name_means_an_engine_then_a_folder_then_a_model(home: Path, tmp_path: Path) -> None:
    engines = {"tiny": EngineSettings(kind="echo"), "demo": EngineSettings(kind="echo")}
    settings = Settings(home=home, engines=engines, panel=[])
    assert engine_settings(settings, "tiny").kind == "echo"
    folder = home / "models" / "tiny"
    assert engine_settings(settings, str(folder)).model == str(folder)
    plain = Settings(home=home, engines={"demo": EngineSettings(kind="echo")}, panel=[])
    assert engine_settings(plain, "tiny") == EngineSettings(model="tiny")
    with pytest.raises(CatalogError, match="demo"):
        engine_settings(plain, "other")


async def test_thoughts_are_shown_beside_the_answer_and_are_not_remembered(capsys: Any) -> None:
    engine = EchoEngine(lambda _: "<think>我猜</think>肺炎")
    talk = Conversation(engine, Sampling())
    assert await talk.ask("一")
    shown = capsys.readouterr()
    assert shown.out == "肺炎\n"
    assert "我猜" in shown.err
    assert talk._said == [Message("user", "一"), Message("assistant", "肺炎")]
