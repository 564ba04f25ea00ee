"""True summaries of stays: facts in known wordings, and the rest of the notes as it stands.

What is a fact comes from the rows, from what the stories' authors ask for, and from events that are
written into the stay; nothing here asks the extractor of events.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assistant.record.encounter import Encounter
from assistant.record.fields import written_day
from assistant.record.medication import Medication
from assistant.record.observation import Observation
from eval.clinical.checker.elsewhere import plain
from eval.clinical.discharge.known import KnownEncounter
from knowledge.text.drugs import generic_name

_CLAUSE = re.compile(r"(?:(?<=\d)[,，](?=\d{3}(?!\d))|[^，,；;。\n])+[，,；;。\n]?")
_OPENING = ("admission", "first_progress")
_OWN = 4
"""Characters of a drug's name that are its own."""

_COMPLAINT = re.compile(r"主\s*诉\s*[：:]\s*([^。\n]{2,60})")


@cache
def wordings() -> dict[str, Any]:
    """The file of wordings."""
    path = files("eval.clinical") / "data" / "omissions" / "wordings.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return loaded


@dataclass(frozen=True)
class Truth:
    """A fact of the stay: its kind, the words that are its own, and sentences that tell it.

    ``sentences`` is empty where clauses of the notes tell it.
    """

    kind: str
    keys: tuple[str, ...]
    sentences: tuple[str, ...] = ()

    def is_in(self, text: str) -> bool:
        """Whether the fact's own words all stand in a text, numbers whole."""
        return all(_holds(text, key) for key in self.keys)


@dataclass(frozen=True)
class Stay:
    """An encounter with its facts, and the clauses of its notes that a summary has as they are."""

    encounter: Encounter
    facts: tuple[Truth, ...]
    clauses: tuple[str, ...]


def stay_of(known: KnownEncounter, dice: random.Random, *, add: int = 3) -> Stay:
    """The stay with ``add`` events written into its progress notes, its facts and its clauses."""
    encounter, added = _with_added(known.encounter, dice, add)
    clauses = list(_clauses(known.encounter))
    rows = list(_of_rows(known))
    asked = list(_of_story(known, clauses))
    results = [fact for fact in rows if fact.kind == "result"]
    # A result is told by its sentence alone, so that a rewording has to be recognised.
    rest = [c for c in clauses if not any(fact.is_in(c) for fact in results)]
    between = _between(encounter.observations, results)
    told = {fact.keys[0] for fact in rows if fact.kind == "pending_result"}
    waiting = [
        f"待回报：{o.name}。"
        for o in encounter.observations
        if o.status == "pending" and o.name not in told
    ]
    return Stay(encounter, (*rows, *added, *asked), (*rest, *between, *waiting))


def _holds(text: str, key: str) -> bool:
    wanted = plain(key)
    left = r"(?<![\d.])" if wanted[:1].isdigit() else ""
    right = r"(?!\d|\.\d)" if wanted[-1:].isdigit() else ""
    return re.search(left + re.escape(wanted) + right, plain(text)) is not None


def _of_rows(known: KnownEncounter) -> Iterator[Truth]:
    encounter = known.encounter
    asked = [f.words[0] for f in known.facts if f.kind == "手术操作"]
    for note in encounter.notes:
        if note.kind == "admission" and (found := _COMPLAINT.search(note.text)):
            yield _truth("admission_reason", (found[1],), {"text": found[1]})
    for row in encounter.operations:
        # The samples' notes tell operations and pending results in words that no row knows.
        own = next((w for words in asked for w in words if w in row.name), None)
        if own is None:
            continue
        yield _truth("operation", (own,), {"day": written_day(row.at), "name": row.name})
    yield from _of_results(encounter.observations)
    yield from _of_drugs(encounter.medications)
    for one in encounter.observations if known.facts else ():
        if one.status == "pending":
            yield _truth("pending_result", (one.name,), {"name": one.name})


