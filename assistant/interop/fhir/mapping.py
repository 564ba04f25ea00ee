"""The table of Chinese practice: codes, names, units and words, and a hospital's own rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

OWN_FILE = "fhir-mapping.yaml"
"""A hospital's own rows, in the home folder."""

_SHIPPED = "data/mapping.yaml"


class MappingInvalid(ValueError):
    """The hospital's own table cannot be used; the message says which part."""


@dataclass(frozen=True)
class Mapping:
    """The rows, by the names that they have in the file."""

    rows: dict[str, Any] = field(default_factory=dict)

    def name(self, system: str, code: str) -> str:
        """The Chinese name of a code; "" where the table has none."""
        return self._by_code("names", system, code)

    def unit(self, written: str) -> str:
        """The unit as it is printed here."""
        return str(self.rows["units"].get(written, written))

    def word(self, table: str, system: str, code: str) -> str:
        """What a table of codes, such as ``routes``, has for a code; "" for none."""
        return self._by_code(table, system, code)

    def is_among(self, table: str, system: str, code: str) -> bool:
        """Whether a list of codes or systems names this one."""
        return bool({f"{system}|{code}", code} & set(self.rows[table])) if code else False

    def is_icd10(self, system: str) -> bool:
        """Whether codes of this system are codes of ICD-10."""
        return system in self.rows["icd10_systems"]

    def flag(self, code: str) -> str:
        """``high``, ``low``, ``normal``, ``abnormal``, or "" for another code."""
        return next((flag for flag, codes in self.rows["flags"].items() if code in codes), "")

    def kind(self, table: str, words: str, default: str) -> str:
        """The kind of the first row of ``table`` whose word stands in ``words``."""
        return next((kind for word, kind in self.rows[table] if word in words), default)

    @cached_property
    def no_allergy(self) -> re.Pattern[str]:
        """What begins words that say that there is no allergy."""
        return re.compile(self.rows["no_allergy_words"], re.VERBOSE)

    @cached_property
    def denied(self) -> re.Pattern[str]:
        """What words of something that is not there look like."""
        return re.compile(self.rows["denied_words"])

    def _by_code(self, table: str, system: str, code: str) -> str:
        rows = self.rows[table]
        found = rows.get(f"{system}|{code}", rows.get(code))
        return str(found) if found is not None else ""


def load(own: Path | None = None) -> Mapping:
    """The shipped table with the rows of ``own``, a file or none; read anew when that changes.

    Raises `MappingInvalid`.
    """
    if own is None or not own.is_file():
        return _load(None, 0)
    return _load(own, own.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _load(own: Path | None, changed: int) -> Mapping:
    rows = yaml.safe_load((files("assistant.interop.fhir") / _SHIPPED).read_text("utf-8"))
    if own is not None:
        rows = _joined(rows, _read(own))
    made = Mapping(rows)
    try:
        _ = (made.no_allergy, made.denied)
    except re.error as error:
        raise MappingInvalid(
            f"{OWN_FILE}：正则表达式无效，请改正。(A pattern is not valid: {error}.)"
        ) from error
    return made


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MappingInvalid(
            f"{OWN_FILE} 无法读取：应为 UTF-8 的 YAML。(It cannot be read: write YAML in UTF-8.)"
        ) from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise MappingInvalid(f"{OWN_FILE}：最外层应为表。(The file must be a table of tables.)")
    return found


def _joined(shipped: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    joined = dict(shipped)
    for name, rows in own.items():
        if name not in shipped or type(rows) is not type(shipped[name]):
            raise MappingInvalid(
                f"{OWN_FILE}：没有 {str(name)[:40]} 这一部分，或其形式不同；请对照 docs/fhir.md。"
                "(There is no such part, or it has another form.)"
            )
        if isinstance(rows, dict):
            joined[name] = {**shipped[name], **{str(key): value for key, value in rows.items()}}
        elif isinstance(rows, list):
            if any(not isinstance(row, type(shipped[name][0])) for row in rows):
                raise MappingInvalid(
                    f"{OWN_FILE}：{name} 的行的形式不同。(Its rows have another form.)"
                )
            joined[name] = [*rows, *shipped[name]]
        else:
            joined[name] = rows
    return joined
