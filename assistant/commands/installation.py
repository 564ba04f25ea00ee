"""``bedside setup``, ``doctor``, ``settings`` and ``reference``: this installation."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.engine_settings import DEMO_MODEL
from assistant.settings import Settings


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
            kb.build(lexical_first=True)  # the server makes the vectors
        except Exception as error:
            failed = True
            console.print(f"[yellow]知识库未建立 no knowledge base: {error}[/yellow]")
    if failed:
        console.print("Bedside 仍可启动，缺少的部分会在页面上说明。It starts without them.")


def doctor() -> None:
    """Processor, memory, models, knowledge base, store: what is there and what is wrong."""
    from rich.markup import escape
    from rich.table import Table

    from assistant.commands.doctor import examine
    from assistant.commands.progress import console

    checks = examine(Settings())
    table = Table("", "check", "value", "what to do")
    for check in checks:
        note = check.advice or check.note
        table.add_row("✗" if check.advice else "✓", check.name, escape(check.value), escape(note))
    console.print(table)
    if any(check.advice for check in checks):
        raise typer.Exit(1)


def settings() -> None:
    """Every setting as Markdown, generated from the settings object."""
    from assistant.settings_reference import markdown

    print(markdown(), end="")


def reference() -> None:
    """Every command as Markdown, generated from the commands themselves."""
    from assistant.cli import app
    from assistant.cli_reference import markdown

    print(markdown(app), end="")
