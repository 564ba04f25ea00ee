"""``bedside imaging-release``: whether results of imaging tasks may be filled in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.store import Store

app = typer.Typer(
    no_args_is_help=True,
    help="影像结果回填 whether results of imaging tasks may be filled in: on, off, list.",
)
_Task = Annotated[str, typer.Argument(metavar="TASK", help="As `bedside imaging-release list`.")]
_By = Annotated[str, typer.Option(help="Name of the administrator; it stands in the audit.")]
_Reason = Annotated[str, typer.Option(help="Why, such as the committee's decision.")]


@app.command(
    epilog="例 Example: bedside imaging-release on detection --by 王主任 --reason 伦理2026-03"
)
def on(task: _Task, by: _By, reason: _Reason) -> None:
    """Let a task's results be filled in; every text says 科研用途 and who switched it on."""
    _switch(task, True, by, reason)


@app.command(
    epilog="例 Example: bedside imaging-release off detection --by 王主任 --reason 复核未通过"
)
def off(task: _Task, by: _By, reason: _Reason) -> None:
    """Keep a task's results out of fill-in again, at once."""
    _switch(task, False, by, reason)


@app.command(name="list")
def listed() -> None:
    """Each imaging task: on or off, by whom, when and why."""
    with _store() as store:
        for kind, title in _tasks().items():
            given = store.releases.get(kind)
            state = "关 off"
            if given is not None:
                at = f"{given.created_at.astimezone():%Y-%m-%d %H:%M}"
                state = f"开 on  {given.switched_by} {at}  {given.reason}"
            typer.echo(f"{kind}  {title}  {state}")


def _tasks() -> dict[str, str]:
    from assistant.work.registry import installed

    return {task.kind: task.title.zh for task in installed() if task.released}


def _switch(task: str, is_on: bool, by: str, reason: str) -> None:
    known = _tasks()
    if task not in known:
        raise typer.BadParameter(
            f"没有这个影像任务，可选：{'、'.join(known)}。(There is no such imaging task.)",
            param_hint="TASK",
        )
    with _store() as store:
        given = store.releases.switch(task, is_on, by=by, reason=reason)
    said = "已开启回填 on" if is_on else "已关闭回填 off"
    typer.echo(f"{said}: {known[task]} ({given.switched_by})")


@contextmanager
def _store() -> Iterator[Store]:
    from assistant.opening import open_store

    store = open_store(Settings())
    try:
        yield store
    finally:
        store.close()
