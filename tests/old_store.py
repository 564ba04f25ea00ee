"""A store as an earlier version left it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

WRITTEN_BY_0002 = Path(__file__).parent / "data" / "stores" / "0002.sql"
"""A store of the second version as that version wrote it: drafts of every task but structuring,
with evidence of two kinds, a report of an error, an approval, and the audit of all of it."""

COLUMNS_OF_0003 = ("source", "batch", "bound", "started_at", "asked_at")
TABLES_OF_0005 = ("attachment_files", "attachments")
TABLES_OF_0002 = ("revocations", "approvals")


def make_old(path: Path, revision: str) -> None:
    """Take away what came after ``revision``; the rows stay."""
    with sqlite3.connect(path) as database:
        for column in COLUMNS_OF_0003:
            database.execute(f"ALTER TABLE requests DROP COLUMN {column}")
        database.execute("ALTER TABLE approvals DROP COLUMN options")
        database.execute("ALTER TABLE drafts DROP COLUMN opened_at")
        database.execute("DROP INDEX ix_drafts_model")
        for table in _later_tables(database):
            database.execute(f"DROP TABLE {table}")
        for table in TABLES_OF_0002 if revision == "0001" else ():
            database.execute(f"DROP TABLE {table}")
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    database.close()


def _later_tables(database: sqlite3.Connection) -> list[str]:
    """Those that the second version did not have."""
    known = set(re.findall(r"CREATE TABLE \"?(\w+)", WRITTEN_BY_0002.read_text("utf-8")))
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return sorted(name for (name,) in found if name not in known)


def write_0002(path: Path) -> None:
    """The store `WRITTEN_BY_0002` as a database."""
    with sqlite3.connect(path) as database:
        database.executescript(WRITTEN_BY_0002.read_text("utf-8"))
    database.close()
