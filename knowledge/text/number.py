"""Numbers as they are written: 12,500, 1.2万, 3.2×10⁹, 一百二十, 十余, 二〇二四.

One number at one place of folded text; what stands beside it (unit, range, comparator) is read by
`knowledge.text.quantity`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from knowledge.text.folding import SUPERSCRIPTS

LONGEST = 12
"""Digits of the longest number; what has more is an identifier."""

_DIGITS = re.compile(r"\d+")
_FRACTION = re.compile(r"\.\d{1,8}(?!\d)")
_GROUPS = re.compile(r"(?:(?P<mark>[,，' ])\d{3}(?!\d)){1,4}")
# 血压分别为 1,200、1,300 is rare; 分别为120,130,140 is not.
_LISTED = re.compile(r"(?:分别|依次|各|编号|组)[^,。;\n]{0,6}\Z")
_PAIRED = re.compile(r"/\d")
_ANOTHER = re.compile(r"\s?[,，、]\s?\d")
_SCALE = re.compile(r"\s?(?P<word>[千百万亿]|十万|百万|千万|百亿)(?![古艾托克米卡瓦帕分])")
POWERS = {
    "百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "百亿": 10,
}  # fmt: skip
"""What stands behind a number, and how many places it moves it."""
_POWER = re.compile(
    r"(?:\s?[x×*·]\s?|\s(?=10[\^⁰¹²³⁴-⁹]))10"
    rf"(?:(?:\s?\^\s?|\*\*|e)(?P<sign>[-+]?)(?P<plain>\d{{1,2}})(?!\d)"
    rf"|(?P<raised>[{SUPERSCRIPTS}]{{1,2}}|-[{SUPERSCRIPTS}]{{1,2}})"
    r"|\s?(?P<flat>\d{1,2})(?=\s?(?:/|iu|u/|cfu|copies|拷贝|个/)))"
)
_CHINESE = re.compile(
    r"[零〇一二两三四五六七八九十百千万亿]{1,24}(?:点[零〇一二三四五六七八九]{1,4})?"
)
_VALUES = {character: value for value, character in enumerate("零一二三四五六七八九")}
_VALUES |= {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_GREAT = {"万": 10**4, "亿": 10**8}
_SOME = re.compile(r"[余多来几]|\+")
_ROMAN_GRADE = re.compile(
    r"(?:[Ⅱ-Ⅻⅱ-ⅻ]|(?<![a-z0-9])(?:viii|vii|vi|iv|ix|iii|ii|i|v|x))(?=[abc]?\d?[级期度型]|/\d)"
)
_ROMANS = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
    "vi": 6,
    "vii": 7,
    "viii": 8,
    "ix": 9,
    "x": 10,
}
_ROMANS |= {chr(0x2170 + n): n + 1 for n in range(12)} | {chr(0x2160 + n): n + 1 for n in range(12)}


@dataclass(frozen=True, slots=True)
class Number:
    """A number at ``[start, end)``: ``written`` × 10 to the ``power``.

    ``scale`` is how the power is written ("万", "10^9", "").  ``high`` is set where one word tells
    a range (三四天).  ``more`` is 余, 多 or + behind it: 10余 is another number than 10.
    ``ambiguous`` where the text can be read otherwise, too (12，500: 12 and 500).
    """

    start: int
    end: int
    written: Decimal
    power: int = 0
    scale: str = ""
    high: Decimal | None = None
    more: bool = False
    ambiguous: bool = False

    @property
    def value(self) -> Decimal:
        """The number itself, exactly."""
        return self.written.scaleb(self.power)


def plain(value: Decimal) -> str:
    """A number without needless zeros and never in powers of ten: 13.20 → 13.2, 1E+3 → 1000."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_number(folded: str, at: int) -> Number | None:
    """The number that begins at ``at`` of folded text; None where none begins there.

    Numbers in Chinese words are read wherever they stand: 一 of 一般 is for the caller to see.
    """
    character = folded[at : at + 1]
    if character.isascii() and character.isdigit():
        return _in_digits(folded, at)
    if character in _VALUES or character in _PLACES or character in _GREAT:
        return _in_words(folded, at)
    return _in_roman(folded, at)


def _in_digits(folded: str, at: int) -> Number | None:
    whole = _DIGITS.match(folded, at)
    if whole is None or whole.end() - at > LONGEST:
        return None
    end, digits, ambiguous = whole.end(), whole[0], False
    if grouped := _grouped(folded, at, end):
        end, ambiguous = grouped
        digits = "".join(_DIGITS.findall(folded, at, end))
    if fraction := _FRACTION.match(folded, end):
        end, digits = fraction.end(), digits + fraction[0]
    number = Number(at, end, Decimal(digits), ambiguous=ambiguous)
    return _some(folded, _scaled(folded, _some(folded, number)))


