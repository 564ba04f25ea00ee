"""Questions in strangers' wordings over the samples: one half to improve by, one put aside, and
sets that were written after the former were used, the later ones in the words of tired doctors."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Literal, get_args

import yaml

from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.record.patient import Patient
from assistant.tasks.record_qa.chain import ask
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading
from eval.clinical.fresh import fresh_stays
from eval.clinical.record_qa.judging import Grade, holds
from eval.clinical.record_qa.trial import Trial
from eval.clinical.record_qa.truth import sample_stays

Half = Literal[
    "dev",
    "held",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]
HALVES: tuple[Half, ...] = get_args(Half)


def strangers(half: Half) -> Iterator[Trial]:
    """The questions of one set, as trials of the kind ``strangers``."""
    every = [known.encounter for known in sample_stays()]
    every += [known.encounter for known in fresh_stays()]
    every += stays_of_notes()
    stays = {one.id.removeprefix("enc-"): one for one in every}
    path = files("eval.clinical") / "data" / "record_qa" / "strangers.tsv"
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(half + "\t"):
            yield _trial(line.split("\t"), stays)


def stays_of_notes() -> list[Encounter]:
    """Stays of which only notes are there: no rows, no kinds, nothing in the head."""
    path = files("eval.clinical") / "data" / "record_qa" / "notes_alone.yaml"
    return [
        Encounter(
            id=f"enc-{stay['id']}",
            patient=Patient(id=f"pat-{stay['id']}"),
            notes=[
                Note(id=f"n{number}", title=title, written_at=at, text=text)
                for number, (title, at, text) in enumerate(stay["notes"], 1)
            ],
        )
        for stay in yaml.safe_load(path.read_text("utf-8"))
    ]


def _trial(cells: list[str], stays: dict[str, Encounter]) -> Trial:
    _, stay, question, status, *rest = cells
    must = rest[0] if rest else ""
    never = rest[1] if len(rest) > 1 else ""
    groups = tuple(
        tuple(w.strip() for w in group.split("/") if w.strip()) if "mmHg" not in group else (group,)
        for group in must.split(" & ")
        if group.strip()
    )
    *before, question = (part.strip() for part in question.split(">>"))
    return Trial(
        kind="strangers",
        encounter=stays[stay],
        question=question,
        before=tuple(before),
        must=groups,
        never=tuple(w for w in never.split("/") if w),
        expects="silent" if status == "not_recorded" else status,
    )


def grade(trial: Trial, answer: RecordAnswer) -> Grade:
    """Exact where all is told; unsafe where the first thing said is what must not be."""
    text = answer.plain_text()
    first = answer.statements[0].text if answer.statements else answer.message
    if any(holds(first, word) for word in trial.never):
        return "unsafe"
    if trial.expects == "refused":
        return "exact" if answer.outcome == "refused" else "wrong"
    if trial.expects == "silent":
        if answer.statements:
            return "unsafe" if answer.outcome == "answered" else "partial"
        return "exact"
    found = sum(any(holds(text, word) for word in group) for group in trial.must)
    if trial.expects == "missing" and not trial.must:
        return "exact" if answer.outcome == "missing" and not answer.statements else "wrong"
    if trial.expects == "missing" and "缺" not in answer.message:
        return "wrong"
    if found == len(trial.must):
        return "exact"
    return "partial" if found else "wrong"


def answered(trial: Trial) -> RecordAnswer:
    """The answer to the last question of a trial, after those that were asked before it."""
    reading = RecordReading(trial.encounter)
    focus = None
    for question in trial.before:
        said = ask(reading, question, focus)
        focus = said.focus if said.focus.kind else focus
    return ask(reading, trial.question, focus)
