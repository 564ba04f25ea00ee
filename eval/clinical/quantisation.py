"""The same weights at several precisions side by side: tasks, perplexity, memory, speed.

The first folder is the reference, usually the fullest precision.  Each model answers the same
samples (`eval.run`, one folder a model, which can be gone on with) and is compared with the
reference by `eval.comparison`; perplexity, first choices, memory and speed are measured on a text
by `serving.ir.trial`, each in a process of its own.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.clinical.result import ClinicalResult, Figure, Table
from eval.comparison import LEAST, Comparison, compare
from eval.errors import EvalError, InputError
from eval.json_lines import read_text
from eval.overlap import read_texts
from eval.promptcblue.prediction import Prediction, read_predictions
from eval.run.asking import Patience
from eval.run.identity import digest, engine_identity, texts_digest
from eval.run.model import OpenModel
from eval.run.run import PREDICTIONS, RunSettings, samples_digest, start
from eval.significance import RESAMPLES, Interval, intervals
from serving.ir import trial
from serving.ir.trial import Outcome, Trial, TrialError

MEBIBYTE = 1 << 20


def held_out(path: Path) -> list[str]:
    """The texts of a file: of its lines where it is JSON lines, else the whole of it.

    Raises:
        InputError: it cannot be read, or says nothing.
    """
    if ".jsonl" in path.suffixes:
        texts = [text.content for text in read_texts(path)]
    else:
        texts = [read_text(path)]
    if not any(text.strip() for text in texts):
        raise InputError(path, 0, "there is no text.")
    return texts


def named(folders: Sequence[Path]) -> dict[str, Path]:
    """The folders by their names, longer ones where two are called the same.

    Raises:
        EvalError: a folder is given twice.
    """
    whole = [folder.resolve() for folder in folders]
    if len(set(whole)) < len(whole):
        raise EvalError("A folder is named twice.")
    short = [folder.name for folder in whole]
    alike = len(set(short)) < len(short)
    return {"-".join(f.parts[-2:]) if alike else f.name: f for f in whole}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: samples for the tasks, texts for the perplexity, and how."""

    run: RunSettings
    texts: Sequence[str]
    margin: float = 1.0
    most_tokens: int = 2048
    resamples: int = RESAMPLES


@dataclass(frozen=True, slots=True)
class Answered:
    """One model's answers to the samples."""

    identity: dict[str, object]
    predictions: list[Prediction]
    unfinished: bool


@dataclass(frozen=True, slots=True)
class Side:
    """One model of the comparison; ``against`` is its comparison with the reference."""

    name: str
    overall: Interval
    tasks: Mapping[str, Interval]
    outcome: Outcome
    against: Comparison | None


def evaluate(
    folders: Mapping[str, Path],
    plan: Plan,
    out: Path,
    opened: Callable[[Path], OpenModel],
    *,
    patience: Callable[[], Patience] = Patience,
    quiet: bool = False,
) -> tuple[ClinicalResult, list[Side], bool]:
    """Ask and measure every model; the result, its sides, and whether answers are missing.

    Raises:
        EvalError: a model cannot be opened, or the models are not the same weights.
        Unreachable: a model is gone; what was answered is kept.
    """
    answered = {
        name: _answer(plan.run, folder, out / name, opened, patience(), quiet=quiet)
        for name, folder in folders.items()
    }
    try:
        measured = trial.compare_folders(folders, plan.texts, most_tokens=plan.most_tokens)
    except TrialError as error:
        raise EvalError(str(error)) from error
    sides = _sides(answered, measured, plan)
    hashes = {
        "data": samples_digest(plan.run.samples),
        "text": texts_digest(plan.texts),
        **{f"model {name}": digest(each.identity) for name, each in answered.items()},
    }
    result = _result(sides, measured, plan, hashes)
    return result, sides, any(each.unfinished for each in answered.values())


def _answer(
    settings: RunSettings,
    folder: Path,
    out: Path,
    opened: Callable[[Path], OpenModel],
    patience: Patience,
    *,
    quiet: bool,
) -> Answered:
    model = opened(folder)
    try:
        outcome = start(out, settings, model, patience=patience, quiet=quiet)
        identity = engine_identity(model.engine, model.settings)
    finally:
        asyncio.run(model.engine.close())
    known = {sample.sample_id: sample for sample in settings.samples}
    failed = any(problem.startswith("failed") for problem in outcome.problems.values())
    return Answered(identity, read_predictions(out / PREDICTIONS, known), failed)


def _sides(answered: Mapping[str, Answered], measured: Trial, plan: Plan) -> list[Side]:
    reference = next(iter(answered.values())).predictions
    sides: list[Side] = []
    for (name, each), outcome in zip(answered.items(), measured.outcomes, strict=True):
        found = compare(
            plan.run.track,
            plan.run.samples,
            reference,
            each.predictions,
            margin=plan.margin,
            resamples=plan.resamples,
        )
        overall, tasks = intervals(found.b, plan.resamples)
        sides.append(Side(name, overall, tasks, outcome, found if sides else None))
    return sides


