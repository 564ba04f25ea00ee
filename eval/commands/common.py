"""What the commands share: options, errors as sentences, gates, the command as it was given."""

from __future__ import annotations

import functools
import json
import re
import shlex
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from eval.errors import EvalError, InputError
from eval.promptcblue.sample import Sample, parse_limits, read_samples
from eval.promptcblue.tracks import TRACKS, Track
from eval.run.model import OpenConfigured

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


_GATE = re.compile(r"\s*(?P<name>[^<>=]+?)\s*(?P<sign>>=|>)\s*(?P<points>-?[0-9]+(\.[0-9]+)?)\s*")


Gate = tuple[str, str, float]
"""Name, sign and points of a gate."""


def parse_gates(given: Sequence[str] | None, names: Collection[str], of: str) -> list[Gate]:
    """``overall>=60`` → its parts, before anything is computed; ``of`` is what has ``names``."""
    gates = []
    for text in given or ():
        match = _GATE.fullmatch(text)
        if match is None:
            raise typer.BadParameter(
                f"{text!r}: write a name, >= or >, and points, as in overall>=60",
                param_hint="--require",
            )
        name = match["name"]
        if name not in names:
            raise typer.BadParameter(
                f"{text!r}: {name!r} is no score of {of}; there are: {', '.join(names)}",
                param_hint="--require",
            )
        gates.append((name, match["sign"], float(match["points"])))
    return gates


def hold_gates(gates: Sequence[Gate], scores: Mapping[str, float]) -> None:
    """Exit with `FAILED` where a gate is not met; what has no samples meets none."""
    unmet = []
    for name, sign, points in gates:
        reached = scores.get(name)
        if reached is None:
            unmet.append(f"{name}: no samples")
        elif not (reached >= points if sign == ">=" else reached > points):
            unmet.append(f"{name} {reached:.4f} is not {sign} {points:g}")
    if unmet:
        console.print("Not met: " + "; ".join(unmet), style="red", markup=False, highlight=False)
        raise typer.Exit(FAILED)
