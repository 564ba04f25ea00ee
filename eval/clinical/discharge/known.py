"""An encounter with what its authors know of it: facts to tell, and traps not to step into."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.record.encounter import Encounter
from assistant.tasks.discharge.draft import SectionName
from eval.clinical.checker.elsewhere import plain
from eval.clinical.checker.record import Claim, Record, record_of
from eval.errors import InputError
from eval.json_lines import read_objects

TrapKind = Literal["earlier_stay", "family", "denied", "stopped_drug"]
TRAPS: dict[TrapKind, str] = {
    "earlier_stay": "既往住院写成本次",
    "family": "家族史写成本人",
    "denied": "否认的症状写成有",
    "stopped_drug": "已停药物写入带药",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(_Part):
    """Something that a section must say: of every group of ``words`` one wording."""

    section: SectionName
    kind: str
    words: tuple[tuple[str, ...], ...]

    def is_in(self, text: str) -> bool:
        """Whether ``text`` says it; a number must stand there whole, with any zeros after it."""
        folded = _numbers(plain(text))
        return all(any(_holds(folded, word) for word in group) for group in self.words)


class Trap(_Part):
    """Something of the record that would be false in a section.

    It is sprung by a statement that has one of ``words`` and nothing of ``unless`` (a pattern that
    takes the falseness away: 既往, 父亲, 无 …).
    """

    kind: TrapKind
    section: SectionName
    quote: str
    words: tuple[str, ...]
    unless: str = ""
    statements: tuple[str, ...] = ()

    def sprung(self, statement: str) -> bool:
        """Whether the statement is false in this way."""
        if self.unless and re.search(self.unless, statement):
            return False
        folded = plain(statement)
        return any(plain(word) in folded for word in self.words)


class KnownEncounter(_Part):
    """An encounter with its facts, its traps and, where there is one, a reference a section."""

    encounter: Encounter
    speciality: str = ""
    facts: tuple[Fact, ...] = ()
    traps: tuple[Trap, ...] = ()
    reference: dict[SectionName, str] = Field(default_factory=dict)

    def record(self) -> Record:
        """The record for the trials of the checker."""

        def claims(kind: TrapKind) -> list[Claim]:
            return [Claim(t.quote, t.statements) for t in self.traps if t.kind == kind]

        return record_of(self.encounter, claims("earlier_stay"), claims("family"))


def words(text: str) -> tuple[tuple[str, ...], ...]:
    """``引流|穿刺 & 600`` → (("引流", "穿刺"), ("600",))."""
    return tuple(tuple(word.strip() for word in group.split("|")) for group in text.split("&"))


def _numbers(text: str) -> str:
    """The text with 2.50 and 2.0 as 2.5 and 2."""
    short = re.sub(r"(\.\d*?[1-9])0+(?!\d)", r"\1", text)
    return re.sub(r"(?<=\d)\.0+(?!\d)", "", short)


def _holds(text: str, word: str) -> bool:
    wanted = _numbers(plain(word))
    left = r"(?<![\d.])" if wanted[:1].isdigit() else ""
    right = r"(?!\d|\.\d)" if wanted[-1:].isdigit() else ""
    return re.search(left + re.escape(wanted) + right, text) is not None


def read_known(path: Path, limit: int | None = None) -> list[KnownEncounter]:
    """Encounters of a folder of JSON files, of one such file, or of JSON lines.

    A line or file holds an encounter, an object with ``encounter`` (and ``facts``, ``traps``,
    ``reference``), or of JSON lines a free text under ``text``.

    Raises:
        InputError: one of them is none; the message names file, line and field.
    """
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise InputError(path, 0, "the folder holds no .json file.")
        return [_known(file, 0, _object(file)) for file in files[:limit]]
    if path.suffix == ".json":
        return [_known(path, 0, _object(path))][:limit]
    found: list[KnownEncounter] = []
    for number, row in read_objects(path):
        if limit is not None and len(found) >= limit:
            break
        found.append(_known(path, number, row))
    return found


def _object(path: Path) -> dict[str, Any]:
    import json

    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            path, 0, f"the file is no JSON in UTF-8 ({type(error).__name__})."
        ) from None
    if not isinstance(value, dict):
        raise InputError(path, 0, "the file is not a JSON object.")
    return value


def _known(path: Path, line: int, row: dict[str, Any]) -> KnownEncounter:
    try:
        if "encounter" in row:
            return KnownEncounter.model_validate(row)
        if isinstance(row.get("text"), str):
            name = f"text-{line}"
            text = row["text"]
            encounter = Encounter.from_text(text, patient_id=name, encounter_id=name)
            return KnownEncounter(encounter=encounter)
        return KnownEncounter(encounter=Encounter.model_validate(row))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(path, line, first["msg"], place) from None
