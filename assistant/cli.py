"""The ``bedside`` command."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from assistant.settings import DEMO_MODEL, Settings
from serving.engine import Engine

if TYPE_CHECKING:
    from assistant.work.registry import Registry

_OURS = ("serving", "knowledge", "assistant", "eval")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Bedside: a private clinical assistant on the hospital's own CPUs. "
    "院内私有的临床助手，输出均为草稿，须经医师审核。",
)


@app.command(epilog="Example: bedside serve --port 9000")
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
) -> None:
    """Serve the UI at / and the API, documented at /docs."""
    import uvicorn

    from assistant.application import build_app, log_to_stderr
    from assistant.commands.progress import console

    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = Settings(**given)  # type: ignore[arg-type]
    log_to_stderr(settings)
    application = build_app(settings)
    address = f"http://{settings.host}:{settings.port}"
    lines = [
        f"界面 UI        {address}/",
        f"接口文档 API   {address}/docs",
        "自带模型 your own model: bedside model add NAME --folder DIR, "
        "then [engines] in bedside.toml (README)",
    ]
    if not application.state.services.store.approvals.in_force():
        lines.append(
            "没有经批准的模型：全部标注“仅供演示”，不得用于诊疗。"
            "No model is approved for care: bedside model approve"
        )
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
    uvicorn.run(
        application,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


@app.command()
def setup(
    model: Annotated[str, typer.Option(help="Catalogue name to pull.")] = DEMO_MODEL,
    skip_model: Annotated[bool, typer.Option("--skip-model")] = False,
    skip_knowledge: Annotated[bool, typer.Option("--skip-knowledge")] = False,
) -> None:
    """Pull the demo model and build the knowledge base, unless they are there.

    What cannot be had is said and left out: Bedside starts without it.
    """
    from assistant.commands import kb
    from assistant.commands import model as models
    from assistant.commands.progress import console
    from knowledge.base import KnowledgeBase

    failed = False
    if not skip_model:
        try:
            models.pull(model)
        except Exception as error:
            failed = True
            console.print(f"[yellow]模型未就绪 no model: {error}[/yellow]")
    if not skip_knowledge and not KnowledgeBase.is_built(Settings().knowledge_folder):
        try:
            kb.build()
        except Exception as error:
            failed = True
            console.print(f"[yellow]知识库未建立 no knowledge base: {error}[/yellow]")
    if failed:
        console.print("Bedside 仍可启动，缺少的部分会在页面上说明。It starts without them.")


@app.command("doctor")
def examine() -> None:
    """Processor, memory, models, knowledge base, store: what is there and what is wrong."""
    from rich.markup import escape
    from rich.table import Table

    from assistant.commands.doctor import examine as look
    from assistant.commands.progress import console

    checks = look(Settings())
    table = Table("", "check", "value", "what to do")
    for check in checks:
        told = check.advice or check.note
        table.add_row("✗" if check.advice else "✓", check.name, escape(check.value), escape(told))
    console.print(table)
    if any(check.advice for check in checks):
        raise typer.Exit(1)


@app.command("settings")
def settings_reference() -> None:
    """Every setting as Markdown, generated from the settings object."""
    from assistant.settings_reference import markdown

    print(markdown(), end="")


@app.command("reference", hidden=True)
def reference() -> None:
    """Every command as Markdown, generated from the commands themselves."""
    from assistant.cli_reference import markdown

    print(markdown(app), end="")


def add_commands(tasks: Registry | None = None) -> None:
    """Add the subcommands; apart, so that importing the module stays quick.

    Those of ``tasks`` are the installed tasks' where none are given.
    """
    from assistant.commands import chat, engine, kb, model, records, train
    from assistant.work.registry import installed
    from assistant.work.task import load

    app.add_typer(model.app, name="model")
    app.add_typer(engine.app, name="engine")
    app.add_typer(kb.app, name="kb")
    app.add_typer(train.app, name="train")
    app.add_typer(records.audit, name="audit")
    app.add_typer(records.feedback, name="feedback")
    app.add_typer(records.key, name="key")
    app.command(
        epilog="例 Examples: bedside chat chatglm3-6b\n\n"
        'bedside chat /srv/models/glm-4-9b-int4 --prompt "高血压患者为何要限盐？"'
    )(chat.chat)
    for task in tasks or installed():
        if task.command is not None:
            try:
                command = load(task.command.place)
            except Exception as error:
                _complain(f"命令 {task.command.name} 无法使用 left out: {error}")
                continue
            app.command(task.command.name, epilog=task.command.example)(command)
    app.command(epilog="Example: bedside purge --patient pat-0001")(records.purge)
    for entry in entry_points(group="bedside.commands"):
        app.add_typer(entry.load(), name=entry.name)


def main() -> None:
    """Run the command; an error that has a sentence for the user is that sentence."""
    from assistant.application import quiet_libraries

    quiet_libraries()
    add_commands()
    try:
        app(obj=_installation)
    except TOMLDecodeError as error:
        file = os.environ.get("BEDSIDE_CONFIG", "bedside.toml")
        _complain(f"设置文件不是有效的 TOML: {file} is not valid TOML: {error}")
        raise SystemExit(2) from None
    except ValidationError as error:
        for item in error.errors():
            place = ".".join(str(part) for part in item["loc"])
            said = item["msg"].removeprefix("Value error, ")
            _complain(f"设置有误 bad setting{' ' if place else ''}{place}: {said}")
        raise SystemExit(2) from None
    except Exception as error:
        if type(error).__module__.split(".")[0] not in _OURS:
            raise
        _complain(str(error))
        raise SystemExit(1) from None


def _installation() -> tuple[Path, Callable[[str], tuple[Engine, dict[str, str]]]]:
    """What mounted commands are told: the home folder, and what opens a configured engine.

    The settings are read only for a command that asks.
    """
    from assistant.engines import open_configured

    return Settings().home, open_configured


def _complain(sentence: str) -> None:
    """In red and in one line; what stands in brackets is text, not markup."""
    from assistant.commands.progress import console

    console.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
