"""A disease as the base knows it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Disease:
    """One disease with what the sources say of it.

    ``symptoms`` and ``signs`` are concepts of the base, most typical of the disease first;
    ``icd10`` is empty when no source gives a code.  ``drugs`` are names as the source has them,
    a list of what is sold for it and no recommendation.
    """

    name: str
    aliases: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    complications: tuple[str, ...] = ()
    population: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    differentials: tuple[str, ...] = ()
    description: str = ""
    sources: tuple[str, ...] = ()
    passage_id: str = ""
    extra: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Plain data of the fields that hold something."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name))}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Disease:
        """The inverse of `as_record`."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in record.items()
        }
        return cls(**values)
