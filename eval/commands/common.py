"""What the commands share: options, errors as sentences, gates, the command as it was given."""

from __future__ import annotations

import asyncio
import functools
import json
import shlex
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from assistant.approval.gate import Gate, GateInvalid, parse_gate
from eval.errors import EvalError, InputError
from eval.promptcblue.sample import Sample, parse_limits, read_samples
from eval.promptcblue.tracks import TRACKS, Track
from eval.run.asking import Unreachable
from eval.run.model import ModelChoice, OpenConfigured, OpenModel, open_model

FAILED, BAD_INPUT, UNFINISHED = 1, 2, 3
"""Exit statuses: a gate is not met or a model fails; an input is wrong; a run is not at its end."""

OVERALL = "overall"
"""The mean of all tasks, among the names of a gate."""

console = Console(stderr=True)

TrackName = Annotated[str, typer.Option("--track", help=f"The task set: {', '.join(TRACKS)}.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="TASK[:LIMIT]",
        help="Only this task, at most so many samples of it; *:10 takes 10 a task. Repeatable.",
    ),
]
Numbered = Annotated[
    bool,
    typer.Option("--number-samples", help="Name samples by their line, where ids repeat."),
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        "--require",
        metavar="NAME>=POINTS",
        help="Exit with status 1 unless the score is reached: overall>=60, MedDG>=20. Repeatable.",
    ),
]


@dataclass(frozen=True, slots=True)
class Installation:
    """The installation that the commands run in: its data folder and its configured engines."""

    home: Path
    open_configured: OpenConfigured


def installation(context: typer.Context) -> Installation:
    """What the program that mounts the commands tells them.

    Its object is a function without arguments, which gives the parts of an `Installation`.

    Raises:
        EvalError: the commands are not mounted in the program.
    """
    found = context.find_root().obj
    if found is None:
        raise EvalError("This is known to the `bedside` command alone: run `bedside eval …`.")
    return Installation(*found())


P = ParamSpec("P")
R = TypeVar("R")


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Print an `EvalError` as its sentence and exit."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except EvalError as error:
            console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(BAD_INPUT if isinstance(error, InputError) else FAILED) from None

    return guarded


def find_track(name: str) -> Track:
    """The track called ``name``."""
    if name not in TRACKS:
        raise typer.BadParameter(f"there is no track {name!r}; choose {' or '.join(TRACKS)}")
    return TRACKS[name]


def load_samples(
    track: Track, path: Path, only: Sequence[str] | None, *, number: bool = False
) -> list[Sample]:
    """The samples of a file that the filter lets pass."""
    try:
        limits = parse_limits(only or (), track.tasks)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None
    needs = {name: task.needs_choices for name, task in track.tasks.items()}
    return read_samples(path, needs, limits, number=number)


def command_line() -> str:
    """The command as it was given, for copying into a shell."""
    program = Path(sys.argv[0]).name if sys.argv else "bedside"
    return shlex.join([program, *sys.argv[1:]])


def print_json(value: Any) -> None:
    """Print ``value`` on standard output, whatever encoding the terminal claims."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    sys.stdout.buffer.write((text + "\n").encode("utf-8", "replace"))
    sys.stdout.flush()


@contextmanager
def going_on() -> Iterator[None]:
    """A block that can be gone on with: where it is broken off, exit with `UNFINISHED`."""
    try:
        yield
    except Unreachable as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(UNFINISHED) from None
    except KeyboardInterrupt:
        console.print("Stopped; run the same command again to go on.", style="yellow")
        raise typer.Exit(UNFINISHED) from None


@contextmanager
def opened_model(context: typer.Context, choice: ModelChoice) -> Iterator[OpenModel]:
    """The model that ``choice`` names, closed behind the block.

    Raises:
        EvalError: it cannot be opened.
    """
    opened = open_model(choice, lambda name: installation(context).open_configured(name))
    try:
        yield opened
    finally:
        asyncio.run(opened.engine.close())


@contextmanager
def opened_if_asked(context: typer.Context, choice: ModelChoice) -> Iterator[OpenModel | None]:
    """As `opened_model`; None where ``choice`` names no model."""
    if not choice.asked:
        yield None
        return
    with opened_model(context, choice) as opened:
        yield opened


def parse_gates(given: Sequence[str] | None, names: Collection[str], of: str) -> list[Gate]:
    """``overall>=60`` as gates, before anything is computed; ``of`` is what has ``names``."""
    gates = []
    for text in given or ():
        try:
            gate = parse_gate(text)
        except GateInvalid as error:
            raise typer.BadParameter(str(error), param_hint="--require") from None
        if gate.name not in names:
            raise typer.BadParameter(
                f"{text!r}: {gate.name!r} is no score of {of}; there are: {', '.join(names)}",
                param_hint="--require",
            )
        gates.append(gate)
    return gates


def hold_gates(gates: Sequence[Gate], scores: Mapping[str, float]) -> None:
    """Exit with `FAILED` where a gate is not met; what has no samples meets none."""
    unmet = [
        gate.unmet(scores) if gate.name in scores else f"{gate.name}: no samples" for gate in gates
    ]
    if any(unmet):
        told = "; ".join(filter(None, unmet))
        console.print(f"Not met: {told}", style="red", markup=False, highlight=False)
        raise typer.Exit(FAILED)
