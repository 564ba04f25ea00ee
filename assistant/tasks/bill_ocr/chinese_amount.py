"""Amounts in capital figures (大写): 壹仟贰佰叁拾肆元伍角陆分 ↔ 1234.56.

The forms are those of the Ministry of Finance's 会计基础工作规范, article 52.
"""

from __future__ import annotations

import re
from decimal import Decimal

FIGURES = "零壹贰叁肆伍陆柒捌玖"
_VALUES = {figure: value for value, figure in enumerate(FIGURES)}
# Simple forms, and what the capital ones are often taken for.
_VALUES |= {
    "〇": 0,
    "一": 1,
    "二": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_VALUES |= {"貳": 2, "贰": 2, "弐": 2, "叄": 3, "参": 3, "陸": 6, "两": 2, "○": 0, "O": 0}
_PLACES = {"拾": 10, "十": 10, "佰": 100, "百": 100, "仟": 1000, "千": 1000}
_GREAT = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_YUAN = "元圆圓"
_WORDS = re.compile(
    r"[零〇○O壹贰貳叁叄参肆伍陆陸柒捌玖一二三四五六七八九两拾十佰百仟千万萬亿億]+[元圆圓]"
    r"[零〇○壹贰貳叁叄参肆伍陆陸柒捌玖一二三四五六七八九两角分整正]*"
    r"|[零〇壹贰貳叁叄参肆伍陆陸柒捌玖]角[零〇壹贰貳叁叄参肆伍陆陸柒捌玖分整正]*"
    r"|[壹贰貳叁叄参肆伍陆陸柒捌玖]分"
)


_LOOKALIKES = str.maketrans({
    "抬": "拾", "捨": "拾", "伯": "佰", "陌": "佰", "什": "仟", "任": "伍", "肄": "肆", "柴": "柒",
    "染": "柒", "拐": "捌", "玫": "玖", "陡": "陆", "壶": "壹", "參": "叁", "公": "分", "甬": "角",
    "兀": "元",
})  # fmt: skip


def capital_figures(text: str) -> str:
    """``text`` of an amount in words, with what is taken for capital figures put right."""
    return text.translate(_LOOKALIKES)


def find_words(text: str) -> re.Match[str] | None:
    """Where an amount in words stands."""
    return _WORDS.search(text)


def read_words(text: str) -> Decimal | None:
    """The amount that ``text`` says, in yuan; None where it is none.

    Forms with a figure for every place (零仟叁佰伍拾零元) are read, too.
    """
    found = _WORDS.fullmatch(text)
    if found is None:
        return None
    whole, yuan, rest = _split(text)
    value: Decimal | None = _whole(whole) if yuan else Decimal(0)
    part = _part(rest)
    return None if value is None or part is None else value + part


def _split(text: str) -> tuple[str, bool, str]:
    for index, character in enumerate(text):
        if character in _YUAN:
            return text[:index], True, text[index + 1 :]
    return "", False, text


def _whole(words: str) -> Decimal | None:
    total = section = digit = 0
    last = 10**5
    had_digit = False
    for character in words:
        if character in _VALUES:
            if had_digit and digit:
                return None  # two figures side by side: a place between them was not read
            digit, had_digit = _VALUES[character], True
        elif character in _PLACES:
            place = _PLACES[character]
            if place >= last:
                return None
            # 拾元 is ten.
            section += (digit if had_digit else 1) * place
            last, digit, had_digit = place, 0, False
        else:
            great = _GREAT[character]
            total = (
                (total + section + digit) * great
                if great == 10**8
                else (total + (section + digit) * great)
            )
            section, digit, last, had_digit = 0, 0, 10**5, False
    return Decimal(total + section + digit)


def _part(words: str) -> Decimal | None:
    found = re.fullmatch(
        r"零?(?:(?P<j>.)角)?零?(?:(?P<f>.)分)?[整正]?", words.replace("〇", "零").replace("○", "零")
    )
    if found is None:
        return None
    jiao, fen = (_VALUES.get(found[name] or "零") for name in "jf")
    if jiao is None or fen is None:
        return None
    return Decimal(jiao) / 10 + Decimal(fen) / 100


def in_words(amount: str | Decimal) -> str:
    """``amount`` (below 10^12 yuan, not negative) in capital figures."""
    cents = int(Decimal(amount) * 100)
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    words = (_yuan(yuan) + "元") if yuan else ""
    if not jiao and not fen:
        return (words or "零元") + "整"
    if jiao:
        words += FIGURES[jiao] + "角"
    elif words:
        words += "零"
    return words + (FIGURES[fen] + "分" if fen else "整")


def _yuan(value: int) -> str:
    words, zero = "", False
    for great, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        section, value = divmod(value, great)
        if not section:
            zero = zero or bool(words)
            continue
        if words and (zero or section < 1000):
            words += "零"
        words, zero = words + _section(section) + name, False
    return words


def _section(value: int) -> str:
    words, zero = "", False
    for place, name in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        figure, value = divmod(value, place)
        if figure:
            words += ("零" if zero and words else "") + FIGURES[figure] + name
            zero = False
        else:
            zero = bool(words)
    return words
