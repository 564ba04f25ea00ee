"""``bedside eval detection``: what the detector finds of nodules whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from eval.commands.clinical import finish, show_table
from eval.commands.common import Json, Require, command_line, console, parse_gates, sentences
from eval.commands.model_options import Quiet
from eval.errors import EvalError


@sentences
def detection(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result; default: nothing is written.")
    ] = None,
    scans: Annotated[int, typer.Option(min=1, help="Simulated chests with six nodules each.")] = 20,
    image: Annotated[
        Path | None,
        typer.Option(exists=True, help="Also a real chest CT that nodules are put into."),
    ] = None,
    copies: Annotated[int, typer.Option(min=1, help="How often nodules are put into it.")] = 10,
    exclude: Annotated[
        Path | None,
        typer.Option(exists=True, help="RTSTRUCT, SEG or mask of it: where marks do not count."),
    ] = None,
    roi: Annotated[str, typer.Option(help="The region's name in --exclude.")] = "",
    seed: Annotated[int, typer.Option(min=2, help="Of chests and nodules; 1 is for training.")] = 7,
    fit: Annotated[
        Path | None,
        typer.Option(help="Instead: learn the classifier and write its trees to this file."),
    ] = None,
    second: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder of a network that looks at candidates again."
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Simulated chests (and a real CT) with generated nodules: sensitivity at false marks a scan.

    Scores for --require, 0 to 100: sensitivity_1fp, sensitivity_4fp, candidates (nodules that have
    a candidate at all); with --image also real.sensitivity_1fp and so on.
    """
    from assistant.imaging.problem import ImageProblem
    from assistant.tasks.detection.second import open_second
    from eval.clinical.detection.cases import real_cases, simulated_cases
    from eval.clinical.detection.measure import SCORES, judge_all, summarize
    from serving.vision.problem import VisionProblem

    names = (*SCORES, *(f"real.{name}" for name in SCORES))
    gates = parse_gates(require, names, "detection")
    with Progress(console=console, transient=True, disable=quiet) as progress:
        if fit is not None:
            _fit(fit, scans, progress)
            return
        try:
            looks = open_second(str(second), second) if second is not None else None
            bar = progress.add_task("模拟 simulated", total=scans)
            own = judge_all(simulated_cases(scans, seed), lambda: progress.advance(bar), looks)
            real = []
            if image is not None:
                bar = progress.add_task("真实 CT real", total=copies)
                cases = real_cases(image, exclude, roi, copies, seed)
                real = judge_all(cases, lambda: progress.advance(bar), looks)
        except (ImageProblem, VisionProblem) as problem:
            raise EvalError(str(problem)) from None
    result = summarize(own, real, seed=seed, command=command_line())
    if not as_json:
        for table in result.tables:
            show_table(table)
    finish(result, out, gates, as_json=as_json)


def _fit(path: Path, scans: int, progress: Progress) -> None:
    from eval.clinical.detection.training import fitted, training_examples

    bar = progress.add_task("候选 candidates", total=scans)
    rows, labels = training_examples(scans, lambda done, *_: progress.update(bar, completed=done))
    path.write_text(fitted(rows, labels), encoding="utf-8")
    console.print(f"{path}: {len(rows)} candidates, {int(labels.sum())} of nodules")
