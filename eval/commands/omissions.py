"""``bedside eval omissions``: what the omission check finds of facts dropped from summaries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from eval.clinical.omissions.measure import SCORES, judge, summarize
from eval.clinical.omissions.trials import trials
from eval.commands.clinical import finish, show_table
from eval.commands.common import Json, Require, command_line, console, parse_gates, sentences
from eval.commands.model_options import Quiet


@sentences
def omissions(
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
    cases: Annotated[int, typer.Option(min=1, help="Facts that are dropped in all.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of the trials and of the generator.")] = 1,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Drop known facts from true summaries; recall and precision of the omission check by kind.

    Scores for --require: recall, precision, least_recall and least_precision (of the worst kind).
    """
    gates = parse_gates(require, SCORES, "the omission check")
    with Progress(console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task("遗漏 trials", total=cases)
        verdicts = judge(trials(cases, seed), lambda n: progress.advance(bar, n))
    result = summarize(verdicts, seed=seed, command=command_line())
    if not as_json:
        for table in result.tables:
            show_table(table)
    finish(result, out, gates, as_json=as_json)
