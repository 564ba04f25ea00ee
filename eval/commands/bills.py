"""``bedside eval bills``: are generated bills read as they are?"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from eval.commands.clinical import finish
from eval.commands.common import Json, Require, command_line, console, parse_gates, sentences
from eval.commands.model_options import Quiet


@sentences
def bills(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result; default: nothing is written.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=2000, help="Pictures of each set.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the pages and of what is done to them.")] = 1,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="easy, hard or unseen; default: all.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Read generated pages of bills whose truth is known: characters, fields, amounts, doubts.

    Scores for --require, 0 to 100: characters, fields (F1), amounts, flagged (bills without a wrong
    amount that neither a doubt nor a failed check tells of) and kinds, each of a set: hard.amounts.
    """
    from assistant.tasks.structuring.workers import processes_for, team
    from eval.clinical.bills.evaluation import SCORES, Reading, evaluate
    from eval.clinical.bills.generator.sets import SETS
    from eval.clinical.bills.product import Asked, open_reader

    gates = parse_gates(require, SCORES, "bills")
    chosen = [name for name in SETS if not sets or name in sets]
    if unknown := sorted(set(sets or ()) - set(SETS)):
        raise typer.BadParameter(f"there is no set {unknown[0]!r}; there are {', '.join(SETS)}")
    asked = [Asked(name, number, seed) for name in chosen for number in range(count)]
    processes = processes_for(len(asked), 4)
    readings = []
    with (
        Progress(console=console, transient=True, disable=quiet) as progress,
        team(partial(open_reader, 1 if processes > 1 else 0), processes) as work,
    ):
        bar = progress.add_task("票据 bills", total=len(asked))
        for _, text in work.results(asked):
            readings.append(Reading.of(json.loads(text)))
            progress.advance(bar)
    finish(evaluate(readings, seed=seed, command=command_line()), out, gates, as_json=as_json)
