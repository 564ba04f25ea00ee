"""The built catalogue, opened for reading: titles near a name, and the entries of a title."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from assistant.tasks.bill_ocr.catalogue.building import SCHEMA
from assistant.tasks.bill_ocr.catalogue.comparison import of_entry
from assistant.tasks.bill_ocr.catalogue.entry import Entry
from assistant.tasks.bill_ocr.catalogue.grams import grams
from assistant.tasks.bill_ocr.catalogue.wording import Wording

MOST_ENTRIES = 300
"""Of one title that are compared, where none has the strength that was written."""

_REMEMBERED = 20_000


class CatalogueMissing(Exception):
    """There is no catalogue; the message says how to import one."""

    def __init__(self) -> None:
        super().__init__(
            "还没有导入目录：bedside catalogue import 文件。"
            "(No catalogue yet: import one with `bedside catalogue import FILE`.)"
        )


@dataclass(frozen=True, slots=True)
class Title:
    """A listed name with its form."""

    id: int
    core: str
    full: str
    form: str


class Catalogue:
    """A catalogue's file.  May be used from any thread.

    Raises `CatalogueMissing` where there is none, or one of another version of the program.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise CatalogueMissing
        self._local = threading.local()
        self._path = path
        try:
            about = dict(self._database().execute("SELECT key, value FROM about"))
        except sqlite3.Error:
            raise CatalogueMissing from None
        if about.get("schema") != str(SCHEMA):
            raise CatalogueMissing
        self._count = int(about["titles"])
        self.makers = frozenset(
            core for (core,) in self._database().execute("SELECT core FROM makers")
        )
        self._title = lru_cache(_REMEMBERED)(self._read_title)
        self._entry = lru_cache(_REMEMBERED)(self._read_entry)

    def _database(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "database", None)
        if found is None:
            # immutable: the file is only ever replaced whole.
            address = f"{self._path.resolve().as_uri()}?immutable=1"
            found = self._local.database = sqlite3.connect(address, uri=True)
        return found

    def near(self, name: str, limit: int) -> list[Title]:
        """The titles that share most with ``name`` (cosine of tf-idf), nearest first."""
        wanted = grams(name)
        if not wanted or not self._count:
            return []
        places = ",".join("?" * len(wanted))
        rows = self._database().execute(
            f"SELECT titles, weights FROM grams WHERE gram IN ({places})",  # noqa: S608
            wanted,
        )
        scores = np.zeros(self._count, np.float32)
        for titles, weights in rows:
            where = np.frombuffer(titles, np.int32)
            rarity = np.float32(np.log1p(self._count / len(where)))
            scores[where] += rarity * np.frombuffer(weights, np.float32)
        count = min(limit, self._count)
        best = np.argpartition(scores, -count)[-count:]
        best = best[np.argsort(-scores[best], kind="stable")]
        return [self._title(int(title)) for title in best if scores[title] > 0]

    def exact(self, name: str) -> list[Title]:
        """The titles that are ``name``."""
        rows = self._database().execute(
            "SELECT id FROM titles WHERE core = ? LIMIT 20", (name,)
        )
        return [self._title(title) for (title,) in rows.fetchall()]

    def entries(self, title: Title, strength: str) -> list[tuple[int, Entry, Wording]]:
        """The entries of a title: those of exactly this strength, else the first of all."""
        database = self._database()
        query = "SELECT entry FROM places WHERE title = ?"
        rows = []
        if strength:
            rows = database.execute(
                f"{query} AND strength = ? LIMIT ?", (title.id, strength, MOST_ENTRIES)
            ).fetchall()
        if not rows:
            rows = database.execute(f"{query} LIMIT ?", (title.id, MOST_ENTRIES)).fetchall()
        return [(number, *self._entry(number)) for (number,) in rows]

    def by_code(self, code: str, limit: int = 2) -> list[Entry]:
        """The entries with this code."""
        rows = self._database().execute(
            "SELECT row FROM entries WHERE json_extract(row, '$.code') = ? LIMIT ?", (code, limit)
        )
        return [Entry.model_validate_json(row) for (row,) in rows]

    def counts(self) -> dict[str, int]:
        """How many entries each list has."""
        rows = self._database().execute("SELECT list, count(*) FROM entries GROUP BY list")
        return {name: count for name, count in rows}

    def _read_title(self, title: int) -> Title:
        row = self._database().execute(
            "SELECT id, core, full, form FROM titles WHERE id = ?", (title,)
        )
        return Title(*row.fetchone())

    def _read_entry(self, number: int) -> tuple[Entry, Wording]:
        (row,) = self._database().execute(
            "SELECT row FROM entries WHERE id = ?", (number,)
        ).fetchone()
        entry = Entry.model_validate_json(row)
        return entry, of_entry(entry)
