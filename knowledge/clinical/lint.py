"""Faults of a curated base: unknown findings, codes that do not exist, names used twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from knowledge.clinical.entry import Entry, EntryFault
from knowledge.clinical.vocabulary import Vocabulary
from knowledge.text.folding import fold

FEWEST_FINDINGS = 8


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
