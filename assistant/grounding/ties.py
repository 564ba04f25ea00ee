"""What ties things together: a cause and what it led to, a word that is bound to one finding.

``data/ties.tsv`` has the effects of causes and the words that bind, each with an example.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from assistant.grounding.tables import rows
from assistant.grounding.wording import bigrams
from knowledge.text.folding import fold

_CAUSE = re.compile(r"(?:(?<![病死基])因(?![子素此为]|而)|由于|鉴于)(?P<rest>[^,;。\n]{2,40})")


@dataclass(frozen=True, slots=True)
class Cause:
    """Words that are said to have led to something; ``effects`` has the classes of what."""

    words: frozenset[str]
    effects: frozenset[str]


def tie_rows() -> list[list[str]]:
    """The rows of the table: kind, name, pattern, example."""
    return rows("ties.tsv")


@cache
def _patterns(kind: str) -> list[tuple[str, re.Pattern[str]]]:
    return [(row[1], re.compile(row[2])) for row in tie_rows() if row[0] == kind]


def causes(text: str) -> list[Cause]:
    """The causes that ``text`` names with a known effect behind them in the same clause."""
    found = []
    for hit in _CAUSE.finditer(fold(text)):
        rest = hit["rest"]
        places = [(m.start(), n) for n, p in _patterns("effect") for m in p.finditer(rest, 2)]
        if not places:
            continue
        words = frozenset(bigrams(rest[: min(at for at, _ in places)]))
        if words:
            found.append(Cause(words, frozenset(name for _, name in places)))
    return found


_FIRST_THEN = re.compile(
    r"先(?:后)?(?:行|予|给予?|做)?(?P<one>[^，,。；;]{2,24})[，,](?:[^。；;\n]{0,16}[，,])?"
    r"[^。；;，,\n]{0,10}?(?:后|再|继而?|然后)(?:再|又)?(?:行|予|给予?|做)?(?P<two>[^，,。；;]{2,24})"
)
_AFTER = re.compile(
    r"(?:^|(?<=[，,。；;]))(?P<one>[^，,。；;]{2,20}?)(?<![以之])后"
    r"(?:第?[\d一二两三四五六七八九十]+[个余]*[周天月日年]|再|又)*"
    r"(?:行|予|给予|做)(?P<two>[^，,。；;]{2,24})"
)


def sequences(text: str) -> list[tuple[frozenset[str], frozenset[str]]]:
    """The words of what came first and of what came then: 先放疗，后行手术; 放疗后行手术."""
    return [
        (frozenset(bigrams(hit["one"])), frozenset(bigrams(hit["two"])))
        for pattern in (_FIRST_THEN, _AFTER)
        for hit in pattern.finditer(text)
    ]


def bound_words(text: str) -> frozenset[str]:
    """The names of the words in ``text`` that are bound to what stands in their clause."""
    folded = fold(text)
    return frozenset(name for name, pattern in _patterns("bound") if pattern.search(folded))
