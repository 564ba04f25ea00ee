"""A rule of the prompts, as its file tells it.

``when`` lists what must all be so, ``unless`` what must not.  Each is one of: a drug of a class, a
second drug beside it, a problem, a result, renal function, an age, a sex, or a check by name (see
`assistant.alerts.checks`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from assistant.alerts.tables import drug_classes, problems

Severity = Literal["critical", "warning", "info"]
Moment = Literal["view", "order", "note", "discharge"]
MOMENTS: tuple[Moment, ...] = ("view", "order", "note", "discharge")
Check = Literal[
    "allergy", "cross_allergy", "duplicate_ingredient", "duplicate_class", "critical_value",
    "must_not_miss", "pending", "stopped_taken_home", "left_out", "dose_changed",
]  # fmt: skip
_OF_NO_DRUG = frozenset({"critical_value", "must_not_miss", "pending"})
"""Checks that never speak of a drug."""
CHECKS: tuple[str, ...] = Check.__args__  # type: ignore[attr-defined]


class RulesInvalid(ValueError):
    """A file of rules cannot be used; the message says which and why."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class Source(_Part):
    """Where the rule comes from."""

    name: str = Field(min_length=2)
    year: int = Field(ge=1950, le=2100)


class Dose(_Part):
    """A daily dose, by mass: mg a day, or mg/kg of weight a day."""

    over: float = Field(gt=0)
    unit: Literal["mg/d", "IU/d", "mg/kg/d"] = "mg/d"


class DrugIs(_Part):
    """A drug of one of the classes; ``home``: taken home, or only in the ward; ``local``: eye
    drops and ointments count too.  What was stopped before the last day of the record does not."""

    of: Names
    no: tuple[str, ...] = ()
    home: bool | None = None
    local: bool = False
    route: str = ""
    daily: Dose | None = None


class ResultIs(_Part):
    """The newest value of a test is below, or at or above, a limit."""

    of: Names
    unit: str = ""
    below: float | None = None
    above: float | None = None


class RenalIs(_Part):
    """Renal function is below, or at or above, a limit."""

    measure: Literal["egfr", "clearance"] = "egfr"
    below: float | None = None
    above: float | None = None


class AgeIs(_Part):
    """Age in years: from (included), below (excluded)."""

    start: float | None = Field(default=None, alias="from")
    below: float | None = None


def _drug(value: Any) -> Any:
    return {"of": value} if isinstance(value, str | list) else value


class Condition(_Part):
    """One condition; exactly one field is set."""

    drug: Annotated[DrugIs | None, BeforeValidator(_drug)] = None
    beside: Annotated[DrugIs | None, BeforeValidator(_drug)] = None
    problem: Annotated[Names | None, BeforeValidator(_listed)] = None
    result: ResultIs | None = None
    renal: RenalIs | None = None
    age: AgeIs | None = None
    sex: Literal["male", "female"] | None = None
    leaving: Literal[True] | None = None
    check: Check | None = None

    @model_validator(mode="after")
    def _one(self) -> Condition:
        if len(self.model_fields_set) != 1:
            raise ValueError("a condition is one thing")
        for drug in (self.drug, self.beside):
            unknown = set(drug.of) - drug_classes().keys() if drug else None
            if unknown:
                raise ValueError(f"no class of drugs named {', '.join(sorted(unknown))}")
        if self.problem and (missing := set(self.problem) - problems().keys()):
            raise ValueError(f"no problem named {', '.join(sorted(missing))}")
        return self


class Sample(_Part):
    """A small record in which a rule speaks, or does not."""

    drugs: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    note: str = ""
    discharge: str = ""
    age: float | None = 60
    sex: Literal["male", "female"] | None = "male"


def _sample(value: Any) -> Any:
    return {"drugs": value} if isinstance(value, list) else value


Samples = tuple[Annotated[Sample, BeforeValidator(_sample)], ...]


class Cases(_Part):
    """The test cases of a rule."""

    fires: Annotated[Samples, Field(min_length=1)]
    quiet: Annotated[Samples, Field(min_length=1)]


