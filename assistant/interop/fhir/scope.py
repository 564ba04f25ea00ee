"""Whose record is read, and what is made on the way."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from assistant.interop.fhir.element import Element
from assistant.interop.fhir.mapping import Mapping
from assistant.interop.fhir.moments import Instant
from assistant.interop.fhir.reference import Resources
from assistant.record.note import Note

RowT = TypeVar("RowT", bound=BaseModel)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
BEFORE_ADMISSION = timedelta(hours=24)
"""What the emergency department measured belongs to the stay."""


@dataclass
class Scope:
    """One reading: the resources, the table, and the stay that they are about."""

    resources: Resources
    mapping: Mapping
    patient_id: str
    encounter_id: str
    start: datetime | None = None
    end: datetime | None = None
    dropped: set[str] = field(default_factory=set)
    _ids: dict[str, str] = field(default_factory=dict)

    def words_of(self, element: Element, name: str = "code") -> str:
        """The words of one of the resource's concepts."""
        from assistant.interop.fhir.concept import words

        return words(element.child(name), self.mapping)

    def identifier(self, element: Element, suffix: str = "") -> str:
        """An id of the record for a row of this resource, the resource's own where that is one."""
        kind, own = element.identity
        wanted = own + suffix
        place = f"{kind}/{wanted}"
        if not _ID.fullmatch(wanted) or self._ids.get(wanted, place) != place:
            wanted = f"{kind[:20]}.{hashlib.sha256(place.encode()).hexdigest()[:24]}"
        self._ids[wanted] = place
        return wanted

    def row(self, made: type[RowT], element: Element, **values: Any) -> RowT | None:
        """A row of the record; None, and a problem, where a value does not fit."""
        try:
            return made.model_validate(values)
        except ValidationError as error:
            names = "、".join(dict.fromkeys(str(item["loc"][0]) for item in error.errors()))
            element.say(
                "error",
                "value",
                f"内容缺失或过长（{names}），该资源未读取。"
                "(A value is missing or too long; the resource was not read.)",
            )
            return None

    def is_other_stay(self, element: Element, time: Instant) -> bool:
        """Whether the resource is of another stay: it names one, or names none and is of a time
        outside this one."""
        named = self.resources.name_of(element.child("encounter"), element)
        if named is None:
            named = self.resources.name_of(element.child("context"), element)
        if named is not None and self.encounter_id:
            return named != ("Encounter", self.encounter_id)
        if time.at is None or named is not None:
            return False
        at = time.at.replace(tzinfo=None)
        if self.start is not None and at < self.start.replace(tzinfo=None) - BEFORE_ADMISSION:
            # A day without an hour is not before the hour of the same day.
            return not (time.dated and at.date() >= self.start.date() - BEFORE_ADMISSION)
        return self.end is not None and at > self.end.replace(tzinfo=None)

    def leave_out(self, element: Element, code: str, detail: str) -> None:
        """Say that the resource is no part of the record, on purpose."""
        element.say("information", code, detail)


NOT_FACT = {
    "entered-in-error": "录入错误（entered-in-error），未纳入。(Entered in error; left out.)",
    "cancelled": "已取消，未纳入。(Cancelled; left out.)",
    "not-done": "未实施，未纳入。(Not done; left out.)",
    "not-taken": "未服用，未纳入。(Not taken; left out.)",
    "refuted": "已排除（refuted），未纳入。(Refuted; left out.)",
    "draft": "尚为草稿，未纳入。(Only a draft; left out.)",
    "on-hold": "已暂停，未纳入。(On hold; left out.)",
    "superseded": "已被替代，未纳入。(Superseded; left out.)",
    "intended": "仅为计划，未纳入。(Only intended; left out.)",
    "preparation": "尚未开始，未纳入。(Not begun; left out.)",
    "stopped": "未完成即停止，未纳入。(Stopped before its end; left out.)",
    "revoked": "已撤销，未纳入。(Revoked; left out.)",
    "unknown": "状态不明，未纳入。(Its status is unknown; left out.)",
}
"""Why a status makes no fact."""


def is_left_out(element: Element, status: str, dropping: frozenset[str]) -> bool:
    """Whether the status is one of those that make no fact; the problem says so."""
    if status not in dropping:
        return False
    element.say("information", status, NOT_FACT[status])
    return True


def is_known_status(element: Element, status: str, known: Table[str, Any] | frozenset[str]) -> bool:
    """Whether R4 has the status; a resource without or with another makes no fact."""
    if status in known:
        return True
    element.say(
        "error",
        "status",
        "status 缺失或不是 FHIR R4 的取值，未纳入。"
        "(The status is missing or none of FHIR R4; left out.)",
    )
    return False


OTHER_STAY = "属于另一次就诊，未纳入。(It is of another stay; left out.)"


def joined_note(
    scope: Scope, key: str, title: str, lines: list[str], at: datetime | None = None
) -> Note | None:
    """A note of ours for rows that the record has no table for; None without lines."""
    if not lines:
        return None
    text = "\n".join(dict.fromkeys(lines))[:200_000]
    return Note(id=f"fhir.{key}", kind="other", title=title, written_at=at, text=text)
