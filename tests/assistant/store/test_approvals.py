from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from old_store import make_old

from assistant.store import Approval, ApprovalNotFound, InvalidArgument, Store

GIVEN: dict[str, Any] = {
    "engine": "ward",
    "model": "glm",
    "engine_kind": "openvino",
    "files_sha256": "a" * 64,
    "precision": "int8 f32 dynamic 128",
    "kv_cache": "u8",
    "options": {"context_length": "0", "chat_template_kwargs": "{}"},
    "prompts": {"chat/cited": "b" * 64},
    "run": "/srv/evaluations/run-1",
    "evidence": {"kind": "ccks2023", "scores": {"overall": 61.25}},
    "gate": "overall>=60",
    "by": "王主任",
    "note": "药事会 2026-03 号",
}


def approve(store: Store, **changes: Any) -> Approval:
    return store.approvals.approve(**(GIVEN | changes))


def test_an_approval_counts_until_it_is_revoked(store: Store, clock: Any) -> None:
    made = approve(store)
    assert made.scores == {"overall": 61.25}
    assert [a.id for a in store.approvals.in_force()] == [made.id]
    clock.forward(days=1)
    revoked = store.approvals.revoke(made.id, by="李药师", reason="复评未达标")
    assert (revoked.revoked_by, revoked.revocation_reason) == ("李药师", "复评未达标")
    assert revoked.revoked_at == clock.now
    assert store.approvals.in_force() == []
    (listed,) = store.approvals.list()
    assert listed == revoked
    with pytest.raises(ApprovalNotFound):
        store.approvals.revoke(made.id, by="李药师", reason="再次")


def test_who_approves_and_who_revokes_stand_in_the_audit(store: Store) -> None:
    made = approve(store)
    store.approvals.revoke(made.id, by="李药师", reason="复评未达标")
    rows = store.audit.list(object_id=made.id)
    assert [(r.action, r.actor_id, r.actor_role) for r in rows] == [
        ("approval.revoke", "李药师", "approver"),
        ("approval.approve", "王主任", "approver"),
    ]
    assert store.audit.verify().ok


@pytest.mark.parametrize("missing", ["by", "gate", "files_sha256"])
def test_what_an_approval_cannot_be_without(store: Store, missing: str) -> None:
    with pytest.raises(InvalidArgument):
        approve(store, **{missing: "  "})
    assert store.approvals.list() == []
    assert store.audit.list() == []


@pytest.mark.parametrize(("by", "reason"), [("", "x"), ("李药师", " ")])
def test_what_a_revocation_cannot_be_without(store: Store, by: str, reason: str) -> None:
    made = approve(store)
    with pytest.raises(InvalidArgument):
        store.approvals.revoke(made.id, by=by, reason=reason)
    assert len(store.approvals.in_force()) == 1


@pytest.mark.parametrize("unknown", ["x", "", "0197f0c0-0000-7000-8000-000000000000"])
def test_an_unknown_approval_cannot_be_revoked(store: Store, unknown: str) -> None:
    with pytest.raises(ApprovalNotFound):
        store.approvals.revoke(unknown, by="李药师", reason="x")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approvals SET files_sha256 = 'c'",
        "DELETE FROM approvals",
        "INSERT OR REPLACE INTO approvals SELECT * FROM approvals",
        "UPDATE revocations SET reason = ''",
        "DELETE FROM revocations",
    ],
)
def test_rows_are_only_ever_added(store: Store, path: Path, statement: str) -> None:
    store.approvals.revoke(approve(store).id, by="李药师", reason="x")
    with sqlite3.connect(path) as database, pytest.raises(sqlite3.IntegrityError):
        database.execute(statement)


def test_what_was_put_in_past_the_audit_does_not_count(store: Store, path: Path) -> None:
    kept, revoked = approve(store), approve(store)
    store.approvals.revoke(revoked.id, by="李药师", reason="x")
    with sqlite3.connect(path) as database:
        for table in ("approvals", "revocations"):
            for what in ("no_update", "no_delete", "no_replace"):
                database.execute(f"DROP TRIGGER {table}_{what}")
        database.execute(
            "INSERT INTO approvals SELECT '0197f0c0-0000-7000-8000-000000000000', engine, model, "
            "engine_kind, files_sha256, precision, kv_cache, prompts, run, evidence, gate, "
            "approved_by, note, created_at, options FROM approvals WHERE id = ?",
            (kept.id,),
        )
        database.execute("DELETE FROM revocations")
    assert [a.id for a in store.approvals.in_force()] == [kept.id]
    with sqlite3.connect(path) as database:
        database.execute("UPDATE approvals SET files_sha256 = ?", ("d" * 64,))
    assert store.approvals.in_force() == []


def test_text_that_no_database_holds_does_not_undo_an_approval(store: Store) -> None:
    approve(store, note="备注\x00\ud800", run="/srv/\udcff")
    (counted,) = store.approvals.in_force()
    assert counted.note == "备注\ufffd\ufffd"


def test_a_database_of_the_first_version_is_brought_up(path: Path, secret: bytes) -> None:
    Store.open(path, secret).close()
    make_old(path, "0001")
    store = Store.open(path, secret)
    approve(store)
    assert len(store.approvals.in_force()) == 1
    store.close()
