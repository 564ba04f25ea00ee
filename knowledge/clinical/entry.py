"""A disease of the curated base.

Findings carry two numbers, as INTERNIST-1 and QMR defined them (Miller, Pople, Myers, NEJM 1982):
*frequency* 1-5, how often patients with the disease have it, and *evoking strength* 0-5, how
strongly it alone suggests the disease.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from knowledge.clinical.vocabulary import shipped_folder

Onset = Literal[
    "sudden", "hours", "days", "weeks", "months", "years", "recurrent", "congenital"
]  # fmt: skip
PatientSex = Literal["any", "male", "female", "mostly male", "mostly female"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


Combination = Annotated[tuple[Name, ...], Field(min_length=1)]


class Weight(NamedTuple):
    """How often the disease shows a finding (1-5), and how strongly that suggests it (0-5)."""

    frequency: int
    evoking: int


def _weight(value: Any) -> Weight:
    if isinstance(value, Weight):
        return value
    frequency, stroke, evoking = str(value).partition("/")
    if not stroke or frequency not in "12345" or evoking not in "012345" or not evoking:
        raise ValueError(f"{value!r} is no frequency/evoking strength such as 4/2")
    return Weight(int(frequency), int(evoking))


Weights = dict[Name, Annotated[Weight, BeforeValidator(_weight)]]


class Review(BaseModel):
    """Who of the clinicians has read the entry; nobody until one signs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["unreviewed", "reviewed"] = "unreviewed"
    by: str = ""
    on: str = ""
    note: str = ""


class Entry(BaseModel):
    """One disease.  Ages are in years: possible from, to, usual from, to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    names: tuple[Name, ...] = ()
    icd10: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]\d{2}[.\dA-Zx+*]*$")], ...] = ()
    departments: tuple[Name, ...] = ()
    common: Annotated[int, Field(ge=1, le=5)]
    critical: bool = False
    general: bool = False
    """A diagnosis of which the types are entries of their own: what is written before it is known
    which it is."""
    kinds: tuple[Name, ...] = ()
    """The entries that are types of it."""
    age: tuple[float, float, float, float] = (0, 130, 0, 130)
    sex: PatientSex = "any"
    onset: tuple[Onset, ...] = ()
    history: Weights = Field(default_factory=dict)
    symptoms: Weights = Field(default_factory=dict)
    signs: Weights = Field(default_factory=dict)
    tests: Weights = Field(default_factory=dict)
    against: tuple[Name, ...] = ()
    settles: tuple[Combination, ...] = ()
    """Findings that together make the diagnosis all but sure."""
    alarms: tuple[Combination, ...] = ()
    """Findings that together call for excluding it, however unlikely it is."""
    differentials: dict[Name, Line] = Field(default_factory=dict)
    confirm: tuple[Line, ...] = ()
    red_flags: str = ""
    exclude: str = ""
    management: tuple[Line, ...] = ()
    cautions: dict[Name, Line] = Field(default_factory=dict)
    sources: tuple[Line, ...] = ()
    review: Review = Review()

    @model_validator(mode="after")
    def _ages_fit(self) -> Entry:
        low, high, usual_low, usual_high = self.age
        if not 0 <= low <= usual_low <= usual_high <= high:
            raise ValueError(f"age {list(self.age)} is not possible from, to, usual from, to")
        return self

    @property
    def findings(self) -> dict[str, Weight]:
        """All findings of the entry; of one that stands twice the stronger."""
        merged: dict[str, Weight] = {}
        parts = (self.history, self.symptoms, self.signs, self.tests)
        for name, weight in chain.from_iterable(part.items() for part in parts):
            merged[name] = max(weight, merged.get(name, weight))
        return merged

    @property
    def category(self) -> str:
        """The three-character ICD-10 category; the name where there is no code."""
        return self.icd10[0][:3] if self.icd10 else self.name

    def is_related(self, other: Entry) -> bool:
        """Whether both are of one ICD-10 category, one a kind of the other, or share a kind."""
        return (
            self.category == other.category
            or self.name in other.kinds
            or other.name in self.kinds
            or not set(self.kinds).isdisjoint(other.kinds)
        )

    def as_record(self) -> dict[str, Any]:
        """Plain data as a file of entries has it."""
        record = self.model_dump(mode="json", exclude_defaults=True)
        for part in ("history", "symptoms", "signs", "tests"):
            if weights := getattr(self, part):
                record[part] = {name: f"{w.frequency}/{w.evoking}" for name, w in weights.items()}
        return record

    def used_findings(self) -> Iterator[str]:
        """Every name of a finding that the entry uses, however it does."""
        yield from self.findings
        yield from self.against
        yield from chain.from_iterable((*self.settles, *self.alarms))


@dataclass(frozen=True, slots=True)
class EntryFault:
    """What is wrong, and where."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


def read_entries(paths: Iterable[Path]) -> tuple[list[Entry], list[EntryFault]]:
    """The entries of YAML files, and what could not be read of them."""
    entries: list[Entry] = []
    faults: list[EntryFault] = []
    for path in paths:
        try:
            # The loader is a safe one, whichever it is.
            records = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            faults.append(EntryFault(path.name, f"no YAML: {' '.join(str(error).split())}"))
            continue
        if not isinstance(records, list):
            faults.append(EntryFault(path.name, "holds no list of entries"))
            continue
        for number, record in enumerate(records, 1):
            named = record.get("name") if isinstance(record, Mapping) else None
            place = f"{path.name}, {named or f'entry {number}'}"
            try:
                entries.append(Entry.model_validate(record))
            except ValidationError as error:
                faults += [EntryFault(place, _said(e)) for e in error.errors()]
    return entries, faults


# The safe loader, written in C where it is there.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _said(error: Any) -> str:
    where = ".".join(str(step) for step in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def entry_files(folder: Path) -> list[Path]:
    """The files of entries under a folder of a base."""
    return sorted((folder / "diseases").glob("*.yaml"))


@lru_cache(maxsize=1)
def shipped_entries() -> tuple[Entry, ...]:
    """The entries that ship with the product."""
    entries, faults = read_entries(entry_files(shipped_folder()))
    if faults:
        raise ValueError("; ".join(map(str, faults[:3])))
    return tuple(entries)
