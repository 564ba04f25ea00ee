"""``bedside eval quantisation``: what a precision costs, and whether it is as good."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eval.commands.clinical import finish
from eval.commands.common import (
    FAILED,
    Json,
    Numbered,
    Only,
    Require,
    TrackName,
    command_line,
    console,
    find_track,
    going_on,
    load_samples,
    parse_gates,
    sentences,
)
from eval.commands.model_options import (
    ANSWER_SECONDS,
    ATTEMPTS,
    SILENT_SECONDS,
    AnswerSeconds,
    Attempts,
    CacheGib,
    KvCacheName,
    Parallel,
    PrecisionName,
    Quiet,
    SilentSeconds,
)
from eval.promptcblue.tracks import CCKS2023
from eval.run.asking import Patience
from eval.run.model import ModelChoice, OpenModel, open_model


@sentences
def quantisation(
    folder: Annotated[
        list[Path],
        typer.Option(
            exists=True,
            file_okay=False,
            help="A model folder; the first is the reference. At least two, of the same weights.",
        ),
    ],
    data: Annotated[Path, typer.Option(help="Samples of the tasks, JSON lines (.gz too).")],
    text: Annotated[
        Path, typer.Option(help="A held-out text, or JSON lines with a text each, for perplexity.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the result; one that was begun goes on.")],
    track: TrackName = CCKS2023.name,
    only: Only = None,
    number_samples: Numbered = False,
    tokens: Annotated[int, typer.Option(min=2, help="Most tokens of the text.")] = 2048,
    margin: Annotated[
        float, typer.Option(min=0, help="Points overall that still count as not worse.")
    ] = 1.0,
    require_not_worse: Annotated[
        bool,
        typer.Option(
            "--require-not-worse", help="Exit with status 1 unless that is shown of every model."
        ),
    ] = False,
    precision: PrecisionName = "auto",
    kv_cache: KvCacheName = "auto",
    cache_gib: CacheGib = 1,
    parallel: Parallel = 8,
    answer_seconds: AnswerSeconds = ANSWER_SECONDS,
    silent_seconds: SilentSeconds = SILENT_SECONDS,
    attempts: Attempts = ATTEMPTS,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Task scores, perplexity, first choices, memory and speed of the same weights, side by side.

    Scores for --require: NAME.overall and NAME.agreement, NAME being that of a folder.
    """
    from eval.clinical.quantisation import Plan, evaluate, held_out, named
    from eval.run.run import RunSettings

    folders = named(folder)
    if len(folders) < 2:
        raise typer.BadParameter("name two or more", param_hint="--folder")
    scores = [f"{name}.{what}" for name in folders for what in ("overall", "agreement")]
    gates = parse_gates(require, scores, "these models")
    chosen = find_track(track)
    plan = Plan(
        RunSettings(
            track=chosen,
            samples=load_samples(chosen, data, only, number=number_samples),
            parallel=parallel,
            command=command_line(),
            sources=(str(data), str(text)),
        ),
        held_out(text),
        margin,
        tokens,
    )

    def opened(model: Path) -> OpenModel:
        choice = ModelChoice(
            folder=model,
            precision=precision,
            kv_cache=kv_cache,
            cache_gib=cache_gib,
            parallel=parallel,
        )
        return open_model(choice, None)

    def patience() -> Patience:
        return Patience(
            answer_seconds=answer_seconds, silent_seconds=silent_seconds, attempts=attempts
        )

    with going_on():
        result, sides, unfinished = evaluate(
            folders, plan, out, opened, patience=patience, quiet=quiet
        )
    finish(result, out, gates, as_json=as_json, unfinished=unfinished)
    worse = [s.name for s in sides if s.against is not None and not s.against.not_worse]
    if require_not_worse and worse:
        console.print(f"Not shown to be as good: {', '.join(worse)}", style="red", markup=False)
        raise typer.Exit(FAILED)
