"""Orders, allergies and results as several writers tell them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.alerts.engine import alerts_of
from assistant.alerts.rule import Sample, shipped_rules
from assistant.alerts.sample import encounter_of

ROWS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "situations.yaml").read_text(encoding="utf-8")
)
TOLD = ("says", "never", "misses")


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_what_is_said_of_a_situation(row: dict[str, Any]) -> None:
    sample = Sample.model_validate({k: v for k, v in row.items() if k not in TOLD})
    found = {alert.rule for alert in alerts_of(encounter_of(sample), shipped_rules())}
    says, never, misses = (set(row.get(name, ())) for name in TOLD)
    assert says <= found
    assert not never & found
    assert not misses & found, "it is read now: move it to says"
