"""The clause and the sentence at a place of a text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from knowledge.text.document import Document, Range


class Places:
    """The sentences and clauses of one document by their places."""

    def __init__(self, document: Document) -> None:
        self._sentences = document.sentences
        self._clauses = [c for s in document.sentences for c in document.clauses(s)]
        self._clause_starts = [clause.start for clause in self._clauses]
        self._sentence_starts = [sentence.start for sentence in document.sentences]

    def clause(self, position: int) -> Range:
        """The clause that holds ``position``."""
        return self._clauses[max(0, bisect_right(self._clause_starts, position) - 1)]

    def sentence(self, position: int) -> Range:
        """The sentence that holds ``position``."""
        return self._sentences[max(0, bisect_right(self._sentence_starts, position) - 1)]

    def sentences_from(self, position: int) -> Iterator[Range]:
        """The sentence that holds ``position``, then all behind it."""
        first = bisect_right(self._sentence_starts, position) - 1
        for number in range(first, len(self._sentences)):
            yield self._sentences[number]