def _grouped(folded: str, at: int, end: int) -> tuple[int, bool] | None:
    """Where groups of thousands end, and whether they may be two numbers; None without any."""
    if end - at > 3 or folded[at] == "0":
        return None
    groups = _GROUPS.match(folded, end)
    if groups is None or _PAIRED.match(folded, groups.end()):
        return None
    marks = {folded[place] for place in range(end, groups.end(), 4)}
    if len(marks) > 1 or _LISTED.search(folded, max(0, at - 14), at):
        return None
    # Between figures a full-width comma mostly parts two numbers, unless what follows is round.
    round_off = folded[groups.end() - 2 : groups.end()] == "00"
    listed = (at and folded[at - 1] in "、/,，") or _ANOTHER.match(folded, groups.end())
    mark = marks.pop()
    if mark == " ":
        # Cells of a table stand so, too.
        return (groups.end(), True) if round_off else None
    several = groups.end() - end > 4 and end - at == 3
    if listed or several:
        return None
    return groups.end(), mark == "，" and not round_off


def _scaled(folded: str, number: Number) -> Number:
    """The number with 万 or ×10^9 behind it."""
    if word := _SCALE.match(folded, number.end):
        return _with(number, word.end(), POWERS[word["word"]], word["word"])
    power = _POWER.match(folded, number.end)
    if power is None:
        return number
    if power["raised"]:
        digits = "".join(str(SUPERSCRIPTS.index(c)) for c in power["raised"].strip("-"))
        exponent = -int(digits) if "-" in power["raised"] else int(digits)
    else:
        exponent = int((power["sign"] or "") + (power["plain"] or power["flat"]))
    return _with(number, power.end(), exponent, f"10^{exponent}")


def _with(number: Number, end: int, power: int, scale: str) -> Number:
    return Number(
        number.start, end, number.written, power, scale, number.high, number.more, number.ambiguous
    )


def _some(folded: str, number: Number) -> Number:
    """The number with the 余 or 多 behind it."""
    found = _SOME.match(folded, number.end)
    if found is None or number.more or (found[0] == "+" and not _ends_more(folded, found.end())):
        return number
    return Number(
        number.start, found.end(), number.written, number.power, number.scale, number.high, True,
        number.ambiguous,
    )  # fmt: skip


_RESULT_ENDS = re.compile(r"\)|[,;。、\s，]|$")
_MORE_OF = re.compile(r"\s?(?:年|月|天|周|日|小时|h|岁|个|次|余|万|mm|cm|mg|g)")


def _ends_more(folded: str, at: int) -> bool:
    """Whether a + means more (10+年, or 2+ as a result), not a sum."""
    return _MORE_OF.match(folded, at) is not None or _RESULT_ENDS.match(folded, at) is not None


def _in_words(folded: str, at: int) -> Number | None:
    words = _CHINESE.match(folded, at)
    if words is None:
        return None
    whole, _, fraction = words[0].partition("点")
    value, high, end = _whole(whole, at)
    if value is None:
        return None
    if fraction and end == at + len(whole):
        end = words.end()
        value += Decimal("0." + "".join(str(_VALUES[c]) for c in fraction))
    return _some(folded, Number(at, end, value, high=high))


def _whole(words: str, at: int) -> tuple[Decimal | None, Decimal | None, int]:
    """(value, the other end of a range told in one word, where it ends)."""
    if all(character in _VALUES for character in words):
        return _in_figures(words, at)
    total, part, digit, last_place = 0, 0, 0, 10
    for index, character in enumerate(words):
        if character in _VALUES:
            figure = _VALUES[character]
            if digit and figure == digit + 1 and index == len(words) - 1:
                low = total + part
                return Decimal(low + digit), Decimal(low + figure), at + len(words)
            place = _PLACES.get(words[index + 1 : index + 2], 0)
            if digit and figure == digit + 1 and place and index + 2 == len(words):
                # 二三十 is from twenty to thirty.
                return Decimal(digit * place), Decimal(figure * place), at + len(words)
            if digit:
                return Decimal(total + part + digit), None, at + index
            digit = figure
        elif character in _PLACES:
            part += (digit or 1) * _PLACES[character]
            last_place, digit = _PLACES[character], 0
        else:
            total += (part + digit or 1) * _GREAT[character]
            last_place, part, digit = _GREAT[character], 0, 0
    # 一百二 is 120, 一万五 is 15,000, 一百零二 is 102.
    if digit and words[-2:-1] in ("百", "千", "万", "亿"):
        digit *= last_place // 10
    return Decimal(total + part + digit), None, at + len(words)


def _in_figures(words: str, at: int) -> tuple[Decimal | None, Decimal | None, int]:
    """二〇二四 figure by figure; 三四 is from three to four."""
    values = [_VALUES[character] for character in words]
    if (
        len(values) == 2
        and 0 < values[0] < values[1]
        and (values[1] - values[0] == 1 or words == "三五")
    ):
        return Decimal(values[0]), Decimal(values[1]), at + 2
    return Decimal("".join(map(str, values))), None, at + len(words)


def _in_roman(folded: str, at: int) -> Number | None:
    found = _ROMAN_GRADE.match(folded, at)
    return Number(at, found.end(), Decimal(_ROMANS[found[0]])) if found else None
