"""A feature's value with all that it depends on, and the table of what features there are."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

TABLE = Path(__file__).parent / "data" / "features.tsv"

AGGREGATIONS = MappingProxyType(
    {
        "2D_avg": "BTW3",
        "2D_comb": "SUJT",
        "2_5D_avg": "JJUI",
        "2_5D_comb": "ZW7Z",
        "3D_avg": "ITBB",
        "3D_comb": "IAZD",
        "2D": "8QNN",
        "2_5D": "62GR",
        "3D": "KOBO",
    }
)
"""The IBSI codes of the ways in which matrices are aggregated."""


class Described(BaseModel):
    """A row of the table: what a tag means."""

    model_config = ConfigDict(frozen=True)

    tag: str
    code: str = Field(description="The IBSI code.")
    name: str
    name_zh: str
    unit: str = Field(description="mm, mm2, mm3; intensity is the image's; empty for none.")
    family: str


class Feature(BaseModel):
    """One value."""

    model_config = ConfigDict(frozen=True)

    tag: str = Field(description="As in the IBSI reference tables, with the aggregation.")
    code: str
    name: str
    name_zh: str
    value: float | None = Field(description="None where the region does not define it.")
    unit: str = ""
    family: str
    aggregation: str = Field(default="", description="As in the tag, empty where there is none.")
    aggregation_code: str = ""
    filter: str = Field(
        default="", description="The filter whose response map was measured; empty: the image."
    )
    filter_code: str = Field(default="", description="The IBSI code of its kind.")


@cache
def described() -> Mapping[str, Described]:
    """The features by their tags without aggregation."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = (Described(**row) for row in csv.DictReader(file, delimiter="\t"))
        return MappingProxyType({row.tag: row for row in rows})


def joined(label: str, tag: str) -> str:
    """The tag of a feature of the response map of a filter."""
    return f"{label}__{tag}"


def split_tag(tag: str) -> tuple[str, str, str]:
    """The filter's label, the tag, and its aggregation; empty where it has none."""
    label, _, plain = tag.rpartition("__")
    for aggregation in sorted(AGGREGATIONS, key=len, reverse=True):
        if plain.endswith("_" + aggregation):
            return label, plain.removesuffix("_" + aggregation), aggregation
    return label, plain, ""


def feature(
    tag: str,
    value: float,
    intensity_unit: str,
    filters: Mapping[str, str] = MappingProxyType({}),
) -> Feature:
    """The value under its names.  ``intensity_unit``: of the image, HU or SUV.

    ``filters``: labels and codes; the unit of a response map is arbitrary.
    """
    label, plain, aggregation = split_tag(tag)
    row = described()[plain]
    intensity_unit = "" if label else intensity_unit
    unit = row.unit.replace("intensity", intensity_unit).strip("·")
    if not intensity_unit and "intensity" in row.unit:
        unit = row.unit.replace("intensity2", "").replace("intensity", "").strip("·")
    number = float(value)
    return Feature(
        tag=tag,
        code=row.code,
        name=row.name,
        name_zh=row.name_zh,
        value=number if abs(number) < float("inf") else None,
        unit=unit,
        family=row.family,
        aggregation=aggregation,
        aggregation_code=AGGREGATIONS.get(aggregation, ""),
        filter=label,
        filter_code=filters.get(label, ""),
    )
