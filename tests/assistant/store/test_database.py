from __future__ import annotations

import logging
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from assistant.store import Context, DatabaseFailed, DraftRow, InvalidArgument, Store
from assistant.store.models.base import Base


def test_the_migrations_make_what_the_models_say(store: Store) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_sqlite_is_set_to_lose_nothing(store: Store) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with store.database.engine.connect() as connection:
        for pragma, value in wanted.items():
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
        assert (connection.exec_driver_sql("PRAGMA busy_timeout").scalar() or 0) >= 5000


def test_nobody_else_can_read_the_files(store: Store, path: Path, context: Context) -> None:
    store.requests.list(context)
    for file in (path, path.with_name(path.name + "-wal")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_second_start_finds_everything(
    store: Store, path: Path, secret: bytes, context: Context, draft: Callable[..., DraftRow]
) -> None:
    row = draft()
    store.close()
    again = Store.open(str(path), secret)
    assert again.drafts.get(context, row.id).content == row.content
    assert again.audit.verify().ok
    again.close()


def test_processes_that_start_together_migrate_once(path: Path) -> None:
    program = (
        "import sys; from assistant.store import Store, Context\n"
        "store = Store.open(sys.argv[1], b'x' * 16)\n"
        "store.requests.submit(Context('a', 'r', 'p'), 'chat', {}, 'h')\n"
        "store.close()"
    )
    command = [sys.executable, "-c", program, str(path)]
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    store = Store.open(path, b"x" * 16)
    report = store.audit.verify()
    assert (report.ok, report.rows) == (True, 3)
    store.close()


def test_threads_that_open_different_databases_do_not_mix_them_up(
    tmp_path: Path, secret: bytes
) -> None:
    def open_one(number: int) -> bool:
        store = Store.open(tmp_path / f"{number}.db", secret)
        try:
            return store.audit.verify().ok
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_one, range(4))) == [True] * 4


def test_a_migration_that_breaks_leaves_nothing_behind(path: Path, secret: bytes) -> None:
    # A table that is in the way lets the first migration fail after it has made others.
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE audit_head (id INTEGER)")
    with pytest.raises(DatabaseFailed):
        Store.open(path, secret)
    tables = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("audit_head",)]
    database.execute("DROP TABLE audit_head")
    database.close()
    Store.open(path, secret).close()


def test_a_database_of_a_newer_version_is_refused(store: Store, path: Path, secret: bytes) -> None:
    with store.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseFailed, match="newer version"):
        Store.open(path, secret)


@pytest.mark.parametrize(
    "address", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "://", ":memory:"]
)
def test_addresses_that_are_not_understood(address: str, secret: bytes) -> None:
    with pytest.raises(InvalidArgument):
        Store.open(address, secret)


def test_a_file_that_is_no_database(tmp_path: Path, secret: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("患者张三，发热三天。" * 500)
    with pytest.raises(DatabaseFailed) as caught:
        Store.open(path, secret)
    assert "张三" not in str(caught.value)


def test_a_folder_in_place_of_the_file(tmp_path: Path, secret: bytes) -> None:
    with pytest.raises(DatabaseFailed, match="cannot be opened"):
        Store.open(tmp_path, secret)


def test_an_error_of_the_database_does_not_repeat_the_values(store: Store) -> None:
    def write() -> None:
        with store.database.write() as session:
            statement = text("INSERT INTO requests (id, payload) VALUES (:id, :payload)")
            session.execute(statement, {"id": "1", "payload": "患者张三"})

    with pytest.raises(DatabaseFailed) as caught:
        write()
    assert "张三" not in str(caught.value)
    assert "SQLITE_CONSTRAINT" in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_log_at_any_level_holds_patient_text(
    path: Path,
    secret: bytes,
    context: Context,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.engine.Engine", "alembic"):
        caplog.set_level(logging.DEBUG, logger=name)
    store = Store.open(path, secret)
    request = store.requests.submit(context, "chat", {"text": "患者张三发热"}, "h")
    draft = store.drafts.add(
        context,
        request.id,
        "chat",
        "m",
        "",
        {"text": "张三的草稿"},
        record_hash="h",
        model="m",
        prompt_version="1",
        knowledge_version="1",
    )
    store.drafts.get(context, draft.id)
    store.feedback.add(context, draft.id, "error", comment="张三说不对")
    store.drafts.sign(context, draft.id, "张三的定稿")
    list(store.feedback_pairs(deidentify=False))
    store.purge_patient("patient-1", context)
    store.close()
    assert caplog.records
    assert "张三" not in caplog.text
    assert "patient-1" not in caplog.text
