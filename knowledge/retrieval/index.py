"""Hybrid retrieval: FAISS over embeddings and BM25 over bigrams, fused by reciprocal rank.

``score(p) = Σ 1 / (60 + rank)`` over the lists that hold *p* (Cormack, Clarke & Büttcher, SIGIR
2009).  Passages whose subject the query names lead the lexical list and are a third list of their
own, so that a question about 肺炎 is answered from 肺炎; where it names none, those on the diseases
whose findings it describes are.  Medicines that it does not name count less.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from itertools import zip_longest
from pathlib import Path

import numpy as np

from knowledge.layout import DENSE, DENSE_ROWS
from knowledge.retrieval.lexical import LexicalIndex
from knowledge.sources.fact import Passage
from knowledge.text.drugs import generic_name
from knowledge.text.folding import fold
from serving.encoder.text_encoder import Encoder

_log = logging.getLogger("bedside.knowledge.index")

RANK_CONSTANT = 60
_DEPTH = 50
# A medicine that the query does not name: what it treats is a list of many diseases' words.
_UNNAMED_DRUG = 0.6
_DENSE_CHARACTERS = 40  # of a query are embedded, as of a passage; the rest is lexical only
_NAMED_CHARACTERS = 200  # of a query are searched for subject names
_NAME_LENGTH = 20
_PRODUCTS = 3  # of one drug are found by its generic name
_COLUMNS = tuple(f.name for f in fields(Passage))


@dataclass(frozen=True)
class Hit:
    """A passage found, with its fused score and its rank (from 1) in each list that has it."""

    passage: Passage
    score: float
    dense_rank: int | None
    lexical_rank: int | None


@dataclass(frozen=True, slots=True)
class Described:
    """What a query describes: ids of passages on it, the likeliest first, and the folded words of
    the query that are findings."""

    passage_ids: tuple[str, ...] = ()
    findings: frozenset[str] = frozenset()


class _Dense:
    """The vectors of a base with the encoder that they are of."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        import faiss  # not by a command that reads passages only

        flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY
        self._index = faiss.read_index(str(folder / DENSE), flags)
        self._rows = np.load(folder / DENSE_ROWS, mmap_mode="r")
        self._encoder = encoder

    def search(self, query: str, depth: int) -> list[int]:
        """Rows of the nearest passages, nearest first."""
        vectors = self._encoder.queries([query.strip()[:_DENSE_CHARACTERS]])
        _, rows = self._index.search(vectors, min(depth, self._index.ntotal))
        return [int(self._rows[row]) for row in rows[0] if row >= 0]


