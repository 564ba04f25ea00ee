"""One sample of a PromptCBLUE set, and how a file of them is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.errors import InputError
from eval.json_lines import read_objects


@dataclass(frozen=True, slots=True)
class Sample:
    """A prompt, what should be answered, and the labels or candidates that it offers.

    ``document`` names the text that it is about, where the file does.
    """

    sample_id: str
    task_dataset: str
    input: str
    target: str
    answer_choices: tuple[str, ...] | None = None
    task_type: str = ""
    document: str = ""

    def to_json(self) -> dict[str, Any]:
        """The sample with the field names of the data set."""
        named = {"document": self.document} if self.document else {}
        return named | {
            "input": self.input,
            "target": self.target,
            "answer_choices": None if self.answer_choices is None else list(self.answer_choices),
            "task_type": self.task_type,
            "task_dataset": self.task_dataset,
            "sample_id": self.sample_id,
        }


def text_field(path: Path, line: int, row: Mapping[str, Any], field: str) -> str:
    """A field that must be there and be text."""
    if field not in row:
        raise InputError(path, line, "the field is missing.", field)
    value = row[field]
    if not isinstance(value, str):
        raise InputError(path, line, f"text is needed, not {_kind(value)}.", field)
    return value


def choices_field(path: Path, line: int, row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The field ``answer_choices``: a list of texts, null, or absent."""
    value = row.get("answer_choices")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(choice, str) for choice in value):
        raise InputError(path, line, "a list of texts or null is needed.", "answer_choices")
    return tuple(value)


def read_samples(
    path: Path,
    tasks: Mapping[str, bool] | None = None,
    limits: Mapping[str, int | None] | None = None,
    *,
    number: bool = False,
    unique: bool = True,
) -> list[Sample]:
    """The samples of a file, in its order.

    Args:
        path: JSON lines, plain or ``.gz``.
        tasks: the task names that may occur, each with whether it needs ``answer_choices``;
            None lets any name pass.
        limits: if not empty, only these tasks, each with the most samples to take of it
            (the first in the file), None for all.
        number: name samples by their line, for files whose ids repeat.
        unique: an id that occurs twice among the samples taken is an error.

    Raises:
        InputError: with file, line and field.
    """
    taken: list[Sample] = []
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    for line, row in read_objects(path):
        sample = _sample(path, line, row, tasks, number)
        if not _wanted(sample.task_dataset, limits, counts):
            continue
        if unique and sample.sample_id in lines:
            raise InputError(
                path,
                line,
                f"{sample.sample_id!r} stands in line {lines[sample.sample_id]} already; ids must "
                "be unique (--number-samples names samples by their line).",
                "sample_id",
            )
        lines[sample.sample_id] = line
        counts[sample.task_dataset] = counts.get(sample.task_dataset, 0) + 1
        taken.append(sample)
    if not taken:
        raise InputError(path, 0, "no sample is left to evaluate.")
    return taken


def _sample(
    path: Path, line: int, row: Mapping[str, Any], tasks: Mapping[str, bool] | None, number: bool
) -> Sample:
    task = text_field(path, line, row, "task_dataset")
    if tasks is not None and task not in tasks:
        raise InputError(
            path, line, f"{task!r} is no task of this track ({', '.join(tasks)}).", "task_dataset"
        )
    choices = choices_field(path, line, row)
    if tasks is not None and tasks[task] and choices is None:
        raise InputError(path, line, f"{task} needs a list of choices.", "answer_choices")
    kind = row.get("task_type", "")
    if kind is not None and not isinstance(kind, str):
        raise InputError(path, line, f"text is needed, not {_kind(kind)}.", "task_type")
    sample_id = text_field(path, line, row, "sample_id")
    if not sample_id.strip():
        raise InputError(path, line, "the id is empty.", "sample_id")
    return Sample(
        sample_id=f"{path.name.split('.')[0]}-{line}" if number else sample_id,
        task_dataset=task,
        input=text_field(path, line, row, "input"),
        target=text_field(path, line, row, "target"),
        answer_choices=choices,
        task_type=kind or "",
        document=text_field(path, line, row, "document") if "document" in row else "",
    )


def _wanted(task: str, limits: Mapping[str, int | None] | None, counts: Mapping[str, int]) -> bool:
    if not limits:
        return True
    if task not in limits:
        return False
    limit = limits[task]
    return limit is None or counts.get(task, 0) < limit


def parse_limits(filters: Iterable[str], known: Iterable[str]) -> dict[str, int | None]:
    """``["CMeEE-V2:10", "MedDG"]`` → the most samples a task; ``*:10`` stands for every task.

    Raises:
        ValueError: an unknown task, or a limit that is no whole number above 0.
    """
    names = list(known)
    limits: dict[str, int | None] = {}
    for given in filters:
        task, colon, limit = given.rpartition(":") if ":" in given else (given, "", "")
        if task != "*" and task not in names:
            raise ValueError(f"there is no task {task!r}; there are: {', '.join(names)}")
        if colon and not (limit.isascii() and limit.isdigit() and int(limit) > 0):
            raise ValueError(f"{given!r}: the limit must be a whole number above 0")
        for name in names if task == "*" else [task]:
            limits[name] = int(limit) if colon else None
    return limits


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
