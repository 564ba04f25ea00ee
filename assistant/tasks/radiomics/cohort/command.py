"""``bedside radiomics cohort`` and ``bedside radiomics predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.tasks.radiomics.cohort.roles import Roles


def cohort(
    table: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV: a case a line, with a header.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for report, model and predictions.")],
    outcome: Annotated[str, typer.Option(help="Column of the class to be predicted.")] = "",
    time: Annotated[str, typer.Option(help="Column of the time to the event.")] = "",
    event: Annotated[str, typer.Option(help="Column of the event: 1 seen, 0 not.")] = "",
    id_column: Annotated[str, typer.Option("--id", help="Column that names a case.")] = "",
    site: Annotated[str, typer.Option(help="Column of the scanner or hospital, for ComBat.")] = "",
    positive: Annotated[str, typer.Option(help="The class that is to be found.")] = "",
    time_unit: Annotated[str, typer.Option(help="days, months or years.")] = "",
    icc: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV with columns feature and icc."),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="YAML or JSON: folds, filters, models."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """A table of cases → a model by nested cross-validation, and its report. 科研用途。

    After a stop the same command goes on where it was.
    """
    from assistant.commands import out_folder
    from assistant.commands.progress import console, progress
    from assistant.tasks.radiomics.cohort.purpose import PURPOSE
    from assistant.tasks.radiomics.cohort.report import sizes
    from assistant.tasks.radiomics.cohort.reproducibility import read_icc
    from assistant.tasks.radiomics.cohort.settings import read_settings
    from assistant.tasks.radiomics.cohort.study import make
    from serving.hardware import topology

    roles = _roles(outcome, time, event, id_column, site)
    chosen = read_settings(settings, positive=positive, time_unit=time_unit)
    reproducible = read_icc(icc) if icc else {}
    processes = jobs or len(topology.usable())
    out_folder.check(out)
    with progress() as report:
        made, files = make(table, roles, chosen, reproducible, out, report, processes)
    if as_json:
        typer.echo(files.json.read_text("utf-8"))
        return
    lines = [PURPOSE, *made["notes"], *sizes(made), f"报告 report: {files.html}"]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def predict(
    model: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="model.skops of a cohort.")
    ],
    table: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV with the model's columns.")
    ],
    id_column: Annotated[str, typer.Option("--id", help="Column that names a case.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One object on standard output.")] = False,
) -> None:
    """Predict new cases by a saved model, and say what each feature added. 科研用途。"""
    import json

    from assistant.commands.progress import console
    from assistant.tasks.radiomics.cohort.prediction import predict as predicted
    from assistant.tasks.radiomics.cohort.saved import load

    made = predicted(load(model), table, id_column)
    if as_json:
        typer.echo(json.dumps(made, ensure_ascii=False, indent=1))
        return
    console.print(made["purpose"], markup=False, soft_wrap=True)
    for case in made["cases"]:
        parts = "，".join(
            f"{p['name']} {p['added']:+.3f}" for p in case["explanation"]["parts"][:5]
        )
        number = case["probability"] if "probability" in case else case["risk"]
        typer.echo(f"{case['id']}: {number:.3f}  {parts}")
        for note in case["notes"]:
            typer.echo(f"  {note}")


def _roles(outcome: str, time: str, event: str, id_column: str, site: str) -> Roles:
    from assistant.tasks.radiomics.cohort.roles import Roles

    if time and not (event or outcome):
        raise typer.BadParameter("--time 需要 --event（事件列）。(--time needs --event.)")
    if event and not time:
        raise typer.BadParameter("--event 需要 --time（时间列）。(--event needs --time.)")
    if not time and not outcome:
        raise typer.BadParameter(
            "请用 --outcome 指明结局列，或用 --time 和 --event。"
            "(Name --outcome, or --time, --event.)"
        )
    return Roles(outcome, time, event or (outcome if time else ""), id_column, site)
