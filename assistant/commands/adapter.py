"""``bedside model adapter``: LoRA adapters that one base in memory is asked with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from assistant.commands.checkpoint import megabytes, say
from assistant.commands.progress import console
from assistant.settings import Settings

if TYPE_CHECKING:
    from serving.models.adapters import AdapterStore

app = typer.Typer(
    no_args_is_help=True,
    help="LoRA adapters over one base in memory, chosen by request: add, list, remove.",
)
Model = Annotated[
    str, typer.Option("--to", help="The base: a name of `bedside model list`, or a folder.")
]


def _store() -> AdapterStore:
    from serving.models.adapters import AdapterStore

    return AdapterStore(Settings().home)


@app.command(
    epilog="例 Example: bedside model adapter add discharge --folder adapter --to qwen2.5-7b"
)
def add(
    name: Annotated[str, typer.Argument(help="How the adapter is to be called.")],
    folder: Annotated[
        Path,
        typer.Option(exists=True, file_okay=False, help="As PEFT and `bedside train lm` write it."),
    ],
    to: Model,
    licence: Annotated[str, typer.Option(help="Its licence, as shown to users.")] = "",
) -> None:
    """Make an adapter ready to be switched at run time; nothing of it is merged.

    登记 LoRA 适配器：底座在内存中只有一份，按请求切换；不是该底座的适配器会被拒绝。
    """
    made = _store().add(name, folder, to, licence)
    say(
        f"已登记 added {made.name} ({made.model}, rank {made.rank}, {made.products} projections, "
        f"{megabytes(made.bytes)})\n"
        f"部署：在 bedside.toml 的 [engines.…] 中写上, to serve it, in [engines.…]:\n"
        f"adapters = [{json.dumps(made.name)}]"
    )


@app.command("list", epilog="例 Example: bedside model adapter list --json")
def listing(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Every adapter, and which base it is for."""
    from dataclasses import asdict

    rows = _store().list()
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
        return
    table = Table("name", "model", "rank", "size", "licence", "sha256")
    for row in rows:
        size = megabytes(row.bytes)
        table.add_row(row.name, row.model, f"{row.rank}", size, row.licence, row.sha256[:12])
    console.print(table)


@app.command(epilog="例 Example: bedside model adapter remove discharge --to qwen2.5-7b")
def remove(
    name: Annotated[str, typer.Argument(help="A name of `bedside model adapter list`.")], to: Model
) -> None:
    """Forget an adapter."""
    _store().remove(to, name)
    console.print(f"{name}: 已删除 removed")
