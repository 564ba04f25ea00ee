"""``bedside eval report``: a run, or answers from elsewhere, as HTML, Markdown and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eval.commands.common import Json, TrackName, command_line, find_track, print_json, sentences
from eval.errors import EvalError
from eval.promptcblue.tracks import CCKS2023
from eval.report import render, summary


@sentences
def report(
    folder: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="The folder of a run.")
    ] = None,
    gold: Annotated[Path | None, typer.Option(help="Samples, where there is no run.")] = None,
    pred: Annotated[Path | None, typer.Option(help="Answers, where there is no run.")] = None,
    track: TrackName = CCKS2023.name,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; .md and .json stand beside it.")
    ] = None,
    worst: Annotated[
        int, typer.Option(min=0, max=100, help="Worst answers shown a task.")
    ] = summary.WORST,
    as_json: Json = False,
) -> None:
    """Write the report: scores with intervals, confusion, worst answers, cost, hashes."""
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
        for each in written:
            print(each)