def _of_drugs(rows: Sequence[Medication]) -> Iterator[Truth]:
    home = {generic_name(m.name)[:_OWN] for m in rows if m.discharge}
    seen: set[str] = set()
    for row in rows:
        drug = generic_name(row.name)
        if not row.discharge and drug[:_OWN] in home:
            # Both orders are told by one name: which of them a text lacks cannot be judged by it.
            continue
        if drug[:_OWN] in seen:
            continue
        seen.add(drug[:_OWN])
        values = {
            "drug": drug,
            "product": row.name,
            "dose": row.dose,
            "route": row.route,
            "frequency": row.frequency,
        }
        # Notes name a drug without its salt: 甲泼尼龙 for 甲泼尼龙琥珀酸钠.
        own = drug[:_OWN]
        yield _truth("discharge_drug" if row.discharge else "drug", (own,), values)


def _of_results(rows: Sequence[Observation]) -> Iterator[Truth]:
    """The first value where it is abnormal, and the last where it is another."""
    series: dict[str, list[Observation]] = {}
    for row in rows:
        if row.status == "final":
            series.setdefault(row.name, []).append(row)
    for found in series.values():
        found.sort(key=lambda r: str(r.at or ""))
        told = [r for r in (found[0],) if r.flag in ("high", "low", "abnormal")]
        if told and len(found) > 1 and found[-1].flag == "normal":
            told.append(found[-1])
        for row in told:
            joint = "×" if row.value[-1:].isdigit() and row.unit[:1].isdigit() else ""
            names = [row.name, *wordings()["tests"].get(row.name, [])]
            sentences = [
                text.format(test=name, value=f"{row.value}{joint}{row.unit}")
                for text in wordings()["rows"]["result" if row is told[0] else "again"]
                for name in names
            ]
            yield Truth("result", (row.name, row.value), tuple(sentences))


def _between(rows: Sequence[Observation], told: Sequence[Truth]) -> Iterator[str]:
    """The other values of the tests that the facts are of, which every summary has."""
    tests = {fact.keys[0] for fact in told}
    values = {fact.keys for fact in told}
    for row in rows:
        if row.name in tests and (row.name, row.value) not in values and row.status == "final":
            joint = "×" if row.value[-1:].isdigit() and row.unit[:1].isdigit() else ""
            yield f"{row.name} {row.value}{joint}{row.unit}。"


def _of_story(known: KnownEncounter, clauses: Sequence[str]) -> Iterator[Truth]:
    """What the authors of the story ask for, and the notes tell: told by the notes' clauses."""
    for fact in known.facts:
        kind = wordings()["facts"].get(fact.section, {}).get(fact.kind)
        for word in fact.words[0] if kind else ():
            if any(_holds(c, word) for c in clauses):
                yield Truth(str(kind), (word,))
                break


def _truth(kind: str, keys: tuple[str, ...], values: dict[str, str]) -> Truth:
    texts = [" ".join(t.format(**values).split()) for t in wordings()["rows"][kind]]
    return Truth(kind, keys, tuple(texts))


def _clauses(encounter: Encounter) -> Iterator[str]:
    for note in encounter.notes:
        if note.kind in _OPENING:
            continue
        for match in _CLAUSE.finditer(note.text):
            if match[0].strip(" ，,；;。\n"):
                yield match[0].lstrip()


def _with_added(
    encounter: Encounter, dice: random.Random, count: int
) -> tuple[Encounter, list[Truth]]:
    places = [n for n, note in enumerate(encounter.notes) if note.kind == "progress"]
    whole = plain("".join(n.text for n in encounter.notes) + encounter.model_dump_json())
    rows = [r for r in wordings()["added"] if plain(r[1]) not in whole]
    notes, facts = list(encounter.notes), []
    if not places:
        return encounter, []
    for kind, key, sentence, summaries in dice.sample(rows, min(count, len(rows))):
        number = dice.choice(places)
        note = notes[number]
        notes[number] = note.model_copy(update={"text": f"{note.text}{sentence}"})
        facts.append(Truth(kind, (key,), (sentence, *summaries)))
    return encounter.model_copy(update={"notes": notes}), facts
