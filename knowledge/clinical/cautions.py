"""Which cautions of an entry apply to the patient of a record, and what in it says so.

A caution's key is a group of patients (肾功能不全, 妊娠, 高龄), or 过敏:X, 合并:X, 同用:X: an
allergy to X, X as another illness or state, X as a drug that is taken.  What the record denies does
not apply; what it only thinks possible does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.entry import Entry
from knowledge.clinical.evidence import CaseEvidence
from knowledge.text.assertion.engine import assert_terms
from knowledge.text.finding import Experiencer, Finding, Polarity, Span, Temporality
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

ALLERGY, WITH_DRUG, WITH_ILLNESS = "过敏", "同用", "合并"
_PARTED = re.compile(r"[、/或和及]")
_ALLERGIC = re.compile(r"[^。;\n,]{0,12}过敏")
_GENERIC = re.compile(r"(?:类|药物?|制剂)\Z")


@dataclass(frozen=True, slots=True)
class AppliedCaution:
    """A caution of an entry; ``because`` what in the record makes it apply (none: age)."""

    key: str
    text: str
    because: tuple[Finding, ...]


@cache
def conditions() -> Mapping[str, tuple[str, ...]]:
    """The table of groups."""
    text = (files("knowledge.clinical") / "conditions.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {key: tuple(findings.split("、")) for key, findings in rows}


def applied_cautions(
    entry: Entry, case: CaseEvidence, texts: Mapping[str, str], base: ClinicalBase
) -> list[AppliedCaution]:
    """The cautions of ``entry`` that apply, in its order.  ``texts``: note id → text."""
    applied = []
    for key, text in entry.cautions.items():
        because = tuple(_because(key, case, texts, base))
        if because or _of_age(key, case):
            applied.append(AppliedCaution(key, text, because))
    return applied


def _of_age(key: str, case: CaseEvidence) -> bool:
    if case.age_years is None:
        return False
    rules = conditions().get(key, ())
    return ("age>=65" in rules and case.age_years >= 65) or (
        "age<14" in rules and case.age_years < 14
    )


def _because(
    key: str, case: CaseEvidence, texts: Mapping[str, str], base: ClinicalBase
) -> Iterator[Finding]:
    kind, parted, what = key.replace("：", ":").partition(":")
    if not parted:
        yield from _having(set(conditions().get(key, ())), case, base)
    elif kind == WITH_ILLNESS:
        names = {name for part in _PARTED.split(what) for name in base.reader.named(part)}
        yield from _having(names, case, base)
        yield from _named(what, texts, TermKind.DISEASE)
    elif kind == WITH_DRUG:
        yield from _named(what, texts, TermKind.DRUG)
    elif kind == ALLERGY:
        yield from _named(what, texts, TermKind.DRUG, allergy=True)


def _having(names: set[str], case: CaseEvidence, base: ClinicalBase) -> Iterator[Finding]:
    for name in case.present:
        if names & {name, *base.known.ancestors(name)} and name in case.spans:
            yield case.spans[name]


def _named(
    what: str, texts: Mapping[str, str], kind: TermKind, *, allergy: bool = False
) -> Iterator[Finding]:
    """Where a text names one of the things and does not deny it."""
    parts = [_GENERIC.sub("", part) for part in _PARTED.split(fold(what))]
    for note_id, text in texts.items():
        folded = fold(text)
        for part in (p for p in parts if len(p) > 1):
            for hit in re.finditer(re.escape(part), folded):
                allergic = _ALLERGIC.match(folded, hit.end()) is not None
                if allergic is not allergy:
                    continue
                (said,) = assert_terms(text, [Match(hit.start(), hit.end(), part, kind)])
                if (
                    said.polarity is Polarity.PRESENT
                    and said.experiencer is Experiencer.PATIENT
                    and (allergy or said.temporality is Temporality.CURRENT)
                ):
                    span = Span(note_id=note_id, start=hit.start(), end=hit.end())
                    yield Finding(text=text[hit.start() : hit.end()], concept=part, span=span)
                    break
