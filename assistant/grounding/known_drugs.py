"""The drug names that a statement and a record are read with."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from assistant.grounding.tables import words
from knowledge.text.drugs import DrugNames, generic_name, shipped_drugs


@cache
def _all_names() -> DrugNames:
    return DrugNames([*shipped_drugs(), *words("further_drugs.txt")])


def drug_names(known: Iterable[str] = ()) -> DrugNames:
    """The shipped names, those of ``further_drugs.txt`` and those of the record's own tables."""
    own = [wording for name in known if name for wording in (name, generic_name(name))]
    return DrugNames([*shipped_drugs(), *words("further_drugs.txt"), *own]) if own else _all_names()
