"""``bedside engine``: install, list and remove the environments of engines that need their own."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from assistant.commands.progress import console
from assistant.settings import Settings
from serving.engines.bigdl import environment, kernel
from serving.engines.bigdl.environment import RECIPES, EnvironmentMissing
from serving.hardware import cpu

app = typer.Typer(
    no_args_is_help=True, help="Engines that run in a Python environment of their own."
)
Name = Annotated[str, typer.Argument(help=f"One of: {', '.join(RECIPES)}.")]
Links = Annotated[list[str] | None, typer.Option(help="Handed to pip as it is.")]


@app.command(
    epilog="Example: bedside engine install bigdl --find-links /srv/wheels --no-index",
)
def install(
    name: Name,
    index_url: Annotated[str, typer.Option(help="Handed to pip as it is.")] = "",
    extra_index_url: Links = None,
    find_links: Links = None,
    no_index: Annotated[bool, typer.Option("--no-index", help="Handed to pip as it is.")] = False,
) -> None:
    """Make the environment, unless it is there; needs about 1.5 GB of disk."""
    options = ["--no-index"] if no_index else []
    options += ["--index-url", index_url] if index_url else []
    options += [part for url in extra_index_url or [] for part in ("--extra-index-url", url)]
    options += [part for place in find_links or [] for part in ("--find-links", place)]
    if name in RECIPES and RECIPES[name].note:
        console.print(f"[yellow]{RECIPES[name].note}[/yellow]")
    made = environment.install(
        Settings().home,
        name,
        options,
        lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True),
    )
    console.print(
        f'{name} {made.version} 已安装 installed. bedside.toml: kind = "bigdl"'
        + (f', environment = "{name}"' if name != "bigdl" else ""),
        markup=False,
    )


@app.command("list")
def listing() -> None:
    """Which environments are there, and the kernels that this processor can run."""
    table = Table("name", "status", "pins", "folder")
    for name, recipe in RECIPES.items():
        try:
            found = environment.find(Settings().home, name)
            status, folder = "ready", str(found.folder)
        except EnvironmentMissing:
            status, folder = "missing", ""
        table.add_row(name, status, " ".join(recipe.pins), folder)
    console.print(table)
    names = kernel.kernels(cpu.shared_flags())
    console.print(f"内核 kernels: {', '.join(names) or '无 none: no AVX'}")


@app.command()
def remove(name: Name) -> None:
    """Delete an environment; models packed for it stay."""
    environment.remove(Settings().home, name)
    console.print(f"{name}: 已删除 removed")
