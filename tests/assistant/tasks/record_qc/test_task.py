"""The task as the registry, the API and the shell have it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from assistant.settings import Settings
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.task import QcRequest, RecordQc
from assistant.work.task import Refused


def test_an_encounter_is_accepted_as_other_tasks_take_it(stay: dict[str, Any]) -> None:
    asked = RecordQc().accept(QcRequest.model_validate({"encounter": stay}), Settings())
    assert (asked.patient_id, asked.encounter_id) == (stay["patient"]["id"], stay["id"])
    assert CheckedEncounter.model_validate(asked.payload).id == stay["id"]


@pytest.mark.parametrize("change", ["empty", "twice"])
def test_what_cannot_be_checked_is_refused(stay: dict[str, Any], change: str) -> None:
    if change == "empty":
        stay |= {key: [] for key in ("notes", "diagnoses", "observations", "medications", "orders")}
    else:
        stay["notes"][1]["id"] = stay["notes"][0]["id"]
    with pytest.raises(Refused):
        RecordQc().accept(QcRequest.model_validate({"encounter": stay}), Settings())


def test_reserved_ids_stay_reserved(stay: dict[str, Any]) -> None:
    stay["notes"][0]["id"] = "table:notes"
    with pytest.raises(ValidationError, match="structured"):
        CheckedEncounter.model_validate(stay)


def test_its_example_is_a_body() -> None:
    for body in RecordQc.examples.values():
        QcRequest.model_validate(json.loads(json.dumps(body)))