class Rule(_Part):
    """One rule.  ``question``: it asks, and orders nothing."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    title: str
    severity: Severity
    source: Source
    when: tuple[Condition, ...] = Field(min_length=1)
    unless: tuple[Condition, ...] = ()
    message: str
    settle: str
    question: bool = False
    moments: tuple[Moment, ...] = MOMENTS
    enabled: bool = True
    cases: Cases

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The rule with changes, without what was worked out of it before them."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("needs", "checks_drugs"):
            copied.__dict__.pop(name, None)
        return copied

    @cached_property
    def needs(self) -> tuple[frozenset[str], ...]:
        """Classes of drugs, of each of which one must be ordered for the rule to speak."""
        drugs = [one for c in self.when for one in (c.drug, c.beside) if one is not None]
        return tuple(frozenset(drug.of) for drug in drugs)

    @cached_property
    def checks_drugs(self) -> bool:
        """Whether one of its checks may speak of any drug."""
        return any(c.check is not None and c.check not in _OF_NO_DRUG for c in self.when)

    @property
    def is_interruptive(self) -> bool:
        """Whether it stops what the doctor is doing, until it is answered."""
        return self.severity == "critical"


def _read(path: Path) -> list[Any]:
    try:
        records = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise RulesInvalid(
            f"提示规则文件 {path.name} 无法读取：{' '.join(str(error).split())}。"
            "(The file of alert rules cannot be read.)"
        ) from error
    if not isinstance(records, list):
        raise RulesInvalid(
            f"提示规则文件 {path.name} 应为规则的列表。(The file should hold a list of rules.)"
        )
    return records


def read_rules(paths: Iterable[Path], merged: dict[str, Rule] | None = None) -> dict[str, Rule]:
    """The rules of files, by id; a later one of the same id takes the place of the former.

    A row with only ``id`` and other fields of a known rule changes these (``enabled: false``).
    Raises `RulesInvalid`.
    """
    found = dict(merged or {})
    for path in paths:
        for number, record in enumerate(_read(path), 1):
            known = found.get(record.get("id", "")) if isinstance(record, dict) else None
            if known is not None and "when" not in record:
                record = known.model_dump(by_alias=True, exclude_unset=True) | record
            try:
                rule = Rule.model_validate(record)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(step) for step in first["loc"])
                raise RulesInvalid(
                    f"提示规则文件 {path.name} 第 {number} 条有误：{place}: {first['msg']}。"
                    "(This alert rule is not valid.)"
                ) from error
            found[rule.id] = rule
    return found


@cache
def shipped_rules() -> dict[str, Rule]:
    """The rules that ship with the product."""
    folder = Path(str(files("assistant.alerts"))) / "rules"
    return read_rules(sorted(folder.glob("*.yaml")))


@lru_cache(maxsize=4)
def _with_own(own: tuple[tuple[Path, int], ...]) -> dict[str, Rule]:
    return read_rules([path for path, _ in own], shipped_rules()) if own else shipped_rules()


@lru_cache(maxsize=4)
def _in_force(own: tuple[tuple[Path, int], ...], off: frozenset[str]) -> dict[str, Rule]:
    return {k: rule for k, rule in _with_own(own).items() if rule.enabled and k not in off}


def rules_of(home: Path | None, off: Iterable[str] = ()) -> Mapping[str, Rule]:
    """The rules in force: those shipped, as the hospital's ``alerts/*.yaml`` change them, without
    those that are switched off.  The same object as long as nothing changes.

    Raises `RulesInvalid`.
    """
    # By the time of change, so that a hospital's edit holds at once and is read once.
    return _in_force(_own_files(home) if home is not None else (), frozenset(off))


def _own_files(home: Path) -> tuple[tuple[Path, int], ...]:
    """The hospital's files and when each was changed; asked at each call of a hook."""
    try:
        with os.scandir(home / "alerts") as entries:
            found = [(e.path, e.stat().st_mtime_ns) for e in entries if e.name.endswith(".yaml")]
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return tuple((Path(path), changed) for path, changed in sorted(found))


def all_cases(rules: Iterable[Rule]) -> Iterator[tuple[Rule, Sample, bool]]:
    """Every test case, and whether its rule speaks in it."""
    for rule in rules:
        yield from ((rule, sample, True) for sample in rule.cases.fires)
        yield from ((rule, sample, False) for sample in rule.cases.quiet)
