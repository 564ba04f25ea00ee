"""A store as an earlier version left it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

COLUMNS_OF_0003 = ("source", "batch", "bound", "started_at", "asked_at")
TABLES_OF_0002 = ("revocations", "approvals")


def make_old(path: Path, revision: str) -> None:
    """Take away what came after ``revision``; the rows stay."""
    with sqlite3.connect(path) as database:
        for column in COLUMNS_OF_0003:
            database.execute(f"ALTER TABLE requests DROP COLUMN {column}")
        database.execute("ALTER TABLE approvals DROP COLUMN options")
        for table in TABLES_OF_0002 if revision == "0001" else ():
            database.execute(f"DROP TABLE {table}")
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    database.close()
