"""The database: opened, migrated, and written by one writer at a time."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from assistant.store.column_types import to_json
from assistant.store.errors import DatabaseFailed, InvalidArgument
from assistant.store.migration import migrate

log = logging.getLogger("bedside.assistant.store")

BUSY_TIMEOUT_MS = 30_000
WRITER_LOCK_ID = 0x6265647369646501  # one number for all processes on one PostgreSQL database

_PURGED = (
    "requests",
    "drafts",
    "resolutions",
    "feedback",
    "idempotency",
    "attachments",
    "attachment_files",
    "bills",
    "bill_corrections",
    "dicom_studies",
    "cards",
    "record_events",
    "event_work",
    "outbox",
    "record_results",
    "record_facts",
    "record_notes",
    "record_patients",
    "record_terms",
)
"""Tables that deleted rows leave."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class Database:
    """Transactions on an SQLite file or a PostgreSQL database.

    Writing transactions come one after another: under a lock in this process and
    ``BEGIN IMMEDIATE`` between processes on SQLite, under an advisory lock on PostgreSQL.  The
    audit chain needs that, and so may every caller rely on what it has read staying true until
    its transaction ends.
    """

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self.engine = engine
        self.clock = clock
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._writer_lock = threading.Lock()
        self._writer = engine.execution_options(bedside_begin="BEGIN IMMEDIATE")
        # SQLite's readers always see one moment; PostgreSQL has to be asked.
        one_view = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reader = engine.execution_options(**one_view)

    @classmethod
    def open(cls, url_or_path: str | Path, clock: Clock = utc_now) -> Database:
        """Open and bring to the newest schema.

        Raises `InvalidArgument` for an address that is not understood, `DatabaseFailed` when the
        database cannot be reached or is newer than this program.
        """
        url = _url(url_or_path)
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
        try:
            with _plain_errors():
                migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, clock)

    def close(self) -> None:
        """Close every connection; SQLite then folds its write-ahead log into the file."""
        self.engine.dispose()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A writing transaction: committed (to the disk) at the end, undone by an exception."""
        session = Session(self._writer, expire_on_commit=False)
        with self._writer_lock, _plain_errors(), session, session.begin():
            if not self.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                session.execute(lock, {"lock": WRITER_LOCK_ID})
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A reading transaction: one consistent view, and no waiting for writers on SQLite."""
        session = Session(self._reader, expire_on_commit=False)
        with _plain_errors(), session, session.begin():
            yield session

    def analyse(self) -> None:
        """Let the database learn what is in its tables, after much was written at once."""
        with self._writer_lock, _plain_errors(), self.engine.begin() as connection:
            connection.execute(text("ANALYZE"))

    def erase_deleted(self) -> bool:
        """Make sure that deleted rows are gone from the database's files too.

        False when another process kept the write-ahead log open; what was deleted then leaves the
        log at the next erasure, or when the last process closes the database.
        """
        with self._writer_lock, _plain_errors():
            if self.is_sqlite:
                return self._erase_sqlite()
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
                for table in _PURGED:
                    db.execute(text(f"VACUUM FULL {table}"))
            return True

    def _erase_sqlite(self) -> bool:
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                cursor.execute("VACUUM")
            except sqlite3.OperationalError:
                log.warning("VACUUM has to wait: another process uses the database")
            # Free pages are already overwritten (secure_delete); the log is what is left.
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            cursor.close()
            return not busy
        finally:
            connection.close()


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Database errors as `DatabaseFailed`, without the values: those may be patient text."""
    try:
        yield
    except (StatementError, PoolTimeout, sqlite3.Error) as error:
        origin = error.orig if isinstance(error, StatementError) else error
        code = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None)
        name = type(origin).__name__
        raise DatabaseFailed(f"The database refused a statement ({code or name}).") from None


def _url(url_or_path: str | Path) -> URL:
    if isinstance(url_or_path, Path) or "://" not in url_or_path:
        return URL.create("sqlite", database=str(url_or_path))
    try:
        url = make_url(url_or_path)
    except ArgumentError:
        raise InvalidArgument("The database address is not a URL that is understood.") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise InvalidArgument("The database is an SQLite file or a postgresql:// address.")
    return url


def _sqlite(url: URL) -> Engine:
    path = url.database
    if not path or path == ":memory:" or path.startswith("file:"):
        raise InvalidArgument("The SQLite database needs the path of a file.")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # Made before SQLite does, so that nobody but the owner can ever read it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        reason = error.strerror
        raise DatabaseFailed(f"The database file {path} cannot be opened: {reason}.") from None
    engine = _engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        # The driver would begin transactions late and end them around DDL; we say BEGIN ourselves.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("bedside_begin", "BEGIN"))

    return engine


def _postgresql(url: URL) -> Engine:
    try:
        return _engine(url, pool_pre_ping=True)
    except ModuleNotFoundError:
        raise DatabaseFailed(
            "PostgreSQL needs its driver: install Bedside with the 'postgres' extra."
        ) from None


def _engine(url: URL, **options: Any) -> Engine:
    # SQLAlchemy writes result rows to its log at DEBUG; patient text must not get there.
    logging.getLogger("sqlalchemy.engine.Engine").addFilter(_only_warnings)
    return create_engine(url, hide_parameters=True, json_serializer=to_json, **options)


def _only_warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
