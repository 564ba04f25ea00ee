"""``bedside eval compare``: B against A on the same samples."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from eval.commands.common import (
    FAILED,
    Json,
    TrackName,
    command_line,
    console,
    find_track,
    load_samples,
    print_json,
    sentences,
)
from eval.errors import EvalError
from eval.promptcblue.sample import Sample
from eval.promptcblue.tracks import CCKS2023, Track
from eval.significance import RESAMPLES

if TYPE_CHECKING:
    from eval.comparison import Comparison
    from eval.promptcblue.prediction import Prediction


@sentences
def compare(
    a: Annotated[Path, typer.Argument(help="A run folder, or a file of answers (with --gold).")],
    b: Annotated[Path, typer.Argument(help="The same, of what is to be judged.")],
    gold: Annotated[Path | None, typer.Option(help="Samples, for files of answers.")] = None,
    track: TrackName = CCKS2023.name,
    margin: Annotated[
        float,
        typer.Option(min=0, help="Points overall by which B may be worse and still be as good."),
    ] = 1.0,
    require_not_worse: Annotated[
        bool,
        typer.Option("--require-not-worse", help="Exit with status 1 unless that much is shown."),
    ] = False,
    resamples: Annotated[int, typer.Option(min=100, max=100_000)] = RESAMPLES,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; .md and .json stand beside it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Paired tests of B − A by task and overall, Holm's correction, non-inferiority."""
    from eval.comparison import compare as compare_answers
    from eval.report import render

    chosen, samples, first, second, facts = _sides(a, b, gold, track)
    comparison = compare_answers(chosen, samples, first, second, margin=margin, resamples=resamples)
    about = {
        "a": str(a),
        "b": str(b),
        "made": time.strftime("%Y-%m-%d %H:%M %z"),
        "facts": {"command": command_line(), **facts, "resamples": str(resamples)},
    }
    if out is not None:
        html = render.comparison_html(comparison, about)
        markdown = render.comparison_markdown(comparison, about)
        render.write(out, html, markdown, comparison.to_json() | {"about": about})
    if as_json:
        print_json(comparison.to_json())
    _print(comparison)
    if require_not_worse and not comparison.not_worse:
        raise typer.Exit(FAILED)


def _sides(
    a: Path, b: Path, gold: Path | None, track: str
) -> tuple[Track, list[Sample], list[Prediction], list[Prediction], dict[str, str]]:
    from eval.comparison import read_sides
    from eval.promptcblue.prediction import read_predictions
    from eval.run.run import RUN, samples_digest

    if gold is not None:
        chosen = find_track(track)
        samples = load_samples(chosen, gold, None)
        known = {sample.sample_id: sample for sample in samples}
        data = {"SHA-256 data": samples_digest(samples)}
        return chosen, samples, read_predictions(a, known), read_predictions(b, known), data
    for side in (a, b):
        if not (side / RUN).exists():
            raise EvalError(f"{side} holds no run; for files of answers give --gold too.")
    sides = read_sides(a, b)
    return sides.track, sides.samples, sides.a, sides.b, sides.facts


def _print(comparison: Comparison) -> None:
    from eval.comparison import LEAST

    table = Table(Column("task", no_wrap=True), "n", "A", "B", "B - A", "95 %", "p", "p (Holm)")
    for d in (*comparison.tasks, comparison.overall):
        table.add_row(
            d.name,
            str(d.samples),
            f"{d.a:.2f}",
            f"{d.b:.2f}",
            f"{d.points:+.2f}",
            f"{d.low:+.1f} to {d.high:+.1f}",
            f"{d.p:.4f}",
            f"{d.p_holm:.4f}",
        )
    console.print(table)
    said = "is not worse than A" if comparison.not_worse else "is not shown to be as good as A"
    console.print(f"B {said} within {comparison.margin:g} points overall.", markup=False)
    if comparison.too_few:
        console.print(f"There are too few samples to decide: at least {LEAST} are needed.")
