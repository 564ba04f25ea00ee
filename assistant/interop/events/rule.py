"""Rules from events to tasks."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from assistant.interop.events.event import EventType, RecordEvent
from assistant.record.fields import ZONE
from assistant.record.note import NoteKind

FILE = "events.yaml"


class EventRulesInvalid(ValueError):
    """The file of rules cannot be used; the message says why."""


class EventRule(BaseModel):
    """One rule, see ``rules.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    events: tuple[EventType, ...] = Field(min_length=1)
    departments: tuple[str, ...] = ()
    note_kinds: tuple[NoteKind, ...] = ()
    tasks: tuple[str, ...] = Field(min_length=1)
    options: dict[str, Any] = Field(default_factory=dict)
    debounce_seconds: float = Field(default=0, ge=0, le=86_400)
    quiet_hours: tuple[time, time] | None = None
    enabled: bool = True

    def applies(self, event: RecordEvent) -> bool:
        """Whether the rule is about such an event."""
        if not self.enabled or event.type not in self.events:
            return False
        department = event.encounter.department
        if self.departments and department not in self.departments:
            return False
        return not self.note_kinds or event.note_kind in self.note_kinds

    def due_at(self, now: datetime) -> datetime:
        """When the task may begin: behind the debounce, and not in quiet hours."""
        due = now + timedelta(seconds=self.debounce_seconds)
        if self.quiet_hours is None:
            return due
        start, end = self.quiet_hours
        local = due.astimezone(ZONE)
        at = local.time()
        over_midnight = start > end
        quiet = (at >= start or at < end) if over_midnight else start <= at < end
        if not quiet:
            return due
        day = local.date() + timedelta(days=1 if over_midnight and at >= start else 0)
        return datetime.combine(day, end, ZONE)


_RULES = TypeAdapter(list[EventRule])


def event_rules(home: Path | None) -> list[EventRule]:
    """The hospital's rules, else those that ship; read anew when the file changes.

    Raises `EventRulesInvalid`.
    """
    own = home / FILE if home is not None else None
    if own is None or not own.is_file():
        return _event_rules(None, 0)
    return _event_rules(own, own.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _event_rules(own: Path | None, changed: int) -> list[EventRule]:
    shipped = files("assistant.interop.events") / "rules.yaml"
    try:
        text = (own or shipped).read_text(encoding="utf-8")
        rules = _RULES.validate_python(yaml.safe_load(text) or [])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise EventRulesInvalid(
            f"{FILE} 有误：{place}: {first['msg']}。(The rules of events are not valid.)"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise EventRulesInvalid(
            f"{FILE} 无法读取：{' '.join(str(error).split())}。"
            "(The rules of events cannot be read.)"
        ) from error
    if len({rule.id for rule in rules}) < len(rules):
        raise EventRulesInvalid(f"{FILE} 中有重复的 id。(Two rules have one id.)")
    return rules
