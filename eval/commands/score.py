"""``bedside eval score``: a file of answers against a file of samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from eval.commands.common import (
    OVERALL,
    Json,
    Numbered,
    Only,
    Require,
    TrackName,
    console,
    find_track,
    hold_gates,
    load_samples,
    parse_gates,
    print_json,
    sentences,
)
from eval.promptcblue.prediction import read_predictions
from eval.promptcblue.tracks import CCKS2023

if TYPE_CHECKING:
    from eval.promptcblue import score as scoring


@sentences
def score(
    gold: Annotated[Path, typer.Option("--gold", help="Samples with their targets, JSON lines.")],
    pred: Annotated[
        Path, typer.Option("--pred", help="The same form, the model's text as target.")
    ],
    track: TrackName = CCKS2023.name,
    official: Annotated[
        bool,
        typer.Option(
            "--official",
            help="As the track's own scorer: what makes it fail leaves 0 for everything.",
        ),
    ] = False,
    only: Only = None,
    number_samples: Numbered = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Score answers; by default a missing or unreadable answer counts as wrong and is reported."""
    from eval.promptcblue import score as scoring

    chosen = find_track(track)
    gates = parse_gates(require, (OVERALL, *chosen.tasks), chosen.name)
    samples = load_samples(chosen, gold, only, number=number_samples)
    answers = read_predictions(pred, {sample.sample_id: sample for sample in samples})
    if official and only:
        wanted = {sample.sample_id for sample in samples}
        answers = [answer for answer in answers if answer.sample_id in wanted]
    scores = scoring.score(chosen, samples, answers, official=official)
    if as_json:
        print_json(scores.to_json())
    else:
        _print(scores)
    hold_gates(gates, scores.by_task | {OVERALL: scores.overall})


def _print(scores: scoring.Scores) -> None:
    table = Table(Column("task", no_wrap=True), "metric", "samples", "score", "form")
    for name, task in scores.tasks.items():
        form = ", ".join(f"{flaw} {count}" for flaw, count in task.counts.items())
        points = f"{scores.by_task[name]:.2f}"
        table.add_row(name, task.metric, str(len(task.judged)), points, form)
    table.add_section()
    table.add_row("overall", "mean", "", f"{scores.overall:.2f}", "")
    console.print(table)
    if scores.refused:
        console.print(f"0 by the official scorer: {scores.refused}", style="red", markup=False)
    for note in scores.notes:
        console.print(note, style="yellow", markup=False)
