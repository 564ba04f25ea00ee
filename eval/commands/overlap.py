"""``bedside eval overlap``: what a test set shares with a train file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from eval import overlap as overlaps
from eval.commands.common import FAILED, Json, console, print_json, sentences

_SHOWN = 20


@sentences
def overlap(
    train: Annotated[Path, typer.Argument(help="JSON lines with the training texts (.gz too).")],
    test: Annotated[Path, typer.Argument(help="JSON lines with the test texts.")],
    train_field: Annotated[
        str, typer.Option(help="Field of the text; default: input, text, self_report, question.")
    ] = "",
    test_field: Annotated[str, typer.Option(help="The same, for the test file.")] = "",
    threshold: Annotated[
        float,
        typer.Option(min=0.01, max=1, help="Share of a test text that must be covered."),
    ] = overlaps.COVERED,
    require_none: Annotated[
        bool, typer.Option("--require-none", help="Exit with status 1 where anything overlaps.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Exact and n-gram overlap, not counting the wording that the task's prompts share."""
    found = overlaps.compare(
        overlaps.read_texts(train, train_field), overlaps.read_texts(test, test_field), threshold
    )
    data = found.to_json()
    if as_json:
        print_json(data)
    else:
        table = Table(
            Column("task", no_wrap=True),
            "texts",
            "exact",
            "overlapping",
            "touched",
            "covered on average",
        )
        for name, row in data["groups"].items():
            counts = [str(row[key]) for key in ("texts", "exact", "overlapping", "touched")]
            table.add_row(name or "all", *counts, f"{100 * row['covered']:.1f} %")
        console.print(table)
        for match in found.flagged[:_SHOWN]:
            console.print(
                f"{match.name}: {100 * match.covered:.0f} % covered, most by {match.nearest}",
                markup=False,
                highlight=False,
            )
        if len(found.flagged) > _SHOWN:
            console.print(f"… and {len(found.flagged) - _SHOWN} more (--json lists all).")
    if require_none and found.flagged:
        raise typer.Exit(FAILED)
