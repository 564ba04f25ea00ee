"""Diagnoses that must not be missed (不可漏诊), by the findings that call for excluding them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from knowledge.ranking.demographics import Sex
from knowledge.text.finding import Finding
from knowledge.text.synonyms import SynonymTable


@dataclass(frozen=True)
class CriticalDisease:
    """One entry of ``data/critical_diseases.yaml``; ages in years, both ends included."""

    name: str
    aliases: tuple[str, ...]
    low: float
    high: float
    sex: Sex | None
    triggers: tuple[frozenset[str], ...]
    red_flags: str
    excluded_by: str


@dataclass(frozen=True)
class CriticalDiagnosis:
    """A diagnosis to exclude in this patient.

    ``reasons`` are the findings that call for or support it, in record order; ``red_flags``
    what to look for; ``excluded_by`` what would exclude it.  ``disease`` is its name in the base,
    if the base has it; ``passage_id`` is the curated entry that says so and ``source``
    what it is cited as, both empty for the list.
    """

    name: str
    disease: str | None
    reasons: tuple[Finding, ...]
    red_flags: str
    excluded_by: str
    passage_id: str = ""
    source: str = ""


@lru_cache(maxsize=1)
def critical_diseases() -> tuple[CriticalDisease, ...]:
    """The curated list that ships with the product."""
    text = (files("knowledge") / "data" / "critical_diseases.yaml").read_text(encoding="utf-8")
    return tuple(_entry(record) for record in yaml.safe_load(text))


def _entry(record: Mapping[str, Any]) -> CriticalDisease:
    low, high = record["age"]
    return CriticalDisease(
        name=record["name"],
        aliases=tuple(record["aliases"]),
        low=float(low),
        high=float(high),
        sex=record.get("sex"),
        triggers=tuple(frozenset(trigger) for trigger in record["triggers"]),
        red_flags=record["red_flags"],
        excluded_by=record["excluded_by"],
    )


def critical_diagnoses(
    findings: Sequence[Finding],
    age_years: float | None,
    sex: Sex | None,
    table: SynonymTable,
    names: Mapping[str, str],
) -> list[CriticalDiagnosis]:
    """The entries of the list that the present findings call for, best supported first.

    An unknown age or sex excludes nothing.  ``names`` maps folded disease names and aliases of the
    base to disease names.  Denied, past and family findings never trigger.
    """
    support: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.counts_for:
            for concept in (finding.concept, *table.ancestors(finding.concept)):
                support.setdefault(concept, []).append(finding)
    called: list[tuple[int, CriticalDiagnosis]] = []
    for entry in critical_diseases():
        if not _fits(entry, age_years, sex):
            continue
        if any(trigger <= support.keys() for trigger in entry.triggers):
            concepts = frozenset().union(*entry.triggers) & support.keys()
            reasons = {
                (f.span.note_id, f.span.start, f.span.end): f for c in concepts for f in support[c]
            }
            known = next((names[n] for n in (entry.name, *entry.aliases) if n in names), None)
            ordered = tuple(reasons[key] for key in sorted(reasons))
            called.append(
                (
                    len(concepts),
                    CriticalDiagnosis(
                        entry.name, known, ordered, entry.red_flags, entry.excluded_by
                    ),
                )
            )
    called.sort(key=lambda pair: -pair[0])
    return [diagnosis for _, diagnosis in called]


def _fits(entry: CriticalDisease, age_years: float | None, sex: Sex | None) -> bool:
    if age_years is not None and not entry.low <= age_years <= entry.high:
        return False
    return entry.sex is None or sex is None or entry.sex == sex
