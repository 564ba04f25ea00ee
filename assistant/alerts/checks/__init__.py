"""Checks that rules name: what a table alone does not tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from assistant.alerts.checks.allergy import allergy, cross_allergy
from assistant.alerts.checks.critical import critical_value
from assistant.alerts.checks.duplicate import duplicate_class, duplicate_ingredient
from assistant.alerts.checks.leaving import dose_changed, left_out, pending, stopped_taken_home
from assistant.alerts.checks.missing import must_not_miss
from assistant.alerts.facts import Facts
from assistant.alerts.way import Way

CHECKS: Mapping[str, Callable[[Facts], Iterator[Way]]] = {
    "allergy": allergy,
    "cross_allergy": cross_allergy,
    "duplicate_ingredient": duplicate_ingredient,
    "duplicate_class": duplicate_class,
    "critical_value": critical_value,
    "must_not_miss": must_not_miss,
    "pending": pending,
    "stopped_taken_home": stopped_taken_home,
    "left_out": left_out,
    "dose_changed": dose_changed,
}
