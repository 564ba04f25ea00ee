"""How a clinical evaluation ends: files, what is printed, gates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Column, Table

from assistant.approval.gate import Gate
from eval.commands.common import UNFINISHED, console, hold_gates, print_json

if TYPE_CHECKING:
    from eval.clinical.result import ClinicalResult
    from eval.clinical.result import Table as Rows


def finish(
    result: ClinicalResult,
    folder: Path | None,
    gates: Sequence[Gate],
    *,
    as_json: bool = False,
    unfinished: bool = False,
) -> None:
    """Write the result, say what it found, and exit as the gates want it.

    Without a ``folder`` nothing is written.
    ``unfinished``: some answers may be had by running the command again; no gate holds then.
    """
    from eval.report.clinical import write_result

    written = write_result(result, folder) if folder is not None else []
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        show(result)
        for path in written:
            print(path)
    if unfinished:
        console.print("Some answers failed; run the same command again to ask these once more.")
        raise typer.Exit(UNFINISHED)
    hold_gates(gates, result.scores)


def show(result: ClinicalResult) -> None:
    """The result's notes and figures, for a terminal."""
    from eval.report.clinical import described, grouped, interval

    console.print(result.title, style="bold", markup=False)
    for note in result.notes:
        console.print(note, style="yellow", markup=False, highlight=False, soft_wrap=True)
    for name, group in grouped(result.figures):
        table = Table(Column(name or "figure"), "n", "value", "95 %", title_justify="left")
        for figure in group:
            table.add_row(figure.name, str(figure.n), described(figure), interval(figure))
        console.print(table)


def show_table(rows: Rows) -> None:
    """One table of a result, for a terminal."""
    table = Table(*rows.columns, title=rows.title, title_justify="left")
    for row in rows.rows:
        table.add_row(*row)
    console.print(table)
