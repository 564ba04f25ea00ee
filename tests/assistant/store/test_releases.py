from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from assistant.store import InvalidArgument, Store


def test_a_task_is_off_until_a_named_person_switches_it_on(store: Store) -> None:
    assert store.releases.get("detection") is None
    store.releases.switch("detection", True, by=" 王主任 ", reason="伦理2026-03")
    given = store.releases.get("detection")
    assert given is not None
    assert (given.switched_by, given.reason) == ("王主任", "伦理2026-03")
    assert store.releases.get("perfusion") is None
    store.releases.switch("detection", False, by="李主任", reason="复核")
    assert store.releases.get("detection") is None
    assert [one.is_on for one in store.releases.list()] == [False, True]
    rows = store.audit.list(object_id="detection")
    assert [(row.action, row.actor_id) for row in rows] == [
        ("task_release.off", "李主任"),
        ("task_release.on", "王主任"),
    ]
    assert store.audit.verify().ok


@pytest.mark.parametrize(("by", "reason"), [("", "x"), ("王主任", " ")])
def test_what_a_switch_cannot_be_without(store: Store, by: str, reason: str) -> None:
    with pytest.raises(InvalidArgument, match="姓名"):
        store.releases.switch("detection", True, by=by, reason=reason)
    assert store.releases.list() == []


@pytest.mark.parametrize(
    "statement", ["UPDATE task_releases SET is_on = 1", "DELETE FROM task_releases"]
)
def test_rows_are_only_ever_added(store: Store, path: Path, statement: str) -> None:
    store.releases.switch("detection", False, by="王主任", reason="x")
    with sqlite3.connect(path) as database, pytest.raises(sqlite3.IntegrityError):
        database.execute(statement)


def test_what_was_put_in_past_the_audit_switches_nothing_on(store: Store, path: Path) -> None:
    store.releases.switch("detection", True, by="王主任", reason="x")
    store.releases.switch("detection", False, by="王主任", reason="y")
    later = "ffffffff-0000-7000-8000-000000000000"
    with sqlite3.connect(path) as database:
        database.execute(
            "INSERT INTO task_releases SELECT ?, kind, 1, switched_by, reason, created_at "
            "FROM task_releases WHERE is_on = 1",
            (later,),
        )
    assert store.releases.list()[0].is_on
    assert store.releases.get("detection") is None
