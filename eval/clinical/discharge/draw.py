"""What is drawn for one encounter: the patient, the values, and the words that hold them."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from assistant.record.patient import Patient
from eval.clinical.discharge.story import Allergy, Comorbidity, Family, Lab, Story, common

_PLACE = re.compile(r"<([a-z]+[0-9]*)>")
_OTHER = {"左": "右", "右": "左"}
_FIRST_DAY = date(2025, 1, 6)
_CHILD = 14


@dataclass(frozen=True)
class Draw:
    """Everything about an encounter that is chance."""

    story: Story
    id: str
    patient: Patient
    age: int
    admitted_at: datetime
    days: int
    words: dict[str, str]
    labs: dict[str, dict[int, float]]
    comorbidities: tuple[tuple[Comorbidity, str], ...]
    allergy: Allergy
    family: Family
    habit: str
    doctor: str
    vitals: str
    temperature: str
    leaving_vitals: str
    leaving_temperature: str
    leaving_pressure: str

    def day(self, number: int) -> date:
        """The date of a day of the stay, 0 being the admission."""
        return self.admitted_at.date() + timedelta(days=number)

    def at(self, number: int, hour: int = 9) -> datetime:
        """An hour of a day of the stay, on the first day never before the admission."""
        moment = datetime.combine(self.day(number), time(hour, 10))
        return max(moment, self.admitted_at + timedelta(minutes=40))

    def fill(self, text: str) -> str:
        """The text with what was drawn in its places."""
        return filled(text, self.words)


def draw(story: Story, variant: int, seed: int) -> Draw:
    """The same draw for the same story, variant and seed."""
    dice = random.Random(f"{seed}/{story.id}/{variant}")  # noqa: S311
    shared = common()
    sex = dice.choice(("male", "female")) if story.sex == "any" else story.sex
    age = dice.randint(*story.age)
    child = age < _CHILD
    admitted_at = datetime.combine(
        _FIRST_DAY + timedelta(days=dice.randrange(300)), time(dice.randint(8, 16), 20)
    )
    words = {key: str(dice.choice(values)) for key, values in story.pick.items()}
    if "side" in words:
        words["other"] = _OTHER[words["side"]]
    labs = {key: _values(lab, dice) for key, lab in story.labs.items()}
    words |= {f"{key}{day}": _number(v) for key, found in labs.items() for day, v in found.items()}
    words["denied"] = "，".join(story.denied)
    vitals, temperature, _ = _vitals(story.vitals, dice)
    leaving, leaving_temperature, pressure = _vitals(_leaving(child, dice), dice)
    words["bpd"] = pressure
    brought = [
        c
        for c in shared.comorbidities
        if age >= c.from_age and c.id not in story.never and dice.random() < 0.4
    ][:2]
    name = dice.choice(shared.surnames) + dice.choice(shared.given[sex])
    identity = f"gen-{story.id}-{variant + 1}"
    born = admitted_at.date() - timedelta(days=int(age * 365.25) + dice.randrange(20, 340))
    family = dice.choice([f for f in shared.families if not set(f.excluded) & set(story.tags)])
    smokes = sex == "male" and age >= 45
    return Draw(
        story=story,
        id=identity,
        patient=Patient(id=f"pat-{identity}", name=name, sex=sex, birth_date=born),
        age=age,
        admitted_at=admitted_at,
        days=dice.randint(*story.days),
        words=words,
        labs=labs,
        comorbidities=tuple((c, _history(c, dice)) for c in brought),
        allergy=dice.choice(shared.allergies),
        family=family,
        habit=dice.choice(shared.habits["child" if child else "male" if smokes else "female"]),
        doctor=dice.choice(shared.doctors),
        vitals=vitals,
        temperature=temperature,
        leaving_vitals=leaving,
        leaving_temperature=leaving_temperature,
        leaving_pressure=pressure,
    )


def flag(value: float, reference: str) -> Literal["low", "high", "normal"]:
    """high, low or normal, as the reference range has it."""
    low, _, high = reference.partition("-")
    return "low" if value < float(low) else "high" if value > float(high) else "normal"


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 100_000 else f"{value:.0f}"


def _values(lab: Lab, dice: random.Random) -> dict[int, float]:
    """The values of one test, moved a little together where none changes its flag by it."""
    _, _, reference, given = lab
    factor = dice.uniform(0.94, 1.06)
    moved = {}
    for day, value in given.items():
        text = f"{value:g}" if isinstance(value, float) else str(value)
        moved[day] = round(value * factor, len(text.partition(".")[2]))
    same = all(flag(moved[d], reference) == flag(v, reference) for d, v in given.items())
    return moved if same else dict(given)


def _vitals(base: tuple[float, int, int, int, int], dice: random.Random) -> tuple[str, str, str]:
    """(the line, the temperature, the pressure); the pulse stays, as the examination repeats it."""
    t, p, r, high, low = base
    temperature = f"{t + dice.choice((-0.1, 0.0, 0.1)):.1f}"
    pressure = f"{high + dice.choice((-4, -2, 0, 2))}/{low + dice.choice((-2, 0, 2))}"
    line = f"T {temperature}℃，P {p}次/分，R {r}次/分，BP {pressure}mmHg"
    return line, temperature, pressure


def _leaving(child: bool, dice: random.Random) -> tuple[float, int, int, int, int]:
    if child:
        return 36.6, dice.choice((104, 108, 112)), 24, 92, 56
    return 36.5, dice.choice((70, 74, 78)), dice.choice((16, 17, 18)), 126, 78


def _history(comorbidity: Comorbidity, dice: random.Random) -> str:
    drawn = {key: str(dice.choice(values)) for key, values in comorbidity.pick.items()}
    return filled(comorbidity.history, drawn)


def filled(text: str, words: Mapping[str, str]) -> str:
    """The text with a word for each ``<name>``.  Raises KeyError for a name that is not drawn."""
    return _PLACE.sub(lambda match: words[match[1]], text)
