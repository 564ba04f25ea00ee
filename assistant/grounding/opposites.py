"""Words that say the contrary of one another: 愈合良好 and 愈合不良, 上叶 and 下叶.

``data/opposites.tsv`` has one pair or group a row, with an example of each side.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby, permutations

from assistant.grounding.tables import rows

_NOT = re.compile(
    r"(?:[不未]|没(?!有))(?:再|能|曾|完全|明显|显著|得到|太|很|甚|够|可|会|予|[其仍])*"
    r"(?P<what>[\u4e00-\u9fff]{2})"
)
"""A predicate that is denied; what a list denies is read elsewhere (`denials`)."""

_NOT_LAST = re.compile(r"[不未](?P<what>(?!大)[\u4e00-\u9fff])(?![\u4e00-\u9fff])")
"""One of a single character that ends its clause: 大便未解, 心律不齐."""

_LISTING = re.compile(r"[见闻触扪叩探引查诉及伴除]|发[现热烧]|排除|明[显确]")
_DENYING = re.compile(
    r"(?:[不未无非待]|没有?)(?:再|能|曾|完全|明显|显著|得到|太|很|可|会|见|予以?|行|给予?|使用|用)*\Z"
)


def opposite_rows() -> list[list[str]]:
    """The rows of the table: pair with two patterns or group with one, and two examples."""
    return rows("opposites.tsv")


_GOES_ON = re.compile(
    r"[，,；;][ ]?(?:[随此之而]?后|继而|(?:术后|禁食|治疗|用药)?第?[ ]?"
    r"[\d一二两三四五六七八九十]+(?:天|日|周|个?月|小时|h|d)后?)"
    r"(?P<what>[^，,。；;\n]{2,12})"
)
_WORDS = re.compile(r"(?!持续|逐渐|逐日|明显|[渐已予]|显著|[至到为])[\u4e00-\u9fffA-Za-z]{2}")

_Pairs = list[tuple[re.Pattern[str], re.Pattern[str]]]


@cache
def _opposed() -> _Pairs:
    return [both for row in opposite_rows() for both in _contraries(row)]


@cache
def _changes() -> _Pairs:
    return [both for row in opposite_rows() if row[0] == "change" for both in _contraries(row)]


@cache
def _wordings() -> list[re.Pattern[str]]:
    """Every side of a row once, in the order of the table."""
    return [first for first, _ in groupby(first for first, _ in _opposed())]


def _contraries(row: list[str]) -> _Pairs:
    kind, *cells = row
    sides = cells[0].split("|") if kind == "group" else cells[:2]
    return [(re.compile(one), re.compile(two)) for one, two in permutations(sides, 2)]


class Contraries:
    """What is contrary to a text, whose own words are looked for once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._opposed = _sides_of(text, _opposed())
        self._changes = _sides_of(text, _changes())

    def opposed(self, other: str) -> bool:
        """True when the text says 上升 where the other says 下降, and the like."""
        return (
            _turns(self._text, other) or _turns(other, self._text) or _is_said(other, self._opposed)
        )

    def told_after(self, behind: str) -> bool:
        """True when the sentence goes on, with no other thing named, to what the text says:
        升至480U/L，后持续下降; 留置双J管1根，术后2周拔管."""
        goes_on = _GOES_ON.match(behind)
        if goes_on is None:
            return False
        own = [one for one, _ in self._opposed if one.search(goes_on["what"])]
        rest = goes_on["what"]
        for one in own:
            rest = one.sub("", rest)
        return bool(own) and not _WORDS.search(rest) and not self.opposed(goes_on["what"])

    def changed_otherwise(self, sentence: str) -> bool:
        """True when the text says that something grew where the sentence only says that it
        shrank."""
        return _is_said(sentence, self._changes)


def _sides_of(text: str, pairs: _Pairs) -> _Pairs:
    """The pairs of which ``text`` has the first and not the second."""
    return [(one, two) for one, two in pairs if one.search(text) and not two.search(text)]


def _is_said(other: str, pairs: _Pairs) -> bool:
    """Whether ``other`` has the second of one of ``pairs`` and not the first."""
    return any(second.search(other) and not first.search(other) for first, second in pairs)


@cache
def _groups() -> list[tuple[str, ...]]:
    return [tuple(row[1].split("|")) for row in opposite_rows() if row[0] == "group"]


def members(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The members of groups that ``text`` has, each with the others of its group."""
    return [
        (one, tuple(other for other in group if other != one))
        for group in _groups()
        for one in group
        if re.search(one, text)
    ]


def without_opposites(text: str) -> str:
    """What a text is about: without the words that have a contrary."""
    for pattern in _wordings():
        text = pattern.sub(" ", text)
    return text


def denied_words(text: str) -> list[str]:
    """The predicates that ``text`` denies; what lists deny is read elsewhere (`denials`)."""
    found = [hit["what"] for pattern in (_NOT, _NOT_LAST) for hit in pattern.finditer(text)]
    return [what for what in found if not _LISTING.match(what)]


def _turns(text: str, other: str) -> bool:
    """Whether ``text`` denies a predicate that ``other`` has: 瞳孔不等大, 瞳孔等大."""
    return any(affirms(other, word) and not affirms(text, word) for word in denied_words(text))


def affirms(text: str, word: str) -> bool:
    """Whether ``text`` has the word without a denial before it."""
    places = [hit.start() for hit in re.finditer(re.escape(word), text)]
    return any(not _DENYING.search(text, max(0, at - 8), at) for at in places)
