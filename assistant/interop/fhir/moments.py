"""FHIR's dates and times (hl7.org/fhir/R4/datatypes.html#dateTime) as the hospital's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from assistant.interop.fhir.element import Element
from assistant.record.fields import local_time

_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})"
    r"(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Instant:
    """A time as exact as it was given: ``at`` is None where not even the day is known.

    ``dated``: only the day was given, so ``at`` is its midnight.
    """

    at: datetime | None
    dated: bool = False
    words: str = ""

    @property
    def day(self) -> date | None:
        """The day."""
        return self.at.date() if self.at else None


NONE = Instant(None)


def instant(text: str) -> Instant | None:
    """The time that ``text`` says; None where it is no FHIR date or dateTime."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    try:
        if day is None:
            date(int(year), int(month or 1), 1)
            return Instant(None, True, f"{int(year)}年" + (f"{int(month)}月" if month else ""))
        if hour is None:
            return Instant(datetime(int(year), int(month), int(day)), True)
        clock = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}"
        offset = "+00:00" if zone == "Z" else zone or ""
        return Instant(local_time(datetime.fromisoformat(clock + offset)))
    except ValueError:
        return None


def moment(element: Element, *names: str) -> Instant:
    """The first of these fields that holds a time: a dateTime, an instant or a Period's start."""
    for name in names:
        if not element.has(name):
            continue
        if name.endswith(("Period", "period")):
            found = moment(element.child(name), "start", "end")
            if found != NONE:
                return found
            continue
        text = element.text(name)
        read = instant(text) if text else None
        if read is not None:
            return read
        element.say(
            "error", "time", f"字段 {name} 不是有效的时间，未读取。(The field {name} is no time.)"
        )
    return NONE
