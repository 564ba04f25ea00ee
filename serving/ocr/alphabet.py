"""Which characters a page is likely to hold, and readings that no page means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Of two that look alike (奥, 奧) the simplified one is meant, unless the picture clearly says
# otherwise: names hold rare characters.
_RARE = -3.0
_ALSO_COMMON = frozenset("ⅠⅡⅢⅣⅤⅥμµ²³¥￥℃®™×±≤≥①②③↑↓")
FIGURES = "0123456789.,-"
MEASURES = "盒支瓶片粒袋套个次根卷包张剂日项副把块枚条只贴管板台人组例罐桶件对双份位时"
"""What goods and services are counted by, of one character."""
_STROKE = re.compile(r"(?<=[0-9/\s][mdnuμµ])[1|I](?![0-9])")
_MOLE = re.compile(r"(?<=mo)[1|Ii](?=/|$)")
_RULED = re.compile(r"[¥￥]?[0-9][0-9.,]*[\]|｜丨]")
_HALF_OPENED = re.compile(r"（([^（）()]*)\)")
_HALF_CLOSED = re.compile(r"\(([^（）()]*)）")


def prior(characters: Sequence[str]) -> NDArray[np.float32]:
    """The logarithm of how much likelier each character is on a page in simplified Chinese."""
    return np.array([0.0 if _common(one) else _RARE for one in characters], np.float32)


def mended(text: str) -> str:
    """``text`` without readings that cannot be meant.

    "5m1" is 5 ml, "mmo1/L" is mmol/L, a bracket closes as it opens.

    As long as ``text``, character for character.
    """
    text = _MOLE.sub("l", _STROKE.sub("l", text))
    return _HALF_CLOSED.sub(r"（\1）", _HALF_OPENED.sub(r"（\1）", text))


def without_rule(text: str) -> str:
    """``text`` without the rule of a table, read as the last character of a figure: 96.00]."""
    return text[:-1] if _RULED.fullmatch(text) else text


def folded(text: str) -> str:
    """``text`` for comparison: without spaces, wide forms as the usual ones."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _common(character: str) -> bool:
    if not character or character in _ALSO_COMMON or character.isascii():
        return True
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    # GB 2312 also holds Greek, Cyrillic and kana, of which letters look like Latin ones.
    return not "Ͱ" <= character <= "ӿ" or character in "αβγδμωΩ"
