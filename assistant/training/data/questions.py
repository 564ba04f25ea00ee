"""Questions and answers from the curated base and from CMeKG, by templates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from assistant.training.data.line import Line, message
from knowledge.clinical.entry import Entry, Weight
from knowledge.sources.cmekg import CMeKG

_OFTEN = 4
_MOST_VALUES = 30


@cache
def templates() -> dict[str, Any]:
    """The table of wordings."""
    text = (files("assistant.training.data") / "data" / "questions.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def drawn(seed: str, choices: Sequence[str]) -> str:
    """One of the choices, told by ``seed`` alone."""
    return choices[int(hashlib.sha256(seed.encode()).hexdigest(), 16) % len(choices)]


def of_entries(entries: Iterable[Entry]) -> Iterator[Line]:
    """Every topic of every entry in two wordings where there are two: of its name, and of another
    name that it is known by."""
    for entry in entries:
        for topic, said in _topics(entry):
            if not said:
                continue
            wording = templates()[topic]
            names = (entry.name, *entry.names)
            asked = {drawn(f"{entry.name}/{topic}", wording["ask"]), wording["ask"][-1]}
            for number, ask in enumerate(sorted(asked)):
                name = entry.name if number == 0 else drawn(f"{entry.name}/{topic}/2", names)
                yield Line(
                    {
                        "messages": [
                            message("user", ask.format(d=name)),
                            message("assistant", wording["answer"].format(d=name, a=said)),
                        ]
                    },
                    entry.name,
                    {"source": "curated base", "entry": entry.name, "topic": topic},
                )


def of_cmekg(archive: Path) -> Iterator[Line]:
    """Triples of the predicates that have a template, all values of one in one answer.

    Raises:
        SourceError: the archive cannot be read.
    """
    source = CMeKG(archive)
    known: Mapping[str, list[str]] = templates()["cmekg"]
    for (subject, predicate), triples in groupby(source.triples(), lambda triple: triple[:2]):
        values = list(dict.fromkeys(value.rstrip("。；;，") for _, _, value in triples if value))
        if predicate in known and values and subject:
            ask, answer = known[predicate]
            listed = "、".join(values[:_MOST_VALUES])
            yield Line(
                {
                    "messages": [
                        message("user", ask.format(d=subject)),
                        message("assistant", answer.format(d=subject, a=listed)),
                    ]
                },
                subject,
                {"source": source.source.version, "entry": subject, "topic": predicate},
            )


def _topics(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "symptoms", _weighed(entry.symptoms)
    yield "signs", _weighed(entry.signs)
    yield "tests", _weighed(entry.tests)
    yield "history", "、".join(entry.history)
    yield "confirm", "；".join(entry.confirm)
    yield "management", "；".join(entry.management)
    yield "against", "、".join(entry.against)
    yield "settles", "；".join("＋".join(combination) for combination in entry.settles)
    yield "red_flags", entry.red_flags.rstrip("。")
    yield "exclude", entry.exclude.rstrip("。")
    yield "departments", "、".join(entry.departments)
    yield "differentials", "；".join(f"{n}（{told}）" for n, told in entry.differentials.items())
    yield "cautions", "；".join(f"{key}：{told}" for key, told in entry.cautions.items())


def _weighed(weights: Mapping[str, Weight]) -> str:
    often = [name for name, weight in weights.items() if weight.frequency >= _OFTEN]
    seldom = [name for name, weight in weights.items() if weight.frequency < _OFTEN]
    parts = [
        f"常见{'、'.join(often)}" if often else "",
        f"可有{'、'.join(seldom)}" if seldom else "",
    ]
    return "；".join(part for part in parts if part)
