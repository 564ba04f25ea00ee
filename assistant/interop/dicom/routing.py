"""Routing rules: which series of a study becomes which task, and where its results go.

The rules are data (``routing.yaml``); the first rule of a task kind that fits a series takes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from assistant.imaging.out.product import Form
from assistant.interop.dicom.settings import DicomSettings

SHIPPED = Path(__file__).parent / "data" / "routing.yaml"
OWN = "routing.yaml"
"""In the home folder."""


class BadRules(Exception):
    """The routing rules cannot be used; the message says where."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class When(_Part):
    """What a series must be.  ``body_part`` and ``description``: one of those that are given."""

    modality: list[str] = Field(min_length=1)
    body_part: list[str] = Field(default_factory=list, description="Values of BodyPartExamined.")
    description: str = Field(default="", description="A pattern, anywhere in SeriesDescription.")
    not_description: str = Field(default="", description="A pattern that must not be in it.")
    min_instances: int = Field(default=1, ge=1)

    @field_validator("description", "not_description")
    @classmethod
    def _pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return value

    def fits(self, series: Mapping[str, Any]) -> bool:
        """Whether a series (see `assistant.store.studies`) is such a one."""
        said = series["description"]
        if series["modality"] not in self.modality or series["own"]:
            return False
        if series["instances"] < self.min_instances:
            return False
        if self.not_description and re.search(self.not_description, said, re.IGNORECASE):
            return False
        named = series["body_part"] in self.body_part
        described = bool(self.description) and bool(
            re.search(self.description, said, re.IGNORECASE)
        )
        return named or described or not (self.body_part or self.description)


class Destination(_Part):
    """Where results go, and in which forms."""

    forms: list[Form] = Field(min_length=1)
    to: Literal["folder", "peer", "dicomweb"]
    name: str = Field(
        default="",
        description="A folder (empty: `dicom/out` in the home folder), a name of `dicom.peers`, or "
        "one of `dicomweb`.",
    )

    @model_validator(mode="after")
    def _dicom_only(self) -> Destination:
        other = {"nifti", "png", "json", "text"} & set(self.forms)
        if self.to != "folder" and other:
            raise ValueError(f"{', '.join(sorted(other))}: only a folder takes these forms")
        if self.to != "folder" and not self.name:
            raise ValueError("name: which one of the settings")
        return self


class Rule(_Part):
    """A rule: what it is for, the task with its options, and where the results go.

    ``beside``: series of the same study that the task is given too, one of each; without them the
    rule does not fit.
    """

    name: str = Field(min_length=1, max_length=100)
    when: When
    beside: list[When] = Field(default_factory=list, max_length=8)
    task: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="The kind of a task.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="Fields of the task's request."
    )
    results: list[Destination] = Field(default_factory=list)


class Rules(_Part):
    """A file of rules.  ``shipped``: the shipped ones follow behind one's own."""

    shipped: bool = False
    rules: list[Rule]

    @model_validator(mode="after")
    def _names(self) -> Rules:
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError("two rules have one name")
        return self


@dataclass(frozen=True, slots=True)
class Planned:
    """A rule that fits: the UIDs of the series that the task is given, the images first."""

    rule: Rule
    series: tuple[str, ...]


def load(settings: DicomSettings, home: Path) -> list[Rule]:
    """The rules in force.  Raises `BadRules`."""
    path = settings.routing or home / OWN
    if settings.routing is None and not path.exists():
        return list(read(SHIPPED).rules)
    own = read(path)
    taken = {rule.name for rule in own.rules}
    behind = read(SHIPPED).rules if own.shipped else []
    return [*own.rules, *(rule for rule in behind if rule.name not in taken)]


def read(path: Path) -> Rules:
    """The rules of a file.  Raises `BadRules`."""
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
        return Rules.model_validate(loaded)
    except OSError as error:
        why = error.strerror or "?"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = f"YAML: {str(error)[:200]}"
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise BadRules(f"路由规则 {path.name} 无法使用，请改正：{why} (Correct the routing rules.)")


def plan(rules: Sequence[Rule], study: Mapping[str, Any]) -> list[Planned]:
    """What is started from a study: a series goes to each task kind once, by the first rule."""
    found: list[Planned] = []
    taken: set[tuple[str, str]] = set()
    for rule in rules:
        for uid in _fitting(rule.when, study):
            beside = _beside(rule, study, uid)
            if (rule.task, uid) in taken or beside is None:
                continue
            taken.add((rule.task, uid))
            found.append(Planned(rule, (uid, *beside)))
    return found


def _fitting(when: When, study: Mapping[str, Any]) -> Iterator[str]:
    yield from (uid for uid, series in study.items() if when.fits(series))


def _beside(rule: Rule, study: Mapping[str, Any], images: str) -> list[str] | None:
    found = []
    for when in rule.beside:
        other = next((uid for uid in _fitting(when, study) if uid != images), None)
        if other is None:
            return None
        found.append(other)
    return found
