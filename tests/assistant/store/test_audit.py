from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.store import (
    AuditBroken,
    AuditReport,
    Context,
    DraftRow,
    RequestNotFound,
    RequestRow,
    Store,
    WrongSecret,
)
from assistant.store.keyed_hash import KeyedHash

Tamper = Callable[..., AuditReport]


@pytest.fixture
def chain(store: Store, draft: Callable[..., DraftRow], context: Context) -> Store:
    row = draft()
    store.drafts.get(context, row.id)
    store.feedback.add(context, row.id, "like")
    assert store.audit.verify().rows == 4
    return store


@pytest.fixture
def tamper(chain: Store, path: Path) -> Tamper:
    """Run SQL with the triggers removed, as somebody with the file could; then verify."""

    def tamper(*statements: str) -> AuditReport:
        with sqlite3.connect(path) as database:
            for name in ("audit_no_update", "audit_no_delete", "audit_next_only"):
                database.execute(f"DROP TRIGGER IF EXISTS {name}")
            for statement in statements:
                database.execute(statement)
        database.close()
        return chain.audit.verify()

    return tamper


def test_an_untouched_chain_verifies(chain: Store) -> None:
    report = chain.audit.verify()
    assert (report.ok, report.rows, report.first_bad_seq, report.reason) == (True, 4, None, "")
    assert report.head_hash == chain.audit.list(limit=1)[0].hash


def test_reads_are_noted_too(chain: Store) -> None:
    actions = [row.action for row in chain.audit.list()][::-1]
    assert actions == ["request.submit", "draft.add", "draft.read", "feedback.add"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor_id = 'nobody'",
        "DELETE FROM audit WHERE seq = 4",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT 2, at, 'nobody', actor_role, action, object_type,"
        " object_id, patient_ref, encounter_ref, content_ref, prev_hash, hash FROM audit"
        " WHERE seq = 2",
        "INSERT INTO audit SELECT 9, at, actor_id, actor_role, action, object_type, object_id,"
        " patient_ref, encounter_ref, content_ref, prev_hash, hash FROM audit WHERE seq = 4",
    ],
)
def test_the_database_refuses_to_change_it(chain: Store, path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="the audit"):
        database.execute(statement)
    database.close()
    assert chain.audit.verify().ok


@pytest.mark.parametrize(
    "column",
    [
        "at",
        "actor_id",
        "actor_role",
        "action",
        "object_type",
        "object_id",
        "patient_ref",
        "encounter_ref",
        "content_ref",
        "hash",
    ],
)
def test_an_edit_of_any_column_is_found(tamper: Tamper, column: str) -> None:
    report = tamper(f"UPDATE audit SET {column} = {column} || 'x' WHERE seq = 2")
    assert (report.ok, report.first_bad_seq, report.rows) == (False, 2, 1)
    assert "changed" in report.reason


def test_a_gap_is_found(tamper: Tamper) -> None:
    report = tamper("DELETE FROM audit WHERE seq = 2")
    assert (report.ok, report.first_bad_seq) == (False, 2)
    assert "missing" in report.reason


def test_a_gap_closed_by_new_numbers_is_found(tamper: Tamper) -> None:
    report = tamper(
        "DELETE FROM audit WHERE seq = 2", "UPDATE audit SET seq = seq - 1 WHERE seq > 2"
    )
    assert (report.ok, report.first_bad_seq) == (False, 2)


def test_another_order_is_found(tamper: Tamper) -> None:
    report = tamper(
        "UPDATE audit SET seq = -2 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = -2",
    )
    assert (report.ok, report.first_bad_seq) == (False, 2)


def test_missing_rows_at_the_end_are_found(tamper: Tamper) -> None:
    report = tamper("DELETE FROM audit WHERE seq >= 3")
    assert (report.ok, report.first_bad_seq, report.rows) == (False, 3, 2)
    assert "end" in report.reason


def test_missing_rows_with_a_head_to_match_are_found(
    tamper: Tamper, chain: Store, context: Context
) -> None:
    report = tamper(
        "DELETE FROM audit WHERE seq >= 3",
        "UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit WHERE seq = 2)",
    )
    assert not report.ok
    assert "signature" in report.reason
    # Nothing is written on top, which would sign the shortened chain.
    with pytest.raises(AuditBroken, match="audit verify"):
        chain.requests.list(context)
    assert not chain.audit.verify().ok


