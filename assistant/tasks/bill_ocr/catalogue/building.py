"""The catalogue's file: entries by title, and for every gram the titles that have it.

A title is a name with its form; the entries below it differ by strength, pack and maker.  The file
is built aside and put in place whole, so that whoever matches meanwhile reads the old one.
"""

from __future__ import annotations

import math
import os
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from assistant.tasks.bill_ocr.catalogue.entry import Entry, Written
from assistant.tasks.bill_ocr.catalogue.grams import grams
from assistant.tasks.bill_ocr.catalogue.wording import Wording, maker_core, read_wording
from knowledge.text.folding import fold

SCHEMA = 2
_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE titles (id INTEGER PRIMARY KEY, core TEXT, full TEXT, form TEXT, route TEXT,
                     UNIQUE (core, full, form));
CREATE TABLE entries (id INTEGER PRIMARY KEY, list TEXT NOT NULL, code TEXT NOT NULL,
                      row TEXT NOT NULL);
CREATE INDEX entries_code ON entries (code);
CREATE TABLE places (title INTEGER NOT NULL, strength TEXT NOT NULL, entry INTEGER NOT NULL,
                     PRIMARY KEY (title, strength, entry)) WITHOUT ROWID;
CREATE TABLE makers (core TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE grams (gram TEXT PRIMARY KEY, titles BLOB, weights BLOB) WITHOUT ROWID;
"""
_EVERY = 500
Report = Callable[[int, int, str], None]


def _quiet(done: int, total: int, what: str) -> None:
    """Tell nobody."""


def build(path: Path, entries: Iterable[Entry], report: Report = _quiet, total: int = 0) -> int:
    """Write the catalogue of ``entries`` to ``path``; how many there are.

    Memory grows with the grams of the titles, not with the entries: these go to the file at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(aside, isolation_level=None)) as database:
            # Nothing is lost by a crash: the file is not in place yet.
            database.execute("PRAGMA journal_mode=OFF")
            database.execute("PRAGMA synchronous=OFF")
            database.executescript(_TABLES)
            database.execute("BEGIN")
            count = _fill(database, entries, report, total)
            _index(database, report)
            database.execute("INSERT INTO about VALUES ('schema', ?)", (str(SCHEMA),))
            database.execute("COMMIT")
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return count


def kept_entries(path: Path, but: str) -> Iterator[Entry]:
    """The entries of ``path`` that are not of the list ``but``; none where there is no file."""
    if not path.exists():
        return
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        for (row,) in database.execute("SELECT row FROM entries WHERE list <> ?", (but,)):
            yield Entry.model_validate_json(row)


def _fill(
    database: sqlite3.Connection, entries: Iterable[Entry], report: Report, total: int
) -> int:
    titles: dict[tuple[str, str, str], int] = {}
    makers: set[str] = set()
    count = 0
    for count, entry in enumerate(entries, 1):
        database.execute(
            "INSERT INTO entries VALUES (?, ?, ?, ?)",
            (count, entry.list, entry.code, entry.model_dump_json()),
        )
        if core := maker_core(entry.maker):
            makers.add(core)
        for wording in wordings(entry):
            key = (wording.core, wording.full, wording.form)
            title = titles.setdefault(key, len(titles))
            if title == len(titles) - 1:
                database.execute(
                    "INSERT OR IGNORE INTO titles VALUES (?, ?, ?, ?, ?)",
                    (title, *key, wording.route),
                )
            database.execute(
                "INSERT OR IGNORE INTO places VALUES (?, ?, ?)",
                (title, wording.specification.key(), count),
            )
        if count % _EVERY == 0:
            report(count, total or count, "读取目录 (entries)")
    report(count, count, "读取目录 (entries)")
    database.executemany("INSERT OR IGNORE INTO makers VALUES (?)", ((core,) for core in makers))
    return count


def wordings(entry: Entry) -> list[Wording]:
    """What an entry is called: by its name, its brand and its other names."""
    names = [entry.name]
    brand = entry.brand.strip()
    if brand and fold(brand) not in fold(entry.name):
        names += [brand, f"{brand}{entry.name}"]
    aliases = entry.alias.replace("；", ";").replace("、", ";").replace("|", ";").split(";")
    names += [alias.strip() for alias in aliases if alias.strip()]
    readings = (
        read_wording(
            Written(name=name, specification=entry.specification, form=entry.form, maker="")
        )
        for name in dict.fromkeys(names)
    )
    return [wording for wording in readings if wording.full]


def _index(database: sqlite3.Connection, report: Report) -> None:
    """Postings: per gram the titles and what it weighs in each (tf-idf over the unit length)."""
    holders: dict[str, array[int]] = {}
    count = 0
    rows = database.execute("SELECT id, full FROM titles ORDER BY id")
    for count, (title, full) in enumerate(rows, 1):
        for gram in grams(full):
            holders.setdefault(gram, array("i")).append(title)
        if count % _EVERY == 0:
            report(count, 2 * count, "索引 (index)")
    rarity = {gram: math.log(1 + count / len(titles)) for gram, titles in holders.items()}
    lengths = np.zeros(count)
    for gram, titles in holders.items():
        lengths[np.frombuffer(titles, np.int32)] += rarity[gram] ** 2
    lengths = np.sqrt(np.maximum(lengths, 1e-9))
    for done, (gram, titles) in enumerate(holders.items(), 1):
        where = np.frombuffer(titles, np.int32)
        weights = (rarity[gram] / lengths[where]).astype(np.float32)
        database.execute(
            "INSERT INTO grams VALUES (?, ?, ?)", (gram, where.tobytes(), weights.tobytes())
        )
        if done % (10 * _EVERY) == 0:
            report(len(holders) + done, 2 * len(holders), "索引 (index)")
    database.executemany(
        "INSERT INTO about VALUES (?, ?)",
        (("titles", str(count)), ("grams", str(len(holders)))),
    )
    report(1, 1, "索引 (index)")
