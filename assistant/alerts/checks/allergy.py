"""Drugs against what the patient is told to be allergic to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.alerts.chart import Told
from assistant.alerts.drug import Drug
from assistant.alerts.facts import Facts
from assistant.alerts.tables import allergens
from assistant.alerts.way import Way

_SHORTEST = 3
"""Characters of a name that is no part of many others."""


def allergy(facts: Facts) -> Iterator[Way]:
    """A drug of the class that is refused, or the very drug that is named."""
    done: set[str] = set()
    for allergen, told in facts.chart.allergies:
        for drug in facts.asked(allergen.refused):
            if not _is_over(drug, told, facts):
                done.add(drug.generic)
                yield _way(drug, told)
    for drug in facts.asked_rows:
        if drug.generic in done or len(drug.generic) < _SHORTEST:
            continue
        told_of = facts.chart.allergic_to(re.compile(re.escape(drug.generic)))
        if told_of is not None and not _is_over(drug, told_of, facts):
            done.add(drug.generic)
            yield _way(drug, told_of)


def cross_allergy(facts: Facts) -> Iterator[Way]:
    """A drug of a class that may cross-react."""
    refused = {group for allergen, _ in facts.chart.allergies for group in allergen.refused}
    for allergen, told in facts.chart.allergies:
        for drug in facts.asked(allergen.crossing):
            crossing = drug.classes & allergen.crossing
            if drug.classes & refused or _is_over(drug, told, facts):
                continue
            if not _is_borne(crossing, facts):
                yield _way(drug, told)


def _is_borne(groups: frozenset[str], facts: Facts) -> bool:
    """Whether the record tells that the class was given before, and was borne."""
    words = [one.words.pattern for one in allergens() if one.name in groups]
    if not words:
        return False
    borne = re.compile(rf"(?:{'|'.join(words)})[^。;]{{0,20}}(?:无过敏|未过敏|未见过敏|可耐受)")
    return any(borne.search(text.document.folded) for text in facts.texts)


def _way(drug: Drug, told: Told) -> Way:
    words = {"allergen": told.evidence.quote, "drug": drug.name}
    return Way(words, (told.evidence, drug.evidence), (told.name, drug.generic), (drug,))


def _is_over(drug: Drug, told: Told, facts: Facts) -> bool:
    """Whether the drug was stopped when the allergy was written down: it is what told of it."""
    note = facts.chart.note(told.evidence.note_id)
    stop = drug.row.stop if drug.row else None
    written = note.written_at if note else None
    return stop is not None and written is not None and stop <= written.date()
