"""``bedside eval compare``: B against A on the same samples."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

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
from eval.comparison import LEAST, Comparison
from eval.comparison import compare as compare_answers
from eval.errors import EvalError
from eval.promptcblue.prediction import Prediction, read_predictions
from eval.promptcblue.sample import Sample
from eval.promptcblue.tracks import CCKS2023, TRACKS, Track
from eval.report import render
from eval.run.run import PREDICTIONS, RUN, read_answers, read_run, samples_digest
from eval.significance import RESAMPLES


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
    if gold is not None:
        chosen = find_track(track)
        samples = load_samples(chosen, gold, None)
        known = {sample.sample_id: sample for sample in samples}
        data = {"SHA-256 data": samples_digest(samples)}
        return chosen, samples, read_predictions(a, known), read_predictions(b, known), data
    for side in (a, b):
        if not (side / RUN).exists():
            raise EvalError(f"{side} holds no run; for files of answers give --gold too.")
    runs = read_run(a), read_run(b)
    if runs[0]["track"] != runs[1]["track"] or runs[0]["data_sha256"] != runs[1]["data_sha256"]:
        raise EvalError("The two runs were not made on the same samples.")
    chosen = TRACKS[runs[0]["track"]]
    samples, _ = read_answers(a, chosen)
    known = {sample.sample_id: sample for sample in samples}
    first, second = (
        read_predictions(side / PREDICTIONS, known, whole_lines=True) for side in (a, b)
    )
    return chosen, samples, first, second, _facts(*runs)


def _facts(a: dict[str, Any], b: dict[str, Any]) -> dict[str, str]:
    """What tells the two runs apart, and what they were made on."""
    facts = {"SHA-256 data": str(a["data_sha256"])}
    for side, run in (("A", a), ("B", b)):
        facts[f"{side} command"] = str(run["command"])
        facts[f"{side} model"] = str(run["model"]["name"])
        facts[f"{side} SHA-256 model"] = str(run["model_sha256"])
        facts[f"{side} SHA-256 prompts"] = str(run["prompts_sha256"])
        facts[f"{side} constrained"] = "yes" if run["constrained"] else "no"
        facts[f"{side} few-shot"] = str(run["shots"])
    return facts


def _print(comparison: Comparison) -> None:
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
