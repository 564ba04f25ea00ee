"""The command reference, written from the commands themselves."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from assistant.lazy_commands import LazyCommand


def markdown(app: typer.Typer) -> str:
    """Every command with its usage, arguments and options, as Markdown."""
    root = typer.main.get_command(app)
    parts = [
        "# Command reference\n",
        "Made by `bedside reference`; do not edit by hand.\n",
        *_described(root, "bedside"),
    ]
    return "\n".join(parts) + "\n"


def _described(command: Any, path: str) -> list[str]:
    parts: list[str] = []
    if isinstance(command, TyperGroup):
        for name in sorted(command.commands):
            child = command.commands[name]
            if not child.hidden:
                whole = child.load() if isinstance(child, LazyCommand) else child
                parts += _described(whole, f"{path} {name}")
        return parts
    context = command.context_class(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    parts += [f"## {path}\n", f"{(command.help or '').strip()}\n", f"```\n{usage}\n```\n"]
    rows = [record for p in command.params if (record := p.get_help_record(context))]
    if rows:
        parts.append("| | |\n|---|---|")
        parts += [f"| `{left}` | {right} |".replace("\n", " ") for left, right in rows]
        parts.append("")
    if command.epilog:
        parts.append(f"{command.epilog}\n")
    return parts
