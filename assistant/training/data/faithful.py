"""Preferences from the checker: what the record supports against what it does not, and the whole
against what leaves something out."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from assistant.grounding.checker import FindingsOf, checker
from assistant.record.encounter import Encounter
from assistant.training.data.line import Line, message
from assistant.training.data.surrogates import Surrogates

_SENTENCE = re.compile(r"[^。；;\n]+[。；;]?")
_ASK = "以下是病历。请据此写出诊疗要点，只写病历中有的内容，不得遗漏。\n\n{record}"
_SHORTEST, _LONGEST = 8, 80
_POINTS = 6
_A_NOTE = 8


@dataclass(frozen=True, slots=True)
class _Error:
    kind: str
    pattern: re.Pattern[str]
    replacement: str


def lines(
    encounters: Iterable[Encounter], findings_of: FindingsOf, key: bytes, seed: int = 1
) -> Iterator[Line]:
    """Pairs of each encounter's notes; every wrong sentence is one that the checker refuses, every
    right one it supports.

    Raises:
        StillNamed: a name is left in a text.
    """
    for encounter in encounters:
        random_ = random.Random(f"{seed}/{encounter.id}")  # noqa: S311
        own = Surrogates(key, encounter.patient.id)
        own.know([encounter.patient.name or ""], [encounter.id, encounter.patient.id])
        own.learn(note.text for note in encounter.notes)
        check = checker(encounter, findings_of)
        for note in encounter.notes:
            said = [m[0].strip() for m in _SENTENCE.finditer(note.text)]
            said = [one for one in said if _SHORTEST <= len(one) <= _LONGEST]
            right = [one for one in said if check.check(one).status == "supported"]
            if len(right) < 2:
                continue
            prompt = [message("user", _ASK.format(record=own.text(note.text)))]
            origin = {"source": "checker", "encounter": own.text(encounter.id), "note": note.kind}

            def pair(chosen: list[str], rejected: list[str], kind: str) -> Line:
                return Line(
                    {
                        "prompt": prompt,  # noqa: B023
                        "chosen": own.text("\n".join(chosen)),  # noqa: B023
                        "rejected": own.text("\n".join(rejected)),  # noqa: B023
                    },
                    encounter.patient.id,  # noqa: B023
                    {**origin, "kind": kind},  # noqa: B023
                )

            for sentence in random_.sample(right, min(_A_NOTE, len(right))):
                wrong = _wrong(sentence, random_)
                if wrong and check.check(wrong[1]).status == "unsupported":
                    yield pair([sentence], [wrong[1]], wrong[0])
            points = right[:_POINTS]
            left_out = random_.randrange(len(points))
            yield pair(points, points[:left_out] + points[left_out + 1 :], "omission")


def _wrong(sentence: str, random_: random.Random) -> tuple[str, str] | None:
    """The kind of error and the sentence with it; None where no error fits."""
    fitting = [error for error in errors() if error.pattern.search(sentence)]
    random_.shuffle(fitting)
    for error in fitting:
        made = error.pattern.sub(error.replacement, sentence, count=1)
        if made != sentence:
            return error.kind, made
    return None


@cache
def errors() -> tuple[_Error, ...]:
    """The table of errors."""
    text = (files("assistant.training.data") / "data" / "errors.tsv").read_text("utf-8")
    rows = (row.split("\t") for row in text.splitlines() if row and not row.startswith("#"))
    return tuple(_Error(kind, re.compile(pattern), other) for kind, pattern, other in rows)
