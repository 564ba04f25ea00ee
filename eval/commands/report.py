"""``bedside eval report``: a run, a clinical result, or answers from elsewhere, for reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from eval.commands.common import Json, TrackName, command_line, find_track, print_json, sentences
from eval.errors import EvalError
from eval.promptcblue.tracks import CCKS2023


@sentences
def report(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="The folder of a run or of a clinical result."),
    ] = None,
    gold: Annotated[Path | None, typer.Option(help="Samples, where there is no run.")] = None,
    pred: Annotated[Path | None, typer.Option(help="Answers, where there is no run.")] = None,
    track: TrackName = CCKS2023.name,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; .md (of a run .json too) stand beside it.")
    ] = None,
    worst: Annotated[
        int | None,
        typer.Option(
            min=0, max=100, help="Worst answers shown a task; of a clinical result, cases."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report: scores with intervals, confusion, worst answers, cost, hashes."""
    from eval.clinical.result import RESULT
    from eval.report import render, summary

    if folder is not None and (folder / RESULT).exists():
        _of_result(folder, out, worst, as_json=as_json)
        return
    worst = summary.WORST if worst is None else worst
    if folder is not None:
        data = summary.of_run(folder, worst=worst)
        path = out or folder / "report.html"
    elif gold is not None and pred is not None:
        data = summary.of_files(find_track(track), gold, pred, command=command_line(), worst=worst)
        path = out or Path("report.html")
    else:
        raise EvalError("Name the folder of a run, or --gold and --pred.")
    written = render.write(path, render.report_html(data), render.report_markdown(data), data)
    if as_json:
        print_json(data)
    else:
        _name(written)


def _of_result(folder: Path, out: Path | None, cases: int | None, *, as_json: bool) -> None:
    from eval.clinical.result import read_result
    from eval.report import clinical

    result = read_result(folder)
    shown = clinical.CASES if cases is None else cases
    written = clinical.write_report(result, out or folder / clinical.REPORT, shown)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        _name(written)


def _name(written: Sequence[Path]) -> None:
    for path in written:
        print(path)
