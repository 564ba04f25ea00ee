"""``bedside eval checker``: how well grounding tells true statements from false ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from eval.commands.clinical import finish
from eval.commands.common import (
    Json,
    Require,
    command_line,
    console,
    parse_gates,
    sentences,
)
from eval.commands.knowledge_options import NO_ENCODER, BaseFolder, open_base
from eval.commands.model_options import Quiet

if TYPE_CHECKING:
    from eval.clinical.checker.record import Record

LEAST_ERRORS = 500
"""Fewer seeded errors than this are said to be few."""


@sentences
def checker(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
    notes: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="JSON lines (.gz too) with a field text; default: the samples and the "
            "generator's encounters.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most records that are read.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the seeded errors and of the generator.")] = 1,
    base: BaseFolder = None,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Seed errors of nine types into true statements and see which of them the checker finds.

    Scores for --require: recall, recall:TYPE (dose, unit, number, date, side, negation, drug,
    wrong_patient, earlier_stay) and passed, the share of true statements that pass.
    """
    from eval.clinical.checker.measure import SCORES, judge, summarize
    from eval.clinical.checker.trials import make_trials

    gates = parse_gates(require, SCORES, "the checker")
    records = _records(notes, limit, seed)
    trials = make_trials(records, seed)
    wrong = sum(not trial.true for trial in trials)
    knowledge = open_base(context, base, NO_ENCODER)
    try:
        with Progress(console=console, transient=True, disable=quiet) as progress:
            bar = progress.add_task("检验 trials", total=len(trials))
            verdicts = judge(records, trials, knowledge, lambda: progress.advance(bar))
        result = summarize(
            verdicts,
            records=len(records),
            base=knowledge,
            seed=seed,
            command=command_line(),
            sources=[str(notes)]
            if notes
            else ["assistant/samples/encounters", "eval/clinical/data"],
        )
    finally:
        knowledge.close()
    if wrong < LEAST_ERRORS:
        console.print(f"Only {wrong} errors could be seeded; read more records.", style="yellow")
    finish(result, out, gates, as_json=as_json)


def _records(notes: Path | None, limit: int, seed: int) -> list[Record]:
    from eval.clinical.checker.record import note_records, sample_records
    from eval.clinical.discharge.generator import generate

    if notes is not None:
        return list(note_records(notes, limit))
    return [*sample_records(), *(known.record() for known in generate(seed=seed))][:limit]
