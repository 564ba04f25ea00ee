"""``bedside eval record-qa``: questions to the record whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from eval.clinical.record_qa.measure import SCORES, asked, strangers_asked, summarize
from eval.clinical.record_qa.trials import trials
from eval.clinical.record_qa.truth import generated_stays, sample_stays
from eval.commands.clinical import finish, show_table
from eval.commands.common import Json, Require, command_line, console, parse_gates, sentences
from eval.commands.model_options import Quiet


@sentences
def record_qa(
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
    stays: Annotated[int, typer.Option(min=1, help="Generated stays beside the samples.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the questions and of the generator.")] = 1,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Ask the samples and generated stays; exact, partial, wrong and unsafe by kind, and how long.

    Scores for --require: right (exact), told (exact or partial), safe (100 less unsafe), least (the
    worst kind), held (of strangers' wordings, the half that was put aside), quick (answers within
    3 s).
    """
    gates = parse_gates(require, SCORES, "asking the record")
    known = [*sample_stays(), *generated_stays(stays, seed)]
    wanted = list(trials(known, seed))
    with Progress(console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task("问病历 trials", total=len(wanted))
        verdicts = asked(wanted, lambda: progress.advance(bar))
        others = strangers_asked()
    result = summarize(verdicts, others, seed=seed, command=command_line())
    if not as_json:
        for table in result.tables:
            show_table(table)
    finish(result, out, gates, as_json=as_json)
