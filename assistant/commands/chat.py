"""``bedside chat``: a conversation with one model in the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Annotated

import typer

from assistant.commands.checkpoint import say
from assistant.commands.progress import console
from assistant.engine_settings import EngineSettings
from assistant.settings import Settings
from serving.engine import Engine, EngineError, Message, PromptTooLong, Sampling, Usage
from serving.models.catalog import CatalogError

HELP = "/clear 清空对话 forget what was said   /exit 结束 end   Ctrl-C 停止回答 stop the answer"


def chat(
    model: Annotated[
        str,
        typer.Argument(
            help="A prepared model's name, a folder, or an engine of the settings; "
            "default: the settings' default engine."
        ),
    ] = "",
    prompt: Annotated[
        str, typer.Option(help="One question: print its answer and exit; - reads standard input.")
    ] = "",
    system: Annotated[str, typer.Option(help="What the model is told before everything.")] = "",
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens of an answer at most.")] = 1024,
    temperature: Annotated[float, typer.Option(min=0, max=2, help="0: always the likeliest.")] = 0,
) -> None:
    """Talk to a model: answers stream, Ctrl-C stops one, /exit ends.

    在终端与模型对话；回答逐字显示，Ctrl-C 停止当前回答，/exit 退出。
    """
    from assistant.engines import Engines

    settings = Settings()
    name = model or settings.default_engine
    chosen = engine_settings(settings, name)
    question = sys.stdin.read() if prompt == "-" else prompt
    say("正在加载模型 loading…")
    engine = Engines(settings).load(chosen)
    sampling = Sampling(max_tokens=max_tokens, temperature=temperature)
    talk = Conversation(engine, sampling, system)
    with asyncio.Runner() as runner:
        try:
            say(_title(engine))
            if prompt:
                if not runner.run(talk.ask(question)):
                    raise typer.Exit(1)
            else:
                say(HELP)
                _converse(runner, talk)
        finally:
            runner.run(engine.close())


def engine_settings(settings: Settings, name: str) -> EngineSettings:
    """The engine that ``name`` means: one of the settings, else a folder, else a prepared model.

    Raises:
        CatalogError: it is none of them.
    """
    if name in settings.engines:
        return settings.engines[name]
    from serving.models.store import ModelStore

    if not Path(name).is_dir():
        try:
            ModelStore(settings.home).path(name)
        except CatalogError as error:
            raise CatalogError(
                f"{error} Engines: {', '.join(sorted(settings.engines))}."
            ) from error
    return EngineSettings(model=name)


class Conversation:
    """What was said so far, and the engine that answers."""

    def __init__(self, engine: Engine, sampling: Sampling, system: str = "") -> None:
        self._engine = engine
        self._sampling = sampling
        self._begin = [Message("system", system)] if system else []
        self._said: list[Message] = []

    def clear(self) -> None:
        """Forget everything but the system message."""
        self._said.clear()

    async def ask(self, question: str) -> bool:
        """Print the answer as it comes; False where there was none.

        A Ctrl-C ends the answer, and what had come of it counts as said.
        """
        asked = Message("user", question)
        task = asyncio.ensure_future(self._answer([*self._begin, *self._said, asked]))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, task.cancel)
        try:
            answer = await task
        except EngineError as error:
            console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            if isinstance(error, PromptTooLong) and self._said:
                say("/clear 清空对话后再问 and ask again")
            return False
        finally:
            loop.remove_signal_handler(signal.SIGINT)
        self._said += [asked, Message("assistant", answer)]
        return True

    async def _answer(self, messages: list[Message]) -> str:
        pieces: list[str] = []
        usage: Usage | None = None
        thinking = False
        with suppress(asyncio.CancelledError):
            async with aclosing(self._engine.generate(messages, self._sampling)) as stream:
                async for chunk in stream:
                    if chunk.reasoning:
                        # Thoughts are shown beside the answer, which alone counts as said.
                        console.print(
                            chunk.reasoning, end="", style="dim", markup=False, highlight=False
                        )
                    elif thinking and chunk.text:
                        console.print()
                    thinking = bool(chunk.reasoning) or (thinking and not chunk.text)
                    pieces.append(chunk.text)
                    print(chunk.text, end="", flush=True)
                    usage = chunk.usage or usage
        print(flush=True)
        say(_cost(usage) if usage else "（已停止 stopped）")
        return "".join(pieces)


def _converse(runner: asyncio.Runner, talk: Conversation) -> None:
    with suppress(ImportError):
        # Lets `input` move about in a line; what was typed is kept in memory only.
        import readline  # noqa: F401
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            return
        except KeyboardInterrupt:
            print(file=sys.stderr)
            say(HELP)
            continue
        if line == "/exit":
            return
        if line == "/clear":
            talk.clear()
            say("已清空 cleared")
        elif line.startswith("/"):
            say(HELP)
        elif line:
            runner.run(talk.ask(line))


def _title(engine: Engine) -> str:
    card = engine.card
    details = ", ".join(
        card.details[key] for key in ("architecture", "weights", "low_bit") if card.details.get(key)
    )
    title = f"模型 model: {card.name}{f' ({details})' if details else ''}"
    # Approvals are of a model with the prompts of the chains, and here is none of those.
    return f"{title}  仅供演示，不得用于诊疗 demo only, not for care"


def _cost(usage: Usage) -> str:
    speed = f", {1 / usage.seconds_per_token:.1f} tokens/s" if usage.seconds_per_token else ""
    return (
        f"（{usage.prompt_tokens} + {usage.new_tokens} tokens, "
        f"{usage.seconds_to_first_token:.2f} s{speed}）"
    )
