"""Whether a record might tell a changed statement elsewhere, so that it is no error after all.

The proof errs on one side: where a sentence holds the new part and some of the words around it, the
change is not taken as an error, even if a reader would see one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from assistant.grounding.segments import Segment
from assistant.grounding.wording import bigrams, fold

ALIKE = 3
"""A sentence with one in so many of the words around the changed part might tell it."""

_NOT_WORDS = re.compile(
    r"[A-Za-z]{1,5}\s?/\s?[A-Za-z]{1,3}|mm[Hh]g|参考|[A-Za-zμ]{1,2}(?=[）)\s]|$)"
)
_CLAUSE = re.compile(r"[^，,。；;：:\n]+")
_CUE = re.compile(r"无(?!力|尿|菌|创|痛性)|未|否认|不(?!适|佳|良|清|齐|规则|稳)|没有|排除|暂不支持")
_DENIED_AFTER = re.compile(r"^[^，,。；;]{0,12}(?:阴性|[（(]\s?[-－][^）)]*[）)])")
DATE = re.compile(
    r"(?P<y>(?:19|20)\d{2})(?P<a>[年\-/.])(?P<m>\d{1,2})(?P<b>[月\-/.])(?P<d>\d{1,2})(?P<c>日?)"
    r"|(?<!\d)(?P<m2>\d{1,2})月(?P<d2>\d{1,2})日"
)


def words(text: str) -> set[str]:
    """The words that say what a number or a side is of; units are none."""
    return bigrams(_NOT_WORDS.sub(" ", text))


def plain(text: str) -> str:
    """In half width and lower case, without white space."""
    return re.sub(r"\s", "", fold(text)).lower()


def number_pattern(number: str, unit: str = "") -> re.Pattern[str]:
    """Finds the number however many zeros it is written with, in a `plain` text."""
    whole, _, fraction = number.partition(".")
    fraction = fraction.rstrip("0")
    tail = rf"\.{fraction}0*" if fraction else r"(?:\.0+)?"
    after = re.escape(plain(unit)) if unit else ""
    return re.compile(rf"(?<![\d.])0*{whole.lstrip('0') or '0'}{tail}(?!\d|\.\d){after}")


def dates(text: str) -> list[tuple[int | None, int, int]]:
    """(year if written, month, day) of every date of a text."""
    return [
        (int(m["y"]), int(m["m"]), int(m["d"])) if m["y"] else (None, int(m["m2"]), int(m["d2"]))
        for m in DATE.finditer(fold(text))
    ]


class RecordSentences:
    """What the sentences of a record tell."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._sentences = [(plain(s.text), words(s.text), s) for s in segments]
        self.whole = "\n".join(text for text, _, _ in self._sentences)

    def holds(self, text: str) -> bool:
        """Whether the words stand anywhere in the record."""
        return plain(text) in self.whole

    def may_tell(self, part: re.Pattern[str], around: str) -> bool:
        """Whether a sentence holds the part and some of the words around it."""
        wanted = words(around)
        return any(
            part.search(text) and _alike(wanted, found) for text, found, _ in self._sentences
        )

    def may_tell_on(self, day: tuple[int | None, int, int], around: str) -> bool:
        """Whether a sentence of this day, dated or written then, holds some of the words."""
        wanted = words(around)
        return any(
            _alike(wanted, found) and (_on(day, dates(s.text)) or _written(day, s.written_on))
            for _, found, s in self._sentences
        )

    def says(self, thing: str, *, denied: bool) -> bool:
        """Whether some clause affirms (or denies) the thing."""
        wanted = plain(thing)
        for text, _, _ in self._sentences:
            for clause in _CLAUSE.finditer(text):
                at = clause[0].find(wanted)
                while at >= 0:
                    cue = _CUE.search(clause[0][:at]) is not None
                    after = _DENIED_AFTER.match(clause[0][at + len(wanted) :]) is not None
                    if (cue or after) == denied:
                        return True
                    at = clause[0].find(wanted, at + 1)
        return False


def _alike(wanted: set[str], found: set[str]) -> bool:
    return not wanted or ALIKE * len(wanted & found) >= len(wanted)


def _on(day: tuple[int | None, int, int], written: Sequence[tuple[int | None, int, int]]) -> bool:
    return any(
        day[1:] == other[1:] and (day[0] == other[0] or None in (day[0], other[0]))
        for other in written
    )


def _written(day: tuple[int | None, int, int], on: date | None) -> bool:
    return on is not None and _on(day, [(on.year, on.month, on.day)])
