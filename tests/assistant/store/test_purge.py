from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.store import (
    Context,
    DraftNotFound,
    DraftRow,
    InvalidArgument,
    PurgeCounts,
    RequestNotFound,
    RequestRow,
    Store,
)

ADMIN = Context.operator("admin-1")
SECRET_WORDS = ("张三丰的主诉", "患者已退热出院", "医生写的更正", "接口返回的正文", "签名后的定稿")


def everything_of_a_patient(store: Store, context: Context) -> DraftRow:
    """One row of each kind, each with a secret word."""
    answers = store.idempotency
    answers.begin(context.actor_id, "k" + context.patient_id, "POST", "h", context.patient_id)
    request = store.requests.submit(context, "discharge_record", {"text": SECRET_WORDS[0]}, "h")
    draft = store.drafts.add(
        context,
        request.id,
        "discharge_record",
        "m",
        "",
        {"text": SECRET_WORDS[1] * 2000},
        record_hash="h",
        model="model-1",
        prompt_version="1",
        knowledge_version="1",
    )
    store.drafts.resolve_statement(context, draft.id, "1", "edited", SECRET_WORDS[2])
    store.feedback.add(
        context, draft.id, "error", quote=SECRET_WORDS[1], correction=SECRET_WORDS[2]
    )
    store.feedback.add(context, draft.id, "like", comment=SECRET_WORDS[2])
    store.drafts.sign(context, draft.id, SECRET_WORDS[4])
    answers.complete(context.actor_id, "k" + context.patient_id, 201, SECRET_WORDS[3])
    return draft


def bytes_on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


def test_a_purged_patients_text_is_in_no_file_any_more(
    store: Store, path: Path, context: Context
) -> None:
    everything_of_a_patient(store, context)
    for word in SECRET_WORDS:
        assert word.encode() in bytes_on_disk(path)
    counts = store.purge_patient("patient-1", ADMIN)
    assert counts == PurgeCounts(1, 1, 1, 2, 1, True)
    # Also while the database stays open.
    for word in (*SECRET_WORDS, "patient-1", "encounter-1"):
        assert word.encode() not in bytes_on_disk(path)


def test_the_chain_verifies_after_a_purge_and_says_who_did_it(
    store: Store, context: Context
) -> None:
    everything_of_a_patient(store, context)
    rows = store.audit.verify().rows
    store.purge_patient("patient-1", ADMIN)
    report = store.audit.verify()
    assert (report.ok, report.rows) == (True, rows + 1)
    newest = store.audit.list(patient_id="patient-1")[0]
    assert (newest.action, newest.actor_id) == ("patient.purge", "admin-1")


def test_other_patients_keep_everything(store: Store, context: Context, other: Context) -> None:
    gone = everything_of_a_patient(store, context)
    kept = everything_of_a_patient(store, other)
    store.purge_patient("patient-1", ADMIN)
    assert store.drafts.get(other, kept.id).signed_text == SECRET_WORDS[4]
    assert len(store.feedback.list(other)) == 2
    assert len(store.drafts.resolutions(other, kept.id)) == 1
    assert store.idempotency.begin("doctor-1", "kpatient-2", "POST", "h") is not None
    with pytest.raises(DraftNotFound):
        store.drafts.get(context, gone.id)
    with pytest.raises(RequestNotFound):
        store.requests.get(context, gone.request_id)
    assert not store.feedback.list(context)
    assert not store.feedback.list(Context("doctor-1", "doctor", ""))
    assert len(list(store.feedback_pairs())) == len(list(store.feedback_pairs(one_sided=True)))


def test_counts_of_verdicts_outlast_a_purge(store: Store, context: Context) -> None:
    everything_of_a_patient(store, context)
    store.purge_patient("patient-1", ADMIN)
    (summary,) = store.feedback.summary()
    assert (summary.model, summary.likes, summary.errors) == ("model-1", 1, 1)
    assert (summary.drafts, summary.signed) == (0, 0)


def test_an_answer_that_comes_after_the_purge_is_not_kept(
    store: Store, path: Path, context: Context
) -> None:
    store.idempotency.begin("doctor-1", "k", "POST", "h", "patient-1")
    store.purge_patient("patient-1", ADMIN)
    store.idempotency.complete("doctor-1", "k", 200, SECRET_WORDS[3])
    assert SECRET_WORDS[3].encode() not in bytes_on_disk(path)
    assert store.idempotency.begin("doctor-1", "k", "POST", "h") is None


def test_a_job_that_runs_during_the_purge_cannot_write_its_draft(
    store: Store,
    context: Context,
    submit: Callable[..., RequestRow],
    draft: Callable[..., DraftRow],
) -> None:
    request = submit()
    store.requests.claim(request.id)
    store.purge_patient("patient-1", ADMIN)
    with pytest.raises(RequestNotFound):
        draft(request=request)
    with pytest.raises(RequestNotFound):
        store.requests.finish(request.id)


def test_a_reader_in_another_process_delays_the_erasure_and_it_is_said(
    store: Store, path: Path, context: Context
) -> None:
    everything_of_a_patient(store, context)
    with store.database.engine.connect() as one:
        one.exec_driver_sql("PRAGMA busy_timeout=0")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM drafts").fetchone()
    assert not store.purge_patient("patient-1", ADMIN).erased_from_files
    reader.close()
    assert store.database.erase_deleted()
    for word in SECRET_WORDS:
        assert word.encode() not in bytes_on_disk(path)


def test_a_purge_needs_a_patient(store: Store) -> None:
    with pytest.raises(InvalidArgument):
        store.purge_patient("", ADMIN)


def test_what_is_older_than_the_retention_goes(
    store: Store, path: Path, context: Context, other: Context, clock: Any
) -> None:
    old = everything_of_a_patient(store, context)
    store.requests.finish(old.request_id)
    waiting = store.requests.submit(context, "chat", {"text": "还没有处理"}, "h")
    clock.forward(days=31)
    new = everything_of_a_patient(store, other)
    store.requests.finish(new.request_id)
    assert store.purge_expired(60) == PurgeCounts(0, 0, 0, 0, 0, True)
    assert store.purge_expired(30, ADMIN) == PurgeCounts(1, 1, 1, 2, 1, True)
    with pytest.raises(DraftNotFound):
        store.drafts.get(context, old.id)
    assert store.drafts.get(other, new.id).id == new.id
    assert store.requests.get(context, waiting.id).status == "queued"
    purged = store.audit.list(object_id=old.request_id)[0]
    assert (purged.action, purged.actor_id) == ("request.purge", "admin-1")
    assert store.audit.verify().ok


def test_many_expired_requests_go_in_batches(
    store: Store, context: Context, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.store.purge.BATCH", 2)
    for _ in range(5):
        store.requests.cancel(context, store.requests.submit(context, "chat", {}, "h").id)
    clock.forward(days=2)
    assert store.purge_expired(1).requests == 5
    assert not store.requests.list(context)


@pytest.mark.parametrize("days", [0, -1])
def test_a_retention_is_at_least_a_day(store: Store, days: int) -> None:
    with pytest.raises(InvalidArgument):
        store.purge_expired(days)
