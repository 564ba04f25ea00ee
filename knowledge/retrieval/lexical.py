"""Lexical retrieval: Okapi BM25 over character bigrams, as memory-mapped arrays.

Chinese has no spaces; bigrams of characters find terms without a segmenter, and Latin words and
numbers stay whole.  The impact of every (term, passage) pair is computed when the index is built
(k1 = 1.2, b = 0.75; Robertson & Zaragoza 2009), so a search only adds numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.text.folding import fold

K1 = 1.2
B = 0.75
_RUN = re.compile(r"[a-z0-9][a-z0-9.+\-]*|[\u3400-\u9fff\uf900-\ufaff]+")
_FILES = ("lexical_terms.npy", "lexical_starts.npy", "lexical_passages.npy", "lexical_impacts.npy")


def term_codes(text: str) -> Counter[int]:
    """The terms of ``text`` as 64-bit codes with their counts."""
    codes: Counter[int] = Counter()
    for run in _RUN.findall(fold(text)):
        if run[0] < "\u3400":
            digest = hashlib.blake2b(run.encode(), digest_size=8).digest()
            codes[int.from_bytes(digest) | 1 << 63] += 1
        elif len(run) == 1:
            codes[ord(run)] += 1
        else:
            for first, second in pairwise(run):
                codes[ord(first) << 21 | ord(second)] += 1
    return codes


class LexicalIndex:
    """BM25 postings; row numbers are those of the passages in build order."""

    def __init__(self, folder: Path) -> None:
        """Map the files that `build` wrote into ``folder``."""
        self._terms, self._starts, self._passages, self._impacts = (
            np.load(folder / name, mmap_mode="r") for name in _FILES
        )
        self.count = int(np.load(folder / "lexical_count.npy"))

    @staticmethod
    def build(texts: Iterable[str], folder: Path) -> None:
        """Index ``texts`` in order and write the files into ``folder``."""
        terms: list[npt.NDArray[np.uint64]] = []
        rows: list[npt.NDArray[np.int32]] = []
        counts: list[npt.NDArray[np.float32]] = []
        lengths: list[int] = []
        for row, text in enumerate(texts):
            codes = term_codes(text)
            terms.append(np.fromiter(codes.keys(), np.uint64, len(codes)))
            counts.append(np.fromiter(codes.values(), np.float32, len(codes)))
            rows.append(np.full(len(codes), row, np.int32))
            lengths.append(codes.total())
        total = len(lengths)
        all_terms = np.concatenate([np.empty(0, np.uint64), *terms])
        all_rows = np.concatenate([np.empty(0, np.int32), *rows])
        tf = np.concatenate([np.empty(0, np.float32), *counts])
        order = np.lexsort((all_rows, all_terms))
        unique, starts, df = np.unique(all_terms[order], return_index=True, return_counts=True)
        idf = np.log(1 + (total - df + 0.5) / (df + 0.5))
        length = np.array(lengths, np.float32)
        norm = K1 * (1 - B + B * length / max(float(length.mean()) if total else 1.0, 1.0))
        tf, all_rows = tf[order], all_rows[order]
        impacts = np.repeat(idf, df) * tf * (K1 + 1) / (tf + norm[all_rows])
        arrays = (
            unique,
            np.append(starts, len(all_terms)).astype(np.int64),
            all_rows,
            impacts.astype(np.float32),
        )
        for name, array in zip(_FILES, arrays, strict=True):
            np.save(folder / name, array)
        np.save(folder / "lexical_count.npy", np.array(total))

    def search(self, query: str, limit: int) -> list[tuple[int, float]]:
        """The best rows for ``query`` with their BM25 scores, best first; only rows that match."""
        scores = np.zeros(self.count, np.float32)
        for code in term_codes(query):
            place = int(np.searchsorted(self._terms, np.uint64(code)))
            if place < len(self._terms) and int(self._terms[place]) == code:
                part = slice(int(self._starts[place]), int(self._starts[place + 1]))
                scores[self._passages[part]] += self._impacts[part]
        if limit < 1 or not self.count:
            return []
        best = np.argpartition(-scores, min(limit, self.count) - 1)[:limit]
        best = best[np.lexsort((best, -scores[best]))]
        return [(int(row), float(scores[row])) for row in best if scores[row] > 0]
