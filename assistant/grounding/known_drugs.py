"""The drug names that a statement and a record are read with."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.text.drugs import DrugNames, generic_name, shipped_drugs
from knowledge.text.regimens import shipped_names


def drug_names(known: Iterable[str] = ()) -> DrugNames:
    """The shipped names, and those that the record's own tables have."""
    own = [wording for name in known if name for wording in (name, generic_name(name))]
    return DrugNames([*shipped_drugs(), *own]) if own else shipped_names()
