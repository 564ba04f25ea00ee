"""Brings a database to the newest schema, one process at a time."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from assistant.store.errors import DatabaseFailed

SCRIPTS = Path(__file__).parent / "migrations"
_one_thread = threading.Lock()  # Alembic keeps its context in module globals
MIGRATION_LOCK_ID = 0x6265647369646502


def configuration() -> Config:
    """Alembic's configuration; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def migrate(engine: Engine) -> None:
    """Run the migrations that ``engine``'s database lacks, each in one transaction.

    Raises `DatabaseFailed` when the database was written by a newer version.
    """
    config = configuration()
    head = ScriptDirectory.from_config(config).get_current_head()
    with _one_thread, _one_process(engine), engine.connect() as connection:
        with connection.begin():
            current = MigrationContext.configure(connection).get_current_revision()
        if current == head:
            return
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise DatabaseFailed(
                "The database was written by a newer version of Bedside; install that version."
            ) from None


@contextmanager
def _one_process(engine: Engine) -> Iterator[None]:
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            yield from _under_advisory_lock(connection)
        return
    path = Path(f"{engine.url.database}.migrate.lock")
    with path.open("a") as file:
        # Given back by the kernel when the process ends, however it ends.
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _under_advisory_lock(connection: Connection) -> Iterator[None]:
    with connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": MIGRATION_LOCK_ID})
        yield
