"""Commands known by name, each imported when it is asked for.

The help of a group lists its commands from their rows, so that it does not wait for what they
import: the models, the page, the database.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class Row:
    """A command, or a group of them.

    ``place``: ``module:attribute`` of the function, or of the group's `typer.Typer`.  ``help``:
    its line in a list of commands, which is the first paragraph of its own help.
    """

    name: str
    place: str
    help: str
    epilog: str = ""
    hidden: bool = False


class LazyCommand(TyperCommand):
    """Stands in a list for a command that is not imported yet."""

    def __init__(self, row: Row) -> None:
        super().__init__(name=row.name, help=row.help, hidden=row.hidden)
        self._row = row

    def load(self) -> Any:
        """The command itself."""
        module, _, attribute = self._row.place.partition(":")
        found = attrgetter(attribute)(import_module(module))
        if isinstance(found, typer.Typer):
            command = typer.main.get_group(found)
            command.name = self._row.name
            return command
        alone = typer.Typer(add_completion=False)
        alone.command(self._row.name, epilog=self._row.epilog or None)(found)
        return typer.main.get_command(alone)


def lazy_app(
    rows: Callable[[], Sequence[Row]], help: str, callback: Callable[..., None] | None = None
) -> typer.Typer:
    """An app with the commands of ``rows``, which are asked for when it runs.

    ``callback``: what takes the options of the app itself.
    """

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            for row in rows():
                self.add_command(LazyCommand(row), row.name)

        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            name, command, rest = super().resolve_command(ctx, args)
            return name, command.load() if isinstance(command, LazyCommand) else command, rest

    app = typer.Typer(cls=Group, no_args_is_help=True, pretty_exceptions_enable=False, help=help)
    app.callback(help=help)(callback or _no_options)
    return app


def mounted(entry: EntryPoint) -> Row:
    """The row of a group that another package mounts.

    Its line is the first of its module's docstring, which is read without running the module.
    """
    return Row(entry.name, f"{entry.module}:{entry.attr}", _first_line(entry.module) or entry.name)


def task_row(entry: EntryPoint) -> Row | None:
    """The row of a task's command (`assistant.work.task.Command`), read without running the task.

    None where the task has no command, or writes it in another way than as plain words.
    """
    tree = _parsed(entry.module)
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.ClassDef) or node.name != entry.attr:
            continue
        for part in node.body:
            call = part.value if isinstance(part, ast.Assign | ast.AnnAssign) else None
            targets = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", 0)]
            named = any(isinstance(t, ast.Name) and t.id == "command" for t in targets)
            if named and isinstance(call, ast.Call):
                return _row(call)
    return None


def _row(call: ast.Call) -> Row | None:
    try:
        words = [ast.literal_eval(argument) for argument in call.args]
        named = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
    except ValueError:
        return None
    given = dict(zip(("name", "place", "help", "example"), words, strict=False)) | named
    return Row(given["name"], given["place"], given["help"], given.get("example", ""))


def _no_options() -> None:
    """A group without options of its own."""


def _first_line(module: str) -> str:
    tree = _parsed(module)
    text = ast.get_docstring(tree) if tree is not None else None
    return (text or "").partition("\n")[0]


def _parsed(module: str) -> ast.Module | None:
    """A module's source as a tree, without running it; None where there is none to read."""
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    try:
        return ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _spec(module: str) -> ModuleSpec | None:
    """Where a module is; unlike `importlib.util.find_spec` this imports no package around it."""
    top, *inner = module.split(".")
    spec = find_spec(top)
    name = top
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec
