"""The stories that encounters are made from: data that the authors wrote, a file a speciality."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import zip_longest
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from assistant.tasks.discharge.draft import SectionName

_FOLDER = files("eval.clinical") / "data" / "encounters"
_COMMON = "common.yaml"

Days = Annotated[int, Field(ge=0, le=60)]
Lab = tuple[str, str, str, dict[Days, float]]
"""Name, unit, reference range, value by day."""
Drug = list[str | int]
"""Name, specification, dose, route, frequency; then first and last day, or ``home`` and days; a
last ``key X`` makes X a fact of the course."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=False)


class Story(_Part):
    """One illness and its stay, with ``<placeholders>`` for what is drawn."""

    id: str
    department: str
    tags: list[str] = []
    sex: Literal["male", "female", "any"]
    age: tuple[int, int]
    days: tuple[int, int]
    diagnosis: tuple[str, str]
    admitted_as: tuple[str, str] | None = None
    never: list[str] = []
    pick: dict[str, list[Any]]
    vitals: tuple[float, int, int, int, int]
    complaint: str
    illness: str
    denied: list[str]
    earlier: str
    earlier_told: list[str]
    earlier_words: str
    exam: str
    labs: dict[str, Lab]
    imaging: list[tuple[Days, str, str]]
    operation: tuple[Days, str, str, str] | None = None
    differential: str
    plan: str
    drugs: list[Drug]
    stopped: Drug | None = None
    pending: str = ""
    progress: list[tuple[Days, str]]
    leaving: str
    advice: str
    follow_up: str
    facts: dict[SectionName, list[dict[str, str]]]


class Comorbidity(_Part):
    """An illness that the patient brings along, with the drug taken for it."""

    id: str
    from_age: int
    name: str
    icd10: str
    history: str
    pick: dict[str, list[Any]]
    drug: list[str]


class Allergy(_Part):
    """What the past history says of allergies."""

    text: str
    words: str


class Family(_Part):
    """A relative's illness, and the same told of the patient."""

    excluded: list[str] = Field(alias="not")
    text: str
    statement: str
    words: str


class Common(_Part):
    """What any patient may have."""

    surnames: list[str]
    given: dict[Literal["male", "female"], list[str]]
    doctors: list[str]
    comorbidities: list[Comorbidity]
    allergies: list[Allergy]
    families: list[Family]
    habits: dict[Literal["male", "female", "child"], list[str]]


@cache
def stories() -> tuple[Story, ...]:
    """All stories: the first of each speciality, then the second of each, and so on."""
    names = sorted(f.name for f in _FOLDER.iterdir() if f.name.endswith(".yaml"))
    specialities = [
        [Story.model_validate(row) for row in yaml.safe_load((_FOLDER / name).read_text("utf-8"))]
        for name in names
        if name != _COMMON
    ]
    turns = zip_longest(*specialities)
    return tuple(story for turn in turns for story in turn if story is not None)


@cache
def common() -> Common:
    """What the stories share."""
    return Common.model_validate(yaml.safe_load((_FOLDER / _COMMON).read_text("utf-8")))
