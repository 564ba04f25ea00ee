"""Hybrid retrieval: FAISS over embeddings and BM25 over bigrams, fused by reciprocal rank.

``score(p) = Σ 1 / (60 + rank)`` over the lists that hold *p* (Cormack, Clarke & Büttcher, SIGIR
2009).  Passages whose subject the query names lead the lexical list and are a third list of their
own, so that a question about 肺炎 is answered from 肺炎; medicines that it does not name count
less.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from knowledge.layout import DENSE, DENSE_ROWS
from knowledge.retrieval.lexical import LexicalIndex
from knowledge.sources.fact import Passage
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
_COLUMNS = tuple(f.name for f in fields(Passage))


@dataclass(frozen=True)
class Hit:
    """A passage found, with its fused score and its rank (from 1) in each list that has it."""

    passage: Passage
    score: float
    dense_rank: int | None
    lexical_rank: int | None


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
        named = {row: n for n, row in enumerate(self._named(query), 1)}
        lexical = {row: n for n, row in enumerate(self._search_words(query, named, depth), 1)}
        dense = {row: n for n, row in enumerate(self._search_dense(query, depth), 1)}
        lists = (named, lexical, dense)
        scores = {
            row: sum(1 / (RANK_CONSTANT + ranks[row]) for ranks in lists if row in ranks)
            for row in lexical.keys() | dense.keys()
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

    def _search_dense(self, query: str, depth: int) -> list[int]:
        return [] if self._dense is None else self._dense.search(query, depth)

    def _named(self, query: str) -> list[int]:
        """Rows of the passages whose subject the query names, the longest names first."""
        text = query[:_NAMED_CHARACTERS]
        folded = fold(text)
        # Subject → the wordings that may mean it.
        pieces: dict[str, set[str]] = defaultdict(set)
        for size in range(2, min(_NAME_LENGTH, len(text)) + 1):
            for start in range(len(text) - size + 1):
                piece = text[start : start + size]
                pieces[piece].add(piece)
                if meant := self._names.get(folded[start : start + size]):
                    pieces[meant].add(piece)
        if not pieces:
            return []
        marks = ",".join("?" * len(pieces))
        sql = f"SELECT row, subject FROM passage WHERE subject IN ({marks})"  # noqa: S608
        with self._lock:
            found = self._database.execute(sql, tuple(pieces)).fetchall()
        wordings = {wording for _, subject in found for wording in pieces[subject]}
        whole = {w for w in wordings if not any(w != other and w in other for other in wordings)}
        longest = {
            subject: max((len(w) for w in pieces[subject] & whole), default=0)
            for _, subject in found
        }
        rows = [(row, subject) for row, subject in found if longest[subject]]
        return [row for row, _ in sorted(rows, key=lambda pair: (-longest[pair[1]], pair[0]))]

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
    database.close()
