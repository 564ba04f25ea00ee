"""``bedside eval perfusion``: maps of phantoms whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from eval.commands.clinical import finish, show_table
from eval.commands.common import Json, Require, command_line, console, parse_gates, sentences
from eval.commands.model_options import Quiet


@sentences
def perfusion(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result; default: nothing is written.")
    ] = None,
    rows: Annotated[
        int, typer.Option(min=64, max=320, help="Rows and columns of the phantom.")
    ] = 256,
    slices: Annotated[int, typer.Option(min=1, max=32, help="Slices of the phantom.")] = 3,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Conditions by name; default: all.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", help="bayes or osvd; default: both.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the phantom and its noise.")] = 1,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Maps of phantoms whose flow, volume, transit and delay are known; errors by noise and delay.

    Scores for --require, 100 times the correlation with the truth at clinical noise: cbf, cbv, mtt,
    tmax, and least, the least of them; of the first method.
    """
    from eval.clinical.perfusion.evaluation import SCORES, evaluate
    from eval.clinical.perfusion.trials import conditions, outcomes

    gates = parse_gates(require, SCORES, "perfusion")
    methods = tuple(method or ("bayes", "osvd"))
    if unknown := sorted(set(methods) - {"bayes", "osvd"}):
        raise typer.BadParameter(f"there is no method {unknown[0]!r}; there are bayes and osvd")
    asked = conditions(rows, slices, seed)
    names = [one.name for one in asked]
    if wrong := sorted(set(only or ()) - set(names)):
        raise typer.BadParameter(f"there is no {wrong[0]!r}; there are {', '.join(names)}")
    # What is scored is always there.
    asked = [one for one in asked if not only or one.name in (*only, "clinical")]
    found = []
    with Progress(console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task("灌注 perfusion", total=len(asked) * len(methods))
        for outcome in outcomes(asked, methods):
            found.append(outcome)
            progress.advance(bar)
    result = evaluate(found, seed=seed, command=command_line())
    if not as_json:
        for table in result.tables:
            show_table(table)
    finish(result, out, gates, as_json=as_json)
