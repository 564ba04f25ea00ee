"""A clean stay, and what quality control says of what is made of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from assistant.tasks.record_qc.chain import inspect
from assistant.tasks.record_qc.draft import QcReport
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.rules import Rules, read_rules
from assistant.tasks.structuring.pipeline import Structurer

Check = Callable[..., QcReport]


@pytest.fixture(scope="session")
def structurer() -> Structurer:
    return Structurer(None)


@pytest.fixture
def stay() -> dict[str, Any]:
    """A man of 67 with pneumonia, without any defect."""
    name = "pneumonia-adult.json"
    found = json.loads((files("assistant") / "samples" / "encounters" / name).read_text("utf-8"))
    return copy.deepcopy(found)


@pytest.fixture
def check(structurer: Structurer) -> Check:
    def run(data: dict[str, Any], rules: Rules | None = None) -> QcReport:
        encounter = CheckedEncounter.model_validate(data)
        return inspect(encounter, structurer, rules or read_rules())

    return run
