"""Which engine a request goes to, by its task and department; the default one where none fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.settings import Settings


def assigned(settings: Settings, kind: str, department: str) -> Settings:
    """The settings with the engine of this task and department as the default one."""
    for one in settings.assignments:
        if one.task in ("", kind) and one.department in ("", department):
            return _with(settings, one.engine)
    return settings


def every(settings: Settings, kind: str) -> list[Settings]:
    """The settings with each engine that the task may go to as the default one."""
    engines = [one.engine for one in settings.assignments if one.task in ("", kind)]
    return [settings, *(_with(settings, engine) for engine in dict.fromkeys(engines))]


def department_of(payload: Mapping[str, Any]) -> str:
    """The department that a request names; "" where it names none."""
    encounter = payload.get("encounter")
    named = payload.get("department")
    if not named and isinstance(encounter, Mapping):
        named = encounter.get("department")
    return str(named or "")


def _with(settings: Settings, engine: str) -> Settings:
    if engine == settings.default_engine:
        return settings
    return settings.model_copy(update={"default_engine": engine})
