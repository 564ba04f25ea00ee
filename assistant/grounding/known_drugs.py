"""The drug names that a statement and a record are read with."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from knowledge.text.drugs import DrugNames, generic_name, shipped_drugs


@cache
def _further() -> tuple[str, ...]:
    text = (files("assistant.grounding") / "data" / "further_drugs.txt").read_text(encoding="utf-8")
    return tuple(w for line in text.splitlines() if not line.startswith("#") for w in line.split())


@cache
def _all_names() -> DrugNames:
    return DrugNames([*shipped_drugs(), *_further()])


def drug_names(known: Iterable[str] = ()) -> DrugNames:
    """The shipped names, those of ``further_drugs.txt`` and those that the record's own tables have."""
    own = [wording for name in known if name for wording in (name, generic_name(name))]
    return DrugNames([*shipped_drugs(), *_further(), *own]) if own else _all_names()
