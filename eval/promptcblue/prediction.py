"""Answers of a model to samples, read from a file in the form of the samples.

A line needs ``sample_id`` and ``target``, which here is the model's text; ``task_dataset`` and
``answer_choices`` are taken from the sample where the line has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.errors import InputError
from eval.json_lines import read_objects
from eval.promptcblue.sample import Sample, choices_field, text_field
from serving.reasoning import separate


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model answered to one sample."""

    sample_id: str
    text: str
    task_dataset: str
    choices: tuple[str, ...] | None


def read_predictions(
    path: Path, samples: Mapping[str, Sample], *, whole_lines: bool = False
) -> list[Prediction]:
    """The answers in the file's order, those to ids beyond ``samples`` too.

    A line with ``failed`` instead of ``target`` says that there is no answer, and is left out.
    ``whole_lines`` passes over a last line without its end, as of a run that is at work.

    Raises:
        InputError: with file, line and field.
    """
    read: list[Prediction] = []
    lines: dict[str, int] = {}
    for line, row in read_objects(path, whole_lines=whole_lines):
        sample_id = text_field(path, line, row, "sample_id")
        if sample_id in lines:
            raise InputError(
                path,
                line,
                f"{sample_id!r} stands in line {lines[sample_id]} already; an answer to a sample "
                "may be given once.",
                "sample_id",
            )
        lines[sample_id] = line
        sample = samples.get(sample_id)
        task = sample.task_dataset if sample else ""
        if "task_dataset" in row:
            given = text_field(path, line, row, "task_dataset")
            if sample and given != task:
                raise InputError(
                    path, line, f"{given!r} answers a sample of {task}.", "task_dataset"
                )
            task = given
        choices = choices_field(path, line, row)
        if "answer_choices" not in row and sample:
            choices = sample.answer_choices
        if "failed" not in row or "target" in row:
            # Files of other systems may hold the model's thoughts, which are no answer.
            text, _ = separate(text_field(path, line, row, "target"))
            read.append(Prediction(sample_id, text, task, choices))
    return read
