"""What the lines of a task have alike (its instruction, its labels), told from what each says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

_RUN = 20
_TEXTS = 3
_ROWS = 20
_PIECE = 10


class TaskForm:
    """Runs of 20 characters that 3 texts of an evaluation set and 20 rows to learn from have.

    Both are asked for, as content that is asked of in several ways stands in several texts of a
    set, too, but hardly in so many rows.
    """

    def __init__(self, texts: Collection[str], rows: Collection[str]) -> None:
        often = _often(texts, _TEXTS)
        self._runs = _often(rows, _ROWS) & often

    def pieces(self, text: str) -> Iterator[str]:
        """What is left of ``text`` between the form, spaces left out; no piece under 10."""
        bare = _bare(text)
        end = 0
        for place in range(max(0, len(bare) - _RUN + 1)):
            if bare[place : place + _RUN] in self._runs:
                if place - end >= _PIECE:
                    yield bare[end:place]
                end = max(end, place + _RUN)
        if len(bare) - end >= _PIECE:
            yield bare[end:]


def _often(texts: Collection[str], least: int) -> set[str]:
    counts = Counter(run for text in texts for run in set(_runs(_bare(text))))
    return {run for run, count in counts.items() if count >= least}


def _runs(bare: str) -> Iterator[str]:
    for start in range(len(bare) - _RUN + 1):
        yield bare[start : start + _RUN]


def _bare(text: str) -> str:
    return "".join(text.split())
