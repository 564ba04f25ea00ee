"""``bedside model``: what there is of models, and which of them may be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from assistant.commands import adapter, approve, checkpoint, engine_entry, trial, vision_model
from assistant.commands.progress import console, progress
from assistant.settings import Settings

if TYPE_CHECKING:
    from serving.models.store import ModelStore

app = typer.Typer(
    no_args_is_help=True,
    help="Models: convert, inspect, try, add, pull, list, verify, remove, approve.",
)
app.add_typer(adapter.app, name="adapter")
app.command(
    epilog="例 Examples: bedside model convert /srv/models/chatglm3-6b --name chatglm3-6b\n\n"
    "bedside model convert glm-4-9b-chat --weights int4 --group 64 --head int4 --out glm-4-9b-int4"
)(checkpoint.convert)
app.command(epilog="例 Example: bedside model inspect /srv/models/chatglm3-6b --json")(
    checkpoint.inspect
)
app.command(
    "add-vision",
    epilog="例 Example: bedside model add-vision liver --folder /srv/models/liver",
)(vision_model.add)
app.command(
    "quantise-vision",
    epilog="例 Example: bedside model quantise-vision liver --images /srv/images --modality CT",
)(vision_model.quantise)
app.command(
    "calibrate-vision",
    epilog="例 Example: bedside model calibrate-vision pneumonia --images /srv/labelled",
)(vision_model.calibrate)
app.command(
    "try",
    epilog="例 Examples: bedside model try /srv/models/chatglm3-6b --text 出院小结.txt\n\n"
    "bedside model try glm-4-9b-chat --weights int8 --weights int4 --group 32 --json",
)(trial.compare)
app.command(epilog="例 Example: bedside model rewrite /srv/models/chatglm2-6b")(checkpoint.rewrite)
app.command(
    epilog="例 Example: bedside model approve ward --run glm-4-9b-1 --by 王主任 "
    '--require "overall>=60" --note 药事会2026-03'
)(approve.approve)
app.command()(approve.approvals)
app.command(epilog="例 Example: bedside model revoke ID --by 王主任 --reason 复评未达标")(
    approve.revoke
)
app.command(epilog="例 Example: bedside model reinstate ID --by 王主任 --reason 已复核样本")(
    approve.reinstate
)
Name = Annotated[str, typer.Argument(help="A name of `bedside model list`.")]


def _store() -> ModelStore:
    from serving.models.store import ModelStore

    return ModelStore(Settings().home)


@app.command("list")
def listing() -> None:
    """Every model that is known, and whether it is ready."""
    table = Table("name", "status", "licence", "folder")
    for row in _store().list():
        name = f"{row.name} (仅供演示 demo only)" if row.demo_only else row.name
        table.add_row(name, row.status, row.licence, str(row.path))
    for held in vision_model.store().list():
        status = "ready" if held.ready else "missing"
        title = " ".join(part for part in ("影像 image", held.title_zh) if part)
        table.add_row(held.name, status, held.licence, title)
    console.print(table)


@app.command(epilog="Example: bedside model pull qwen2.5-coder-0.5b-instruct")
def pull(
    name: Name, keep_source: Annotated[bool, typer.Option(help="Keep the download.")] = False
) -> None:
    """Fetch a model, check its hash and prepare it; nothing is done twice."""
    with progress() as report:
        if vision_model.store().holds(name):
            folder = vision_model.store().pull(name, report)
        else:
            folder = _store().pull(name, report, keep_source=keep_source)
    console.print(f"{name} 已就绪 ready: {folder}")


@app.command(epilog="Example: bedside model add glm-4-9b --folder /srv/models/glm-4-9b-int4-ov")
def add(
    name: Annotated[str, typer.Argument(help="How the model is to be called.")],
    folder: Annotated[Path | None, typer.Option(help="A folder with an OpenVINO model.")] = None,
    gguf: Annotated[Path | None, typer.Option(help="A GGUF file; `pull` prepares it.")] = None,
    licence: Annotated[str, typer.Option(help="Its licence, as shown to users.")] = "",
) -> None:
    """Register a model of your own."""
    if (folder is None) == (gguf is None):
        raise typer.BadParameter("give either --folder or --gguf")
    if folder is not None:
        _store().add_folder(name, folder, licence)
        entry = engine_entry.lines(name, name)
        checkpoint.say(f"已登记 added {name}\n写入 bedside.toml, to serve it:\n{entry}")
    elif gguf is not None:
        _store().add_gguf(name, gguf, licence)
        console.print(f"已登记 added {name}. 下一步 next: bedside model pull {name}")


@app.command()
def verify(name: Name) -> None:
    """Check a prepared model's files against their hashes; exit status 1 if any differs."""
    vision = vision_model.store()
    if bad := vision.verify(name) if vision.holds(name) else _store().verify(name):
        console.print(f"[red]{name}: {', '.join(bad)} 缺失或已改变 missing or changed[/red]")
        raise typer.Exit(1)
    console.print(f"{name}: 完好 intact")


@app.command()
def remove(name: Name) -> None:
    """Delete a prepared model; a folder registered where it lies is left alone."""
    vision = vision_model.store()
    if vision.holds(name):
        vision.remove(name)
    else:
        _store().remove(name)
    console.print(f"{name}: 已删除 removed")
