"""What stands before a number, or behind it, and limits it: ≥, 不足, 至少, 以上."""

from __future__ import annotations

import re

from knowledge.text.amount import Comparator

_SIGN = re.compile(r"(?P<sign>[<>‹›≦≧≤≥]=?|[\u4e00-\u9fff]{2,4})[ \t]*\Z")
_WORDS: dict[Comparator, str] = {
    "<": "< ‹ 小于 低于 少于 不足 不到 未达",
    ">": "> › 大于 高于 超过 多于",
    "<=": "<= ≤ ≦ 不超过 不高于 不大于 不多于 至多 最多 小于等于",
    ">=": ">= ≥ ≧ 不低于 不少于 不小于 至少 大于等于",
}
_SIGNS = {word: sign for sign, words in _WORDS.items() for word in words.split()}
_SIGN_AFTER = re.compile(r"[ \t]?(?:及|或)?(?P<word>以上|以下|以内|之内)")
_SIGNS_AFTER: dict[str, Comparator] = {"以上": ">=", "以下": "<=", "以内": "<=", "之内": "<="}


def sign_before(folded: str, at: int) -> tuple[Comparator, int]:
    """The comparator right before ``at``, and where it begins; "" and ``at`` without one."""
    found = _SIGN.search(folded, max(0, at - 8), at)
    if found is None:
        return "", at
    word = found["sign"]
    for length in range(len(word), 0, -1):
        if (known := _SIGNS.get(word[-length:])) is not None:
            begin = found.start("sign") + len(word) - length
            # -> and => are arrows.
            return ("", at) if folded[begin - 1 : begin] in ("-", "=") else (known, begin)
    return "", at


def sign_after(folded: str, at: int) -> tuple[Comparator, int]:
    """The comparator that begins at ``at`` (以上), and where it ends; "" and ``at`` without one."""
    found = _SIGN_AFTER.match(folded, at)
    return (_SIGNS_AFTER[found["word"]], found.end()) if found else ("", at)
