"""Plans by their task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.training.federated.lm_plan import LmPlan
from assistant.training.federated.ner_plan import NerPlan
from assistant.training.federated.plan import Plan


def read(told: Mapping[str, Any]) -> Plan:
    """A plan as it came over the line.

    Raises:
        KeyError, TypeError, ValueError: it is of another version.
    """
    task = told["task"]
    if task == LmPlan.task:
        return LmPlan.from_json(told)
    if task == NerPlan.task:
        return NerPlan.from_json(told)
    raise ValueError(task)