def _result(
    sides: Sequence[Side], measured: Trial, plan: Plan, hashes: dict[str, str]
) -> ClinicalResult:
    others = [(side.name, side.against) for side in sides if side.against is not None]
    worst, against = min(others, key=lambda pair: pair[1].overall.points)
    scores = {}
    for side in sides:
        scores[f"{side.name}.overall"] = round(side.overall.score, 4)
        if not side.outcome.problem:
            scores[f"{side.name}.agreement"] = round(100 * side.outcome.agreement, 4)
    difference = against.overall
    return ClinicalResult(
        kind="quantisation",
        title="量化评测 Quantisation",
        headline=Figure(
            name=f"任务总分之差（最差者）difference in score, worst: {worst} − {sides[0].name}",
            value=round(difference.points, 4),
            low=round(difference.low, 4),
            high=round(difference.high, 4),
            n=difference.samples,
            unit="分 points",
        ),
        scores=scores,
        figures=_figures(sides, measured, plan),
        tables=[_differences(others, plan.margin), _tasks(sides)],
        notes=_notes(sides, measured, plan),
        hashes=hashes,
        command=plan.run.command,
        sources=list(plan.run.sources),
    )


def _figures(sides: Sequence[Side], measured: Trial, plan: Plan) -> list[Figure]:
    samples, tokens = len(plan.run.samples), measured.tokens
    figures = [
        Figure(
            name=side.name,
            value=round(side.overall.score, 4),
            low=round(side.overall.low, 4),
            high=round(side.overall.high, 4),
            n=samples,
            group="任务总分 Overall score of the tasks",
        )
        for side in sides
    ]
    agreement = f"首选词与 {measured.reference} 一致 First choice as that of {measured.reference}"
    measures: list[tuple[str, str, int, Callable[[Outcome], float]]] = [
        (agreement, "%", tokens, lambda o: 100 * o.agreement),
        ("困惑度 Perplexity", "", tokens, lambda o: o.perplexity),
        ("占用内存 Memory in use", "MiB", 1, lambda o: o.resident_bytes / MEBIBYTE),
        ("权重体积 Size of the weights", "MiB", 1, lambda o: o.stored_bytes / MEBIBYTE),
        ("读入速度 Reading a prompt", "tokens/s", 1, lambda o: o.prompt_speed),
        ("生成速度 Generating, batch 1", "tokens/s", 1, lambda o: o.decode_speed),
    ]
    for group, unit, count, value in measures:
        figures += [
            Figure(name=s.name, value=round(value(s.outcome), 4), n=count, unit=unit, group=group)
            for s in sides
            if not s.outcome.problem and math.isfinite(value(s.outcome))
        ]
    return figures


def _differences(others: Sequence[tuple[str, Comparison]], margin: float) -> Table:
    rows = [
        [
            name,
            f"{found.overall.a:.2f}",
            f"{found.overall.b:.2f}",
            f"{found.overall.points:+.2f}",
            f"{found.overall.low:+.2f} – {found.overall.high:+.2f}",
            f"{found.overall.p:.4f}",
            "不劣 not worse" if found.not_worse else "未证明 not shown",
        ]
        for name, found in others
    ]
    return Table(
        title="与参照的差距 Against the reference",
        columns=["模型 model", "参照 A", "B", "B − A", "95 %", "p", "非劣效 non-inferior"],
        rows=rows,
        note=f"界值 {margin:g} 分：区间下限高于 −{margin:g}。Margin {margin:g} points: the lower "
        f"end of the 95 % interval is above −{margin:g}, with at least {LEAST} samples.",
    )


def _tasks(sides: Sequence[Side]) -> Table:
    rows = [
        [
            task,
            *(
                f"{s.tasks[task].score:.2f} ({s.tasks[task].low:.1f} – {s.tasks[task].high:.1f})"
                for s in sides
            ),
        ]
        for task in sides[0].tasks
    ]
    return Table(
        title="各任务得分 Scores by task, with 95 % intervals",
        columns=["任务 task", *(side.name for side in sides)],
        rows=rows,
    )


def _notes(sides: Sequence[Side], measured: Trial, plan: Plan) -> list[str]:
    notes = [
        f"{s.name}：未测量 not measured: {s.outcome.problem}" for s in sides if s.outcome.problem
    ]
    if measured.note:
        notes.append(measured.note)
    if len(plan.run.samples) < LEAST:
        n = len(plan.run.samples)
        notes.append(f"样本太少，不能判定（{n}）。Too few samples to decide ({n}).")
    return notes
