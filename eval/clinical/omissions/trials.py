"""Summaries from which one to three known facts were dropped."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from assistant.record.encounter import Encounter
from eval.clinical.checker.rewording import SYNONYMS
from eval.clinical.discharge.generator import generate
from eval.clinical.discharge.known import KnownEncounter
from eval.clinical.omissions.summary import Stay, Truth, stay_of

MOST_DROPPED = 3
STORIES = 60
"""Generated encounters; the samples come beside them."""


@dataclass(frozen=True)
class Trial:
    """A summary, the facts that were dropped from it, and everything that went with them."""

    id: str
    encounter: Encounter
    text: str
    dropped: tuple[Truth, ...]
    removed: tuple[str, ...]


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Trials with ``count`` dropped facts in all; kinds come as evenly as the stays have them."""
    dice = random.Random(f"{seed}/omissions")  # noqa: S311
    known = [*samples(), *generate(STORIES, seed)]
    taken: dict[str, int] = {}
    number = dropped = 0
    while dropped < count:
        number += 1
        stay = stay_of(known[number % len(known)], dice)
        trial = _trial(f"o{number}", stay, dice, taken)
        if trial is None:
            continue
        dropped += len(trial.dropped)
        yield trial


def samples() -> list[KnownEncounter]:
    """The sample encounters; their rows alone are known facts."""
    folder = files("assistant") / "samples" / "encounters"
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".json"))
    rows = [json.loads((folder / name).read_text("utf-8")) for name in names]
    return [KnownEncounter(encounter=Encounter.model_validate(row)) for row in rows]


def _trial(name: str, stay: Stay, dice: random.Random, taken: dict[str, int]) -> Trial | None:
    facts = list(stay.facts)
    dice.shuffle(facts)
    facts.sort(key=lambda f: taken.get(f.kind, 0))
    chosen = facts[: dice.randint(1, MOST_DROPPED)]
    gone = [f for f in stay.facts if f in chosen or any(_shares(f, c) for c in chosen)]
    removed = [c for c in stay.clauses if any(f.is_in(c) for f in gone)]
    kept = [c for c in stay.clauses if c not in removed]
    said = [dice.choice(f.sentences) for f in stay.facts if f not in gone and f.sentences]
    said = [s for s in said if not any(f.is_in(s) for f in gone)]
    text = _reworded("".join(said) + "\n" + "".join(kept), dice)
    left = [f for f in chosen if not f.is_in(text)]
    if not left:
        return None
    for fact in left:
        taken[fact.kind] = taken.get(fact.kind, 0) + 1
    removed = [c.strip("，,；;。\n") for c in removed]
    lost = [s for f in stay.facts if f in gone for s in f.sentences]
    return Trial(name, stay.encounter, text, tuple(left), (*removed, *lost))


def _shares(fact: Truth, other: Truth) -> bool:
    """Whether a sentence of the fact would tell the other one."""
    return any(other.is_in(sentence) for sentence in fact.sentences)


def _reworded(text: str, dice: random.Random) -> str:
    for written, other in SYNONYMS:
        # "T " and "BP " would be cut out of PCT and other names.
        if not written.endswith(" ") and dice.random() < 0.3:
            # 糖化血红蛋白 is no haemoglobin.
            text = other.join(re.split(f"(?<!糖化){re.escape(written)}", text))
    return text
