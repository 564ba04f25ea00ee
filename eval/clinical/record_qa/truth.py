"""What is true of an encounter, from its rows as JSON and from what was drawn for it.

Nothing of the product's own tools is used: rows are grouped by the name that they have.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from assistant.record.encounter import Encounter
from eval.clinical.discharge.draw import draw
from eval.clinical.discharge.generator import generate
from eval.clinical.discharge.story import stories

Row = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """An encounter as JSON, with what only its authors know.

    ``denied`` are things that the patient is said not to have and that are told nowhere else,
    ``family`` the words of a relative's illness.
    """

    data: dict[str, Any]
    generated: bool = False
    denied: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    allergy: tuple[str, ...] = ()
    values: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def encounter(self) -> Encounter:
        """The encounter, typed."""
        return Encounter.model_validate(self.data)

    @property
    def text(self) -> str:
        """All notes."""
        return "\n".join(note["text"] for note in self.data["notes"])

    def results(self) -> dict[str, list[Row]]:
        """The rows with one number by their names, in the order of their times."""
        found: dict[str, list[Row]] = {}
        for row in self.data["observations"]:
            if row["status"] == "final" and row["at"] and number(row) is not None:
                found.setdefault(row["name"], []).append(row)
        return {name: sorted(rows, key=moment) for name, rows in found.items()}


def number(row: Row) -> float | None:
    """The number of a row; None where it is none."""
    try:
        value = float(row["value"])
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def moment(row: Row) -> datetime:
    """The time of a row."""
    return datetime.fromisoformat(row["at"])


def day_words(day: date | datetime) -> str:
    """``3月5日``."""
    return f"{day.month}月{day.day}日"


def egfr(creatinine: float, age: int, sex: str) -> float:
    """eGFR by CKD-EPI 2021 (Inker 2021) of a creatinine in μmol/L, written out by branches."""
    mg = creatinine / 88.42
    if sex == "female":
        power = -0.241 if mg <= 0.7 else -1.2
        return float(142 * (mg / 0.7) ** power * 0.9938**age * 1.012)
    power = -0.302 if mg <= 0.9 else -1.2
    return float(142 * (mg / 0.9) ** power * 0.9938**age)


def sample_stays() -> Iterator[Known]:
    """The samples."""
    folder = files("assistant") / "samples" / "encounters"
    for name in sorted(f.name for f in folder.iterdir() if f.name.endswith(".json")):
        data = json.loads((folder / name).read_text("utf-8"))
        encounter = Encounter.model_validate(data)
        yield Known(encounter.model_dump(mode="json"))


def generated_stays(count: int, seed: int) -> Iterator[Known]:
    """Stays of the generator, each with what was drawn for it."""
    told = stories()
    for number_, known in enumerate(generate(count, seed)):
        drawn = draw(told[number_ % len(told)], number_ // len(told), seed)
        text = "\n".join(note.text for note in known.encounter.notes)
        denied = []
        for phrase in drawn.story.denied:
            thing = drawn.fill(phrase).removeprefix("否认").removeprefix("无")
            if "、" not in thing and text.count(thing) == 1 and f"无{thing}" in text:
                denied.append(thing)
        own = drawn.family.words.split("|")
        elsewhere = text.replace(drawn.family.text, "")
        family = tuple(own[:1]) if not any(word in elsewhere for word in own) else ()
        yield Known(
            known.encounter.model_dump(mode="json"),
            generated=True,
            denied=tuple(denied),
            family=family,
            allergy=tuple(drawn.allergy.words.split("|")),
            values={
                name: tuple(drawn.labs[key][day] for day in sorted(drawn.labs[key]))
                for key, (name, *_) in drawn.story.labs.items()
            },
        )