class PassageIndex:
    """The passages of a base."""

    def __init__(
        self, folder: Path, encoder: Encoder | None, names: Mapping[str, str] | None = None
    ) -> None:
        """Open what `build` wrote; without an encoder, search is lexical only.

        ``names``: folded names and aliases → the subject of passages that they mean.
        """
        self._names = names or {}
        self._lexical = LexicalIndex(folder)
        uri = f"{(folder / 'passages.sqlite').absolute().as_uri()}?mode=ro&immutable=1"
        self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        self._folder = folder
        self.describes: Callable[[str], Described] | None = None
        """What a query describes without naming it."""
        self._dense: _Dense | None = None
        if encoder is not None:
            self.use_vectors(encoder)

    def use_vectors(self, encoder: Encoder) -> None:
        """Search by meaning too from now on, where the base has vectors."""
        if (self._folder / DENSE).exists():
            self._dense = _Dense(self._folder, encoder)

    @property
    def is_hybrid(self) -> bool:
        """Whether embeddings are used beside the lexical index."""
        return self._dense is not None

    def __len__(self) -> int:
        return self._lexical.count

    def close(self) -> None:
        """Release the passage database."""
        self._database.close()

    def passage(self, passage_id: str) -> Passage | None:
        """The passage of this id, or None."""
        return self._select("id = ?", (passage_id,)).get(passage_id)

    def of_kind(self, kind: str) -> list[Passage]:
        """All passages of a kind ("disease", "drug", "guideline"), in the order of the base."""
        found = self._select("kind = ?", (kind,))
        return list(found.values())

    def search(self, query: str, limit: int = 10) -> list[Hit]:
        """The best passages for ``query``, best first; empty for a query without words."""
        if limit < 1 or not query.strip():
            return []
        depth = max(_DEPTH, limit)
        told = self.describes(query) if self.describes else Described()
        named = {row: n for n, row in enumerate(self._named(query, told.findings), 1)}
        lexical = {row: n for n, row in enumerate(self._search_words(query, named, depth), 1)}
        dense = {row: n for n, row in enumerate(self._search_dense(query, depth), 1)}
        described = self._of_ids(told.passage_ids)
        lists = (named, lexical, dense, described)
        scores = {
            row: sum(1 / (RANK_CONSTANT + ranks[row]) for ranks in lists if row in ranks)
            for row in lexical.keys() | dense.keys() | described.keys()
        }
        passages = self._rows(list(scores))
        for row, passage in passages.items():
            if passage.kind == "drug" and row not in named:
                scores[row] *= _UNNAMED_DRUG
        best = sorted(scores, key=lambda row: (-scores[row], row))[:limit]
        return [Hit(passages[row], scores[row], dense.get(row), lexical.get(row)) for row in best]

    def by_words(self, query: str, limit: int = 10) -> list[Passage]:
        """The best passages by subject names and words alone: the lexical list of `search`."""
        rows = self._search_words(query, self._named(query), limit)[:limit]
        found = self._rows(rows)
        return [found[row] for row in rows]

    def by_meaning(self, query: str, limit: int = 10) -> list[Passage]:
        """The passages nearest by embedding alone; none where search is lexical only."""
        rows = self._search_dense(query, limit) if query.strip() else []
        found = self._rows(rows)
        return [found[row] for row in rows]

    def _search_words(self, query: str, named: Iterable[int], depth: int) -> list[int]:
        """Rows of the passages named, then of those that share words."""
        matched = (row for row, _ in self._lexical.search(query, depth))
        return list(dict.fromkeys([*named, *matched]))

    def _of_ids(self, ids: Sequence[str]) -> dict[int, int]:
        """Row → rank of passages by id."""
        marks = ",".join("?" * len(ids))
        sql = f"SELECT id, row FROM passage WHERE id IN ({marks})"  # noqa: S608
        with self._lock:
            rows = dict(self._database.execute(sql, tuple(ids)).fetchall())
        return {rows[one]: rank for rank, one in enumerate(ids, 1) if one in rows}

    def _search_dense(self, query: str, depth: int) -> list[int]:
        return [] if self._dense is None else self._dense.search(query, depth)

    def _named(self, query: str, findings: Set[str] = frozenset()) -> list[int]:
        """Rows of the passages whose subject the query names, each named thing in turn.

        The longest names come first; what is named second stands second, however many passages
        the first has.  ``findings`` are words that only describe (腰痛 of 腰痛，向下肢放射).
        """
        text = query[:_NAMED_CHARACTERS]
        folded = fold(text)
        # Subject → the wordings that may mean it.
        pieces: dict[str, set[str]] = defaultdict(set)
        for size in range(2, min(_NAME_LENGTH, len(text)) + 1):
            for start in range(len(text) - size + 1):
                piece = text[start : start + size]
                if folded[start : start + size] in findings or _cuts_a_word(
                    folded, start, start + size
                ):
                    continue
                pieces[piece].add(piece)
                if meant := self._names.get(folded[start : start + size]):
                    pieces[meant].add(piece)
        if not pieces:
            return []
        rows: dict[str, list[int]] = defaultdict(list)
        for row, subject in self._subjects(tuple(pieces)):
            for wording in pieces[subject]:
                rows[wording].append(row)
        for row, name in self._drugs(tuple(dict.fromkeys(fold(piece) for piece in pieces))):
            rows[name].append(row)
        whole = [w for w in rows if not any(w != other and w in other for other in rows)]
        whole.sort(key=lambda wording: (-len(wording), min(rows[wording])))
        turns = zip_longest(*(sorted(rows[wording]) for wording in whole))
        return list(dict.fromkeys(row for turn in turns for row in turn if row is not None))

    def _subjects(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """Passages with one of these subjects: row and subject."""
        marks = ",".join("?" * len(names))
        sql = f"SELECT row, subject FROM passage WHERE subject IN ({marks})"  # noqa: S608
        with self._lock:
            return self._database.execute(sql, tuple(names)).fetchall()

    def _drugs(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """Passages on products with one of these generic names: row and name."""
        marks = ",".join("?" * len(names))
        sql = f"SELECT row, name FROM drug_name WHERE name IN ({marks})"  # noqa: S608
        with self._lock:
            return self._database.execute(sql, tuple(names)).fetchall()

    def _rows(self, rows: Sequence[int]) -> dict[int, Passage]:
        marks = ",".join("?" * len(rows))
        sql = f"SELECT row, {', '.join(_COLUMNS)} FROM passage WHERE row IN ({marks})"  # noqa: S608
        with self._lock:
            found = self._database.execute(sql, tuple(rows)).fetchall()
        return {values[0]: Passage(*values[1:]) for values in found}

    def _select(self, where: str, values: tuple[str, ...]) -> dict[str, Passage]:
        sql = f"SELECT {', '.join(_COLUMNS)} FROM passage WHERE {where}"  # noqa: S608
        with self._lock:
            found = self._database.execute(sql, values).fetchall()
        return {row[0]: Passage(*row) for row in found}


def read_passages(folder: Path) -> list[Passage]:
    """All passages that `write_index` wrote, in their order."""
    uri = f"{(folder / 'passages.sqlite').absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        sql = f"SELECT {', '.join(_COLUMNS)} FROM passage ORDER BY row"  # noqa: S608
        return [Passage(*row) for row in database.execute(sql)]


def _cuts_a_word(folded: str, start: int, end: int) -> bool:
    """Whether one of the ends stands within a Latin word: RA is no part of Graves."""
    return any(
        0 < at < len(folded)
        and folded[at - 1 : at + 1].isascii()
        and folded[at - 1 : at + 1].isalpha()
        for at in (start, end)
    )


def _drug_names(passages: Sequence[Passage]) -> list[tuple[str, int]]:
    """Generic name and row of the products that say most, a few of each: what a question names
    is the drug, and the passages are on products."""
    products: dict[str, list[int]] = defaultdict(list)
    for row, passage in enumerate(passages):
        if passage.kind == "drug":
            products[generic_name(passage.subject)].append(row)
    return [
        (name, row)
        for name, rows in products.items()
        for row in sorted(rows, key=lambda row: -len(passages[row].text))[:_PRODUCTS]
    ]


def write_index(passages: Sequence[Passage], folder: Path) -> None:
    """Write what `PassageIndex` searches by words; vectors are added by `knowledge.vectors`."""
    LexicalIndex.build((f"{p.title}\n{p.subject}\n{p.text}" for p in passages), folder)
    database = sqlite3.connect(folder / "passages.sqlite")
    with database:
        columns = ", ".join(f"{c} TEXT NOT NULL" for c in _COLUMNS)
        database.execute(f"CREATE TABLE passage (row INTEGER PRIMARY KEY, {columns})")
        database.execute("CREATE INDEX passage_subject ON passage (subject)")
        marks = ",".join("?" * (len(_COLUMNS) + 1))
        database.executemany(
            f"INSERT INTO passage VALUES ({marks})",  # noqa: S608
            ((row, *astuple(passage)) for row, passage in enumerate(passages)),
        )
        database.execute("CREATE UNIQUE INDEX passage_id ON passage (id)")
        database.execute("CREATE TABLE drug_name (name TEXT NOT NULL, row INTEGER NOT NULL)")
        database.executemany("INSERT INTO drug_name VALUES (?, ?)", _drug_names(passages))
        database.execute("CREATE INDEX drug_name_name ON drug_name (name)")
    database.close()
