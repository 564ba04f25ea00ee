"""The same store on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from postgresql_server import PostgresqlServer
from sqlalchemy import text

from assistant.store import (
    Context,
    DatabaseFailed,
    DraftNotFound,
    Store,
)
from assistant.store.models.base import Base


@pytest.fixture
def address(postgresql: PostgresqlServer) -> str:
    return postgresql.new_database()


@pytest.fixture
def store(address: str, secret: bytes, clock: Any) -> Iterator[Store]:
    store = Store.open(address, secret, clock)
    yield store
    store.close()


def everything(store: Store, context: Context) -> str:
    request = store.requests.submit(
        context, "discharge_record", {"text": "发热\x00\ud800🙂"}, "h", idempotency_key="k"
    )
    store.requests.claim(request.id)
    draft = store.drafts.add(
        context,
        request.id,
        "discharge_record",
        "m",
        "",
        {"text": "发热3天"},
        record_hash="h",
        model="model-1",
        prompt_version="1",
        knowledge_version="1",
    )
    store.drafts.resolve_statement(context, draft.id, "1", "edited", "发热\x00")
    store.feedback.add(context, draft.id, "like", idempotency_key="k")
    store.drafts.accept(context, draft.id, "发热4天", 0)
    store.drafts.sign(context, draft.id, "发热5天，咳嗽")
    store.requests.finish(request.id)
    return draft.id


def test_the_migrations_make_what_the_models_say(store: Store) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_everything_from_request_to_purge(
    store: Store, context: Context, other: Context, clock: Any, secret: bytes, address: str
) -> None:
    draft_id = everything(store, context)
    with pytest.raises(DraftNotFound):
        store.drafts.get(other, draft_id)
    row = store.drafts.get(context, draft_id)
    assert (row.edit_distance, row.created_at) == (4, clock.now)
    assert store.requests.get(context, row.request_id).payload == {"text": "发热\ufffd\ufffd🙂"}
    (summary,) = store.feedback.summary()
    assert (summary.likes, summary.mean_edit_distance) == (1, 4)
    assert len(list(store.feedback_pairs(deidentify=False))) == 1
    second = Store.open(address, secret)
    assert second.audit.verify().ok
    second.close()
    counts = store.purge_patient("patient-1", Context.operator("admin-1"))
    assert (counts.requests, counts.drafts, counts.erased_from_files) == (1, 1, True)
    report = store.audit.verify()
    assert report.ok, report.reason
    clock.forward(days=10)
    assert store.purge_expired(5).requests == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor_id = 'nobody'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "INSERT INTO audit SELECT 99, at, actor_id, actor_role, action, object_type, object_id,"
        " patient_ref, encounter_ref, content_ref, prev_hash, hash FROM audit WHERE seq = 1",
    ],
)
def test_the_database_refuses_to_change_the_audit(
    store: Store, context: Context, statement: str
) -> None:
    store.requests.list(context)

    def change() -> None:
        with store.database.write() as session:
            session.execute(text(statement))

    with pytest.raises(DatabaseFailed):
        change()
    assert store.audit.verify().ok


def test_approvals_are_kept_and_only_ever_added(store: Store) -> None:
    made = store.approvals.approve(
        engine="ward",
        model="glm",
        engine_kind="openvino",
        files_sha256="a" * 64,
        options={"kind": "openvino"},
        precision="int8 f32 dynamic 128",
        kv_cache="u8",
        prompts={"chat/cited": "b" * 64},
        run="/srv/\x00run",
        evidence={"scores": {"overall": 61.23456789012345}},
        gate="overall>=60",
        by="王主任",
    )
    assert [a.id for a in store.approvals.in_force()] == [made.id]
    store.approvals.revoke(made.id, by="李药师", reason="复评未达标")
    assert store.approvals.in_force() == []
    for statement in (
        "UPDATE approvals SET gate = ''",
        "DELETE FROM revocations",
        "TRUNCATE approvals CASCADE",
    ):
        with pytest.raises(DatabaseFailed), store.database.write() as session:
            session.execute(text(statement))
    assert store.approvals.list()[0].revoked_by == "李药师"


def test_an_error_of_the_database_does_not_repeat_the_row(store: Store) -> None:
    def write() -> None:
        with store.database.write() as session:
            session.execute(text("INSERT INTO requests (id, failure) VALUES ('1', '患者张三')"))

    with pytest.raises(DatabaseFailed) as caught:
        write()
    assert "张三" not in str(caught.value)
    assert "23502" in str(caught.value)


def test_the_chain_is_one_line_with_two_programs_writing(
    store: Store, context: Context, secret: bytes, address: str
) -> None:
    second = Store.open(address, secret)
    made: list[str] = []

    def submit(target: Store) -> None:
        for number in range(10):
            row = target.requests.submit(context, "chat", {}, "h", idempotency_key=str(number))
            made.append(row.id)

    threads = [threading.Thread(target=submit, args=(one,)) for one in (store, second) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert len(made) == 40
    assert len(set(made)) == 10
    report = store.audit.verify()
    assert (report.ok, report.rows) == (True, 40)
