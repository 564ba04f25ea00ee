"""Disease records as JSON lines, one disease a line (plain or .gz).

A record has ``name`` and any of ``desc``, ``alias``, ``has_complication``,
``belongs_to_department``, ``treat_way``, ``common_drug``, ``cure_prob``, ``disease_ratio``,
``susceptible_people``, ``transmission_way``, ``inspect_info`` (or ``check``) and
``symptom_data.symptoms``.  Unknown fields are left alone.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from knowledge.sources.fact import Fact, Passage, Relation, Source, SourceError, file_digest

_FIELDS = {
    "alias": Relation.ALIAS,
    "icd10": Relation.ICD10,
    "has_complication": Relation.COMPLICATION,
    "belongs_to_department": Relation.DEPARTMENT,
    "cure_department": Relation.DEPARTMENT,
    "treat_way": Relation.TREATMENT,
    "cure_way": Relation.TREATMENT,
    "common_drug": Relation.DRUG,
    "recommand_drug": Relation.DRUG,
    "recommend_drug": Relation.DRUG,
    "susceptible_people": Relation.POPULATION,
    "easy_get": Relation.POPULATION,
    "transmission_way": Relation.TRANSMISSION,
    "get_way": Relation.TRANSMISSION,
    "disease_ratio": Relation.INCIDENCE,
    "get_prob": Relation.INCIDENCE,
    "medical_insurance": Relation.INSURED,
    "yibao_status": Relation.INSURED,
    "cure_prob": Relation.PROGNOSIS,
    "cured_prob": Relation.PROGNOSIS,
    "check": Relation.TEST,
    "checks": Relation.TEST,
    "inspect_info": Relation.TEST,
    "symptom": Relation.SYMPTOM,
    "symptoms": Relation.SYMPTOM,
    "sign": Relation.SIGN,
    "signs": Relation.SIGN,
    "differential": Relation.DIFFERENTIAL,
    "desc": Relation.DESCRIPTION,
}
_NESTED = ("symptom_data", "check_data", "drug_data")
_TEXT = frozenset({Relation.DESCRIPTION, Relation.POPULATION, Relation.INCIDENCE})


class DiseaseRecords:
    """Reads one JSON-lines file."""

    def __init__(self, path: Path, name: str | None = None, licence: str = "not stated") -> None:
        self._path = Path(path)
        self._name = name or self._path.name.split(".")[0]
        self._licence = licence

    @cached_property
    def source(self) -> Source:
        """Provenance; the version is the beginning of the file's SHA-256."""
        return Source(self._name, file_digest([self._path])[:12], self._licence)

    def records(self) -> Iterator[dict[str, Any]]:
        """The records.

        Raises:
            SourceError: the file cannot be read, a line is not a JSON object, or it has no name.
        """
        opener = gzip.open if self._path.name.endswith(".gz") else open
        try:
            with opener(self._path, "rt", encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield self._record(number, line)
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise SourceError(f"{self._path.name} cannot be read: {error}.") from error

    def _record(self, number: int, line: str) -> dict[str, Any]:
        where = f"{self._path.name}, line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise SourceError(f"{where} is not JSON: {error}.") from error
        if not isinstance(record, dict) or not isinstance(record.get("name"), str):
            raise SourceError(f"{where} is not a record with a name.")
        if not record["name"].strip():
            raise SourceError(f"{where} has an empty name.")
        return record

    def facts(self) -> Iterator[Fact]:
        """One fact a value; values that are lists give one fact an item."""
        for record in self.records():
            name = record["name"].strip()
            flat = dict(record)
            for nested in _NESTED:
                inner = flat.pop(nested, None)
                flat.update(inner if isinstance(inner, dict) else {})
            for field, relation in _FIELDS.items():
                for value in _values(flat.get(field), relation):
                    yield Fact(name, relation, value, self.source, f"{name}/{field}")

    def passages(self) -> Iterator[Passage]:
        """None: descriptions are facts and go into the disease's passage."""
        return iter(())


def _values(value: Any, relation: Relation) -> list[str]:
    if isinstance(value, str):
        text = value.strip()
        if relation in _TEXT:
            return [text] if text else []
        return [part.strip() for part in text.replace("，", "、").split("、") if part.strip()]
    if isinstance(value, list):
        return [item.strip() for item in value if isinstance(item, str) and item.strip()]
    return []
