"""Faults of a curated base: unknown findings, codes that do not exist, names used twice or too
wide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from knowledge.clinical.entry import Entry, EntryFault
from knowledge.clinical.vocabulary import Vocabulary
from knowledge.text.folding import fold

FEWEST_FINDINGS = 8
MANY_LIST_IT = 5
"""So many other entries list a finding that its name means no one disease."""
SEVERAL = 2


def lint(
    entries: Sequence[Entry],
    known: Vocabulary,
    others: Sequence[Entry] = (),
    codes: frozenset[str] | None = None,
) -> list[EntryFault]:
    """What is wrong with ``entries``; ``others`` are those that they share a base with.

    ``codes`` are the codes of the ICD-10 table in use; without it codes are not looked up.
    """
    faults: list[EntryFault] = []
    for entry in entries:
        faults += [EntryFault(entry.name, problem) for problem in _of_entry(entry, known, codes)]
    faults += _names_used_twice([*entries, *others])
    names = {fold(name) for entry in (*entries, *others) for name in (entry.name, *entry.names)}
    for entry in entries:
        missing = [name for name in entry.differentials if fold(name) not in names]
        faults += [EntryFault(entry.name, f"differs from {name}, no entry") for name in missing]
    faults += _kinds(entries, others)
    faults += _wide_names(entries, others)
    return faults


def _of_entry(entry: Entry, known: Vocabulary, codes: frozenset[str] | None) -> Iterable[str]:
    for finding in dict.fromkeys(entry.used_findings()):
        if known.kind(finding) is None:
            yield f"unknown finding {finding}"
    if len(entry.findings) < FEWEST_FINDINGS:
        yield f"only {len(entry.findings)} findings"
    if not entry.icd10:
        yield "no ICD-10 code"
    for code in entry.icd10 if codes is not None else ():
        if codes is not None and code not in codes and code[:3] not in codes:
            yield f"{code} is no code of the table"
    if entry.critical and not (entry.red_flags and entry.exclude):
        yield "must not be missed, and says no red flags or nothing that excludes it"
    if not entry.sources:
        yield "names no source"


def _kinds(entries: Sequence[Entry], others: Sequence[Entry]) -> list[EntryFault]:
    """Kinds that are no entries, or that are the entry itself by way of others."""
    below = {entry.name: entry.kinds for entry in (*entries, *others)}
    faults: list[EntryFault] = []
    for entry in entries:
        faults += [
            EntryFault(entry.name, f"kind {k}, no entry") for k in entry.kinds if k not in below
        ]
        reached, left = set[str](), list(entry.kinds)
        while left:
            kind = left.pop()
            if kind not in reached:
                reached.add(kind)
                left += below.get(kind, ())
        if entry.name in reached:
            faults.append(EntryFault(entry.name, "is a kind of itself"))
    return faults


def _wide_names(entries: Sequence[Entry], others: Sequence[Entry]) -> list[EntryFault]:
    """Other names that mean more than the entry: the name of a finding that many diseases have
    (上睑下垂 of the congenital one), or one that another disease, no rarer and not related, would
    have as well (裂伤).  Those of ``accepted_names.tsv`` are customary all the same."""
    every = [*entries, *others]
    listing: Mapping[str, set[str]] = defaultdict(set)
    for entry in every:
        for finding in entry.findings:
            listing[fold(finding)].add(entry.name)
    faults: list[EntryFault] = []
    for entry in (e for e in entries if not e.general):
        for name in (n for n in entry.names if fold(n) not in _accepted_names()):
            having = listing[fold(name)] - {entry.name}
            if len(having) >= MANY_LIST_IT:
                problem = f"the name {name} is a finding that {len(having)} others have"
                faults.append(EntryFault(entry.name, problem))
            elif rival := _rival_of_tail(entry, name, every):
                faults.append(EntryFault(entry.name, f"the name {name} would suit {rival} as well"))
    return faults


def _rival_of_tail(entry: Entry, name: str, every: Sequence[Entry]) -> str:
    """One of several others that end with ``name`` as the entry's own name does; "" where the
    entry is the commonest of them."""
    tail, own = fold(name), fold(entry.name)
    if own == tail or not own.endswith(tail):
        return ""
    alike = [e for e in every if fold(e.name).endswith(tail) and not e.is_related(entry)]
    rivals = [e.name for e in alike if e.common >= entry.common]
    return rivals[0] if len(alike) >= SEVERAL and rivals else ""


@cache
def _accepted_names() -> frozenset[str]:
    text = (files("knowledge.clinical") / "accepted_names.tsv").read_text(encoding="utf-8")
    return frozenset(fold(line) for line in text.splitlines() if line and line[0] != "#")


def _names_used_twice(entries: Sequence[Entry]) -> list[EntryFault]:
    users: Mapping[str, list[str]] = defaultdict(list)
    for entry in entries:
        for name in dict.fromkeys(fold(n) for n in (entry.name, *entry.names)):
            users[name].append(entry.name)
    return [
        EntryFault(owners[0], f"the name {name} is also a name of {'、'.join(owners[1:])}")
        for name, owners in users.items()
        if len(owners) > 1
    ]


def read_codes(table: Path) -> frozenset[str]:
    """The codes of a table (code, tab, name), with their categories."""
    codes = {line.split("\t")[0].strip() for line in table.read_text("utf-8").splitlines()}
    return frozenset(codes | {code[:3] for code in codes} | {code[:5] for code in codes})
