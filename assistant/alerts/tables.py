"""The tables that rules are told in: classes of drugs, allergens, problems, critical values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from knowledge.text.drugs import generic_name
from knowledge.text.folding import fold

_NON_WORD = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Allergen:
    """What an allergy is told of, the classes that are refused then, and those that may cross."""

    name: str
    words: re.Pattern[str]
    refused: frozenset[str]
    crossing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Problem:
    """The words that tell of a problem.  ``when``: "now" if only a present one counts, "any" if
    one of a plan does too."""

    words: re.Pattern[str]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Critical:
    """A critical value: at or below ``low``, at or above ``high``, in ``unit``."""

    names: tuple[str, ...]
    unit: str
    low: float | None
    high: float | None
    words: re.Pattern[str] | None


def _rows(package: str, name: str) -> Iterator[list[str]]:
    text = (files(package) / "data" / name).read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(fold(words))


@cache
def drug_classes() -> Mapping[str, re.Pattern[str]]:
    """Class of drugs → pattern of their folded names."""
    return {name: _pattern(words) for name, words in _rows("assistant.alerts", "classes.tsv")}


@cache
def problems() -> Mapping[str, Problem]:
    """The table of problems, by name."""
    return {
        name: Problem(_pattern(words), *rest)
        for name, words, *rest in _rows("assistant.alerts", "problems.tsv")
    }


@cache
def allergens() -> tuple[Allergen, ...]:
    """The table of allergens."""
    return tuple(
        Allergen(name, _pattern(words), _names(refused), _names(crossing))
        for name, words, refused, crossing in _rows("assistant.alerts", "allergens.tsv")
    )


@cache
def criticals() -> tuple[Critical, ...]:
    """The critical values (危急值), which quality control of records has the table of."""
    found = []
    for names, unit, *rest in _rows("assistant.tasks.record_qc", "criticals.tsv"):
        low, high, words = (*rest, "", "", "")[:3]
        found.append(
            Critical(
                tuple(names.split("|")),
                unit,
                float(low) if low else None,
                float(high) if high else None,
                re.compile(words) if words else None,
            )
        )
    return tuple(found)


@cache
def groups() -> Mapping[str, Any]:
    """Which classes make a duplicate or are taken for long, and what acts locally."""
    text = (files("assistant.alerts") / "data" / "groups.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


@lru_cache(maxsize=8192)
def classes_of(name: str) -> frozenset[str]:
    """The classes of a drug, by its name as ordered."""
    folded = _NON_WORD.sub("", fold(name))
    bare = generic_name(name)
    # 藿香正气水 and 氯化钙注射液 are told by their form, which the generic name leaves out.
    return frozenset(
        group
        for group, words in drug_classes().items()
        if words.search(bare) or words.search(folded)
    )


def _names(cell: str) -> frozenset[str]:
    return frozenset(filter(None, cell.split("、")))
