"""``bedside eval record-qc``: what quality control finds of seeded defects, and marks wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from eval.clinical.record_qc.clean import clean_encounters
from eval.clinical.record_qc.measure import SCORES, Inspector, judge, summarize
from eval.clinical.record_qc.notes import note_marks
from eval.clinical.record_qc.trials import trials
from eval.commands.clinical import finish, show_table
from eval.commands.common import Json, Require, command_line, console, parse_gates, sentences
from eval.commands.model_options import Quiet


@sentences
def record_qc(
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
    cases: Annotated[int, typer.Option(min=1, help="Encounters with one seeded defect.")] = 2000,
    clean: Annotated[int, typer.Option(min=1, help="Encounters without any.")] = 120,
    seed: Annotated[int, typer.Option(help="Of the defects and of the generator.")] = 1,
    notes: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Instead: JSON lines (.gz too) with a field text, whose marks are counted.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most notes that are read.")] = 200,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Seed defects of all kinds into true encounters; recall and precision by kind, false marks.

    Scores for --require: recall, precision, least_recall and least_precision (of the worst kind),
    clean (100 less a hundred times the false marks a clean encounter).
    """
    gates = parse_gates(require, SCORES, "record quality control")
    inspector = Inspector()
    if notes is not None:
        with Progress(console=console, transient=True, disable=quiet) as progress:
            bar = progress.add_task("质控 notes", total=limit)
            table = note_marks(notes, limit, inspector, lambda: progress.advance(bar))
        show_table(table)
        return
    encounters = list(clean_encounters(clean, seed))
    with Progress(console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task("质控 trials", total=cases)
        verdicts = judge(trials(encounters, cases, seed), inspector, lambda: progress.advance(bar))
    result = summarize(verdicts, encounters, inspector, seed=seed, command=command_line())
    if not as_json:
        for table in result.tables:
            show_table(table)
    finish(result, out, gates, as_json=as_json)