def test_a_whole_chain_computed_anew_is_found(
    tamper: Tamper, tmp_path: Path, context: Context
) -> None:
    forged = Store.open(tmp_path / "forged.db", b"the forger has another secret")
    for _ in range(4):
        forged.requests.list(context)
    forged.close()
    columns = (
        "seq, at, actor_id, actor_role, action, object_type, object_id, patient_ref,"
        " encounter_ref, content_ref, prev_hash, hash"
    )
    rows = sqlite3.connect(tmp_path / "forged.db").execute(f"SELECT {columns} FROM audit")
    values = ",".join(str(row) for row in rows)
    report = tamper(
        "DELETE FROM audit",
        f"INSERT INTO audit ({columns}) VALUES {values}",
        "UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE seq = 4)",
    )
    assert not report.ok
    assert "signature" in report.reason


@pytest.mark.parametrize(
    "statements",
    [
        ("DELETE FROM audit_head",),
        ("DELETE FROM audit_head", "DELETE FROM audit"),
        ("UPDATE audit_head SET signature = ''",),
    ],
)
def test_a_missing_head_is_found_also_after_a_restart(
    tamper: Tamper, path: Path, secret: bytes, context: Context, statements: tuple[str, ...]
) -> None:
    assert not tamper(*statements).ok
    again = Store.open(path, secret)
    assert not again.audit.verify().ok
    with pytest.raises(AuditBroken):
        again.requests.list(context)
    again.close()


def test_an_older_database_put_back_is_found_with_a_noted_head(
    chain: Store, context: Context
) -> None:
    earlier = chain.audit.verify()
    assert chain.audit.verify((earlier.head_seq, earlier.head_hash)).ok
    chain.requests.list(context)
    assert chain.audit.verify((earlier.head_seq, earlier.head_hash)).ok
    report = chain.audit.verify((9, "f" * 64))
    assert not report.ok
    assert "noted" in report.reason


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(data=st.data())
def test_any_single_change_is_found(tmp_path_factory: Any, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("audit") / "a.db"
    store = Store.open(path, b"a secret that only the tests use")
    context = Context("doctor-1", "doctor", "patient-1")
    for _ in range(4):
        store.requests.list(context)
    seq = data.draw(st.integers(1, 4))
    column = data.draw(st.sampled_from(["actor_id", "action", "prev_hash", "hash", "patient_ref"]))
    value = data.draw(st.text("0123456789abcdef张", max_size=64))
    database = sqlite3.connect(path)
    database.execute("DROP TRIGGER audit_no_update")
    old = database.execute(f"SELECT {column} FROM audit WHERE seq = ?", (seq,)).fetchone()[0]
    database.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", (value, seq))
    database.commit()
    database.close()
    report = store.audit.verify()
    store.close()
    assert report.ok == (old == value)
    assert report.ok or report.first_bad_seq == seq


def test_no_text_and_no_plain_patient_id_is_in_the_audit(
    store: Store, path: Path, draft: Callable[..., DraftRow], context: Context
) -> None:
    row = draft("患者张三，发热3天")
    store.drafts.accept(context, row.id, "患者张三，发热5天", 0)
    store.feedback.add(context, row.id, "error", quote="张三", comment="发热5天")
    dump = "\n".join(
        line
        for line in sqlite3.connect(path).iterdump()
        if line.startswith(('INSERT INTO "audit', "INSERT INTO audit"))
    )
    assert dump.count("INSERT") == 5
    for secret in ("张三", "发热", "patient-1", "encounter-1"):
        assert secret not in dump
    hashes = KeyedHash(b"a secret that only the tests use")
    assert hashes.patient("patient-1") in dump
    assert hashes.content("患者张三，发热5天") in dump


def test_rows_can_be_paged_and_narrowed(
    store: Store, context: Context, other: Context, submit: Callable[..., RequestRow]
) -> None:
    row = submit()
    for _ in range(3):
        store.requests.get(context, row.id)
    store.requests.list(other)
    assert [one.seq for one in store.audit.list(limit=2)] == [5, 4]
    assert [one.seq for one in store.audit.list(limit=2, before_seq=4)] == [3, 2]
    assert [one.seq for one in store.audit.list(patient_id="patient-2")] == [5]
    assert [one.seq for one in store.audit.list(object_id=row.id)] == [4, 3, 2, 1]
    assert not store.audit.list(object_id="' OR 1=1 --")
    with pytest.raises(RequestNotFound):
        store.requests.get(context, "张三")
    assert [one.action for one in store.audit.list(object_id="张三")] == ["request.read_refused"]
    assert len(store.audit.list(before_seq=10**40)) == 6


def test_what_happens_outside_the_store_can_be_noted(store: Store, context: Context) -> None:
    store.audit.record(context, "knowledge.search", "knowledge", content="发热 咳嗽")
    (row,) = store.audit.list()
    assert (row.action, row.object_id) == ("knowledge.search", "")
    assert len(row.content_ref) == 64


def test_another_secret_is_refused(store: Store, path: Path) -> None:
    with pytest.raises(WrongSecret, match="another secret"):
        Store.open(path, b"some other secret of a stranger")
