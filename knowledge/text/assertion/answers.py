"""What forms, tables and dialogues answer of the terms in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass
class Answers:
    """``present`` holds what is answered of each term by its number, ``open`` are the terms whose
    field nobody has filled in (有（）无（）); ``taken`` is not 0 at the characters of answers: they
    mean nothing else."""

    taken: bytearray
    present: dict[int, bool] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)

    def give(self, number: int, words: re.Match[str], *, present: bool) -> None:
        """Take ``words`` as the answer about a term, unless there is one."""
        self.present.setdefault(number, present)
        self.take(words)

    def take(self, words: re.Match[str]) -> None:
        """Nothing but a field's answer is in these words."""
        start, end = words.span()
        self.taken[start:end] = b"\1" * (end - start)
