"""The built catalogue, opened for reading: titles near a name, and the entries of a title."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from assistant.tasks.bill_ocr.catalogue.building import SCHEMA
from assistant.tasks.bill_ocr.catalogue.comparison import of_entry
from assistant.tasks.bill_ocr.catalogue.entry import Entry
from assistant.tasks.bill_ocr.catalogue.grams import grams
from assistant.tasks.bill_ocr.catalogue.specification import of_key
from assistant.tasks.bill_ocr.catalogue.wording import Wording

MOST_ENTRIES = 120
"""Of one title and strength that are compared."""

_REMEMBERED = 20_000
_TELLING = 1_000
"""Titles from which on a character that none has is a misprint."""
_OTHERS = 3
_SHARE = 0.3
"""Of the best score, below which a title is not looked at."""


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
        remembers = lru_cache(_REMEMBERED)
        self._title: Callable[[int], Title] = remembers(self._read_title)
        self._entry: Callable[[int], tuple[Entry, Wording]] = remembers(self._read_entry)

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
        # Far fewer than all are near; sorting them is cheaper than a partition of all.
        best = np.flatnonzero(scores >= np.float32(_SHARE) * scores.max())
        best = best[np.argsort(-scores[best], kind="stable")][:limit]
        return [self._title(int(title)) for title in best if scores[title] > 0]

    def commonness(self, gram: str) -> float:
        """How common a character or a pair is in the names of the list: 0 in none, 1 in all
        (logarithmic).  Of a short list nothing can be said: 1."""
        if self._count < _TELLING:
            return 1.0
        row = (
            self._database()
            .execute("SELECT length(titles) FROM grams WHERE gram = ?", (gram,))
            .fetchone()
        )
        holders = row[0] // np.dtype(np.int32).itemsize if row else 0
        return math.log1p(holders) / math.log1p(max(self._count, 1))

    def exact(self, name: str) -> list[Title]:
        """The titles that are ``name``."""
        rows = self._database().execute("SELECT id FROM titles WHERE core = ? LIMIT 20", (name,))
        return [self._title(title) for (title,) in rows.fetchall()]

    def entries(
        self, title: Title, written: Wording, limit: int = MOST_ENTRIES
    ) -> list[tuple[int, Entry, Wording]]:
        """The entries of a title: up to ``limit`` of the strengths that ``written`` leaves open,
        those of its maker and size first, and one of each of the first few others, to tell of a
        contradiction."""
        specification = written.specification
        strengths = self._database().execute(
            "SELECT DISTINCT strength FROM places WHERE title = ?", (title.id,)
        )
        keys = [key for (key,) in strengths.fetchall()]
        fitting = [key for key in keys if not specification.contradicts(of_key(key))]
        # What has the size that was written comes before what has none: a dialyser may have
        # hundreds of entries.
        fitting.sort(key=lambda key: -specification.tells_as(of_key(key)))
        found: list[int] = []
        for key in fitting:
            found += self._numbers(title, key, limit - len(found), written)
            if len(found) >= limit:
                break
        for key in [key for key in keys if key not in fitting][:_OTHERS]:
            found += self._numbers(title, key, 1, written)
        return [(number, *self._entry(number)) for number in found]

    def _numbers(self, title: Title, strength: str, limit: int, written: Wording) -> list[int]:
        found = self._database().execute(
            "SELECT entry FROM places WHERE title = ? AND strength = ? LIMIT ?",
            (title.id, strength, limit + 1),
        )
        numbers = [number for (number,) in found]
        if len(numbers) <= limit or limit == 1:
            return numbers[:limit]
        # A syringe has hundreds of entries: what is meant must not lie behind the limit.
        hints = [written.maker_full, written.maker, *sorted(written.sizes)]
        hits = " + ".join("(instr(lower(row), ?) > 0)" for _ in hints)
        rows = self._database().execute(
            f"SELECT entry FROM places JOIN entries ON id = entry WHERE title = ? AND strength = ?"  # noqa: S608
            f" ORDER BY {hits} DESC LIMIT ?",
            (title.id, strength, *(hint or " " for hint in hints), limit),
        )
        return [number for (number,) in rows]

    def by_code(self, code: str, limit: int = 2) -> list[Entry]:
        """The entries with this code."""
        rows = self._database().execute(
            "SELECT row FROM entries WHERE code = ? LIMIT ?", (code, limit)
        )
        return [Entry.model_validate_json(row) for (row,) in rows]

    def counts(self) -> dict[str, int]:
        """How many entries each list has."""
        rows = self._database().execute("SELECT list, count(*) FROM entries GROUP BY list")
        return dict(rows.fetchall())

    def _read_title(self, title: int) -> Title:
        row = self._database().execute(
            "SELECT id, core, full, form FROM titles WHERE id = ?", (title,)
        )
        return Title(*row.fetchone())

    def _read_entry(self, number: int) -> tuple[Entry, Wording]:
        (row,) = (
            self._database().execute("SELECT row FROM entries WHERE id = ?", (number,)).fetchone()
        )
        entry = Entry.model_validate_json(row)
        return entry, of_entry(entry)
