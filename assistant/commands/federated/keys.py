"""``bedside federated keys``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.commands.checkpoint import say


def keys(
    name: Annotated[str, typer.Argument(help="Of the coordinator, or of a hospital.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("."),
    host: Annotated[
        list[str] | None, typer.Option(help="Coordinator: name or address that sites use.")
    ] = None,
) -> None:
    """Make a key, which stays where it is, and a certificate to give to the others.

    生成本方密钥（留在本地）与证书（交给对方）。
    """
    from assistant.training.federated.keys import make

    if not name.replace("-", "").replace("_", "").isalnum():
        raise typer.BadParameter("letters, digits, - and _ only", param_hint="NAME")
    certificate, key = make(out, name, host or ())
    say(f"{certificate}：交给对方 (give this to the others)\n{key}：不得外传 (keep this)")
