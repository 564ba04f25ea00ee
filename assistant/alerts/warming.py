"""Reads what alerts need before the first record comes: rules, names of drugs, the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.alerts.engine import alerts_of
from assistant.alerts.rule import all_cases, shipped_rules
from assistant.alerts.sample import encounter_of

if TYPE_CHECKING:
    from knowledge.clinical.base import ClinicalBase


def warm(base: ClinicalBase | None = None) -> None:
    """Run the rules once over a record of their own test cases."""
    rules = shipped_rules()
    wanted = ("allergy", "metformin-egfr-30", "must-not-miss", "critical-value")
    for rule, sample, speaks in all_cases(rules[key] for key in wanted if key in rules):
        if speaks:
            alerts_of(encounter_of(sample), {rule.id: rule}, base=base)
