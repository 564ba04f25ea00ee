"""Rules from events to tasks."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from counting_task import Counting

from assistant.interop.events.event import RecordEvent
from assistant.interop.events.planning import plans
from assistant.interop.events.rule import EventRule, EventRulesInvalid, event_rules
from assistant.record.fields import ZONE
from assistant.settings import Settings
from assistant.work.registry import Registry, installed

NOON = datetime(2026, 3, 1, 12, tzinfo=ZONE)


def event(type: str = "note.saved", **fields: Any) -> RecordEvent:
    encounter = {"id": "enc-1", "patient": {"id": "pat-1"}, "department": "骨科"}
    note = {"id": "n1", "kind": "admission", "text": "主诉：发热3天。"}
    told: dict[str, Any] = {"id": "e1", "type": type, "encounter": encounter}
    return RecordEvent.model_validate(
        told | ({"note": note} if type == "note.saved" else {}) | fields
    )


def rule(**fields: Any) -> EventRule:
    return EventRule.model_validate(
        {"id": "r", "events": ["note.saved"], "tasks": ["counting"]} | fields
    )


@pytest.mark.parametrize(
    ("fields", "applies"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"events": ["result.final"]}, False),
        ({"departments": ["骨科", "内科"]}, True),
        ({"departments": ["内科"]}, False),
        ({"note_kinds": ["admission"]}, True),
        ({"note_kinds": ["discharge_day"]}, False),
    ],
)
def test_a_rule_is_about_some_events(fields: dict[str, Any], applies: bool) -> None:
    assert rule(**fields).applies(event()) is applies


@pytest.mark.parametrize(
    ("quiet", "at", "due"),
    [
        (("22:00", "06:00"), NOON, NOON),
        (("22:00", "06:00"), NOON.replace(hour=23), datetime(2026, 3, 2, 6, tzinfo=ZONE)),
        (("22:00", "06:00"), NOON.replace(hour=3), NOON.replace(hour=6)),
        (("22:00", "06:00"), NOON.replace(hour=6), NOON.replace(hour=6)),
        (("11:00", "14:30"), NOON, NOON.replace(hour=14, minute=30)),
    ],
)
def test_quiet_hours_are_waited_for(quiet: tuple[str, str], at: datetime, due: datetime) -> None:
    assert rule(quiet_hours=quiet).due_at(at) == due


def test_the_debounce_counts_before_quiet_hours() -> None:
    late = NOON.replace(hour=21, minute=59)
    found = rule(quiet_hours=("22:00", "06:00"), debounce_seconds=120).due_at(late)
    assert found == datetime(2026, 3, 2, 6, tzinfo=ZONE)
    assert rule(debounce_seconds=120).due_at(late) == late + timedelta(minutes=2)


def test_a_final_result_begins_what_a_rule_wants(settings: Settings) -> None:
    rules = [
        rule(events=["result.final"], departments=["骨科"], debounce_seconds=90),
        rule(id="other", events=["result.final"], departments=["内科"]),
        rule(id="notes", events=["result.final"], note_kinds=["admission"]),
    ]
    result = {"id": "o1", "name": "血钾", "value": "6.8", "unit": "mmol/L", "status": "final"}
    encounter = {
        "id": "enc-1",
        "patient": {"id": "pat-1"},
        "department": "骨科",
        "observations": [result],
    }
    told = event("result.final", encounter=encounter)
    wanted, _ = plans(told, rules, Registry([Counting()]), settings, NOON)
    (plan,) = wanted
    assert (plan.rule, plan.due_at) == ("r", NOON + timedelta(seconds=90))


def test_the_shipped_rules_name_installed_tasks() -> None:
    kinds = {task.kind for task in installed()}
    for one in event_rules(None):
        assert set(one.tasks) <= kinds


def test_each_shipped_task_can_be_started(settings: Settings) -> None:
    tasks = installed()
    rules = [r.model_copy(update={"enabled": True}) for r in event_rules(None)]
    for type in ("note.saved", "encounter.discharge"):
        _, skipped = plans(event(type), rules, tasks, settings, NOON)
        if type == "note.saved":
            assert not skipped
        else:
            assert {s.kind for s in skipped} == {"discharge_record", "record_qc"}, "no text"


def test_what_cannot_be_begun_is_told(settings: Settings) -> None:
    rules = [rule(tasks=["nothing", "chat", "counting"])]
    tasks = Registry([*installed(), Counting()])
    wanted, skipped = plans(event(), rules, tasks, settings, NOON)
    assert [plan.kind for plan in wanted] == ["counting"]
    assert {one.kind for one in skipped} == {"nothing", "chat"}
    assert all(one.reason for one in skipped)


@pytest.mark.parametrize(
    "text", ["{", "a: 1", "- {id: x}", "- {id: x, events: [what], tasks: [a]}", "\udcff"]
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "events.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(EventRulesInvalid, match=r"events\.yaml"):
        event_rules(tmp_path)


def test_the_saved_note_takes_the_place_of_the_old_one() -> None:
    old = {"id": "n1", "kind": "admission", "text": "旧"}
    encounter = {"id": "enc-1", "patient": {"id": "pat-1"}, "notes": [old]}
    told = event(encounter=encounter)
    assert [note.text for note in told.encounter.notes] == ["主诉：发热3天。"]
