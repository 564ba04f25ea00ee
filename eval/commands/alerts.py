"""``bedside eval alerts``: what the rules find of seeded records, and say of clean ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from eval.clinical.alerts.measure import SCORES, judge, of_clean, summarize
from eval.clinical.alerts.seeding import trials
from eval.clinical.record_qc.clean import clean_encounters
from eval.commands.clinical import finish, show_table
from eval.commands.common import Json, Require, command_line, console, parse_gates, sentences
from eval.commands.model_options import Quiet


@sentences
def alerts(
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
    each: Annotated[int, typer.Option(min=1, help="Records for every case of every rule.")] = 3,
    clean: Annotated[int, typer.Option(min=10, help="Encounters without any defect.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the records that are drawn.")] = 1,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Put the cases of all rules into true encounters; recall and false alarms by rule.

    Scores for --require: recall, specificity, least_recall and least_specificity (of the worst
    rule), clean (100 less a hundred times the interruptive alerts a clean encounter).
    """
    from assistant.alerts.rule import all_cases, shipped_rules
    from assistant.record.encounter import Encounter

    gates = parse_gates(require, SCORES, "alerts")
    rules = shipped_rules()
    bases = [Encounter.model_validate(e.model_dump()) for e in clean_encounters(clean, seed)]
    total = each * sum(1 for _ in all_cases(rules.values())) + len(bases)
    with Progress(console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task("提示 alerts", total=total)
        seen = lambda: progress.advance(bar)  # noqa: E731
        verdicts = judge(trials(rules, bases, each, seed), rules, seen)
        said = of_clean(bases, rules, seen)
    result = summarize(verdicts, said, seed=seed, command=command_line())
    if not as_json:
        for table in result.tables:
            show_table(table)
    finish(result, out, gates, as_json=as_json)
