"""The words before values: which field they name, and where they stand in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rapidfuzz.distance import Levenshtein

from assistant.tasks.bill_ocr.document import DocumentKind

_FOLDED = str.maketrans("（）：；，．％＊／￥", "():;,.%*/¥")
# (大写》 is a bracket that was read as one of another form.
_BRACKETS = str.maketrans("《〈【［〔》〉】］〕", "(((((" + ")))))")
_INNER = frozenset(["sex", "age", "date", "amount", "words", "time"])
_BEHIND_ANOTHER = frozenset(["name", "department", "bed"])
"""Types whose labels also count inside a text that began with a label: 科室骨科医生张建国."""
_NEXT = {
    "sex": re.compile(r"[男女]"),
    "age": re.compile(r"\d{1,3}(?:周?岁|个?月|天|$)"),
    "department": re.compile(r"[\u4e00-\u9fff]{1,8}?(?:科|区|门诊|中心|室)"),
    "bed": re.compile(r"[A-Za-z]?\d"),
    "date": re.compile(r"\d{4}"),
    "time": re.compile(r"\d{4}"),
    "amount": re.compile(r"[¥\-]?\d+[.,]"),
    "words": re.compile(r"[壹贰叁肆伍陆柒捌玖拾零]"),
    "number": re.compile(r"\.?\d{3}"),
    "name": re.compile(r"[\u4e00-\u9fff]{2,4}$"),
}
"""What a value begins with."""
_ILLNESS = re.compile(
    r"[\u4e00-\u9fff].*[炎病症瘤癌伤折染痛热死塞血压石块出疹衰竭生疮][)）期级型]?"
)
"""What a diagnosis looks like that stands right behind its label: 诊断急性支气管炎."""


@dataclass(frozen=True, slots=True)
class Label:
    """A field, the type of its values, and the kinds of document that have it (empty: all)."""

    field: str
    type: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """A label at ``[start, end)``; ``colon`` where one stands behind it (and is inside)."""

    label: Label
    start: int
    end: int
    colon: bool


@cache
def _latin(word: str) -> re.Pattern[str] | None:
    """A word of several Latin letters, in any case and with its spaces lost; None for others."""
    if len(word) < 3 or not word.isascii() or word.isupper():
        return None
    loose = r"\s?".join(re.escape(part) for part in word.split())
    return re.compile(f"(?i:{loose})(?![a-z])")


def covers(text: str, at: int, word: str) -> int:
    """How many characters of ``text`` from ``at`` on are ``word``; 0 where it does not stand."""
    pattern = _latin(word)
    if pattern is None:
        return len(word) if text.startswith(word, at) else 0
    before = text[at - 1 : at]
    if before.isalpha() and before.isascii() and not (before.islower() and text[at].isupper()):
        return 0
    found = pattern.match(text, at)
    return 0 if found is None else found.end() - at


def folded(text: str) -> str:
    """The same characters, each of full width in its half-width form; as long as ``text``."""
    digits = "".join(chr(ord(c) - 0xFEE0) if "０" <= c <= "ｚ" else c for c in text)
    return digits.translate(_FOLDED)


def table_of(name: str) -> list[list[str]]:
    """The rows of one of the tables beside this module."""
    text = (files("assistant.tasks.bill_ocr") / "data" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and line[0] != "#"]


@cache
def _lexicon() -> dict[str, Label]:
    found: dict[str, Label] = {}
    for field, kind, words, *kinds in table_of("labels.tsv"):
        label = Label(field, kind, frozenset(kinds[0].split(",") if kinds and kinds[0] else ()))
        found |= dict.fromkeys(words.split("|"), label)
    return found


@cache
def _by_first() -> dict[str, tuple[str, ...]]:
    """Words by their first character, the longest first."""
    found: dict[str, list[str]] = {}
    for word in sorted(_lexicon(), key=len, reverse=True):
        firsts = {word[0]} if _latin(word) is None else {word[0].lower(), word[0].upper()}
        for first in firsts:
            found.setdefault(first, []).append(word)
    return {first: tuple(words) for first, words in found.items()}


def labels_in(text: str, kind: DocumentKind) -> list[Found]:
    """The labels of ``text`` in their order.

    A word counts where a colon follows it, where the text begins with it, or where what is right
    before it ended a value (a colon's value is never parted by a word inside it).
    """
    plain = folded(text).translate(_BRACKETS)
    found: list[Found] = []
    at = 0
    while at < len(plain):
        one = _at(plain, at, kind, found)
        if one is None:
            at += 1
        else:
            found.append(one)
            at = one.end
    return found


def _at(plain: str, at: int, kind: DocumentKind, before: Sequence[Found]) -> Found | None:
    for word in _by_first().get(plain[at], ()):
        # 检验: is a label with its colon only.
        bare = word.removesuffix(":")
        length = covers(plain, at, bare)
        if not length:
            continue
        label = _lexicon()[word]
        if label.kinds and kind.value not in label.kinds:
            continue
        end = at + length
        # 性 别 is one label, and so is 合计(大写) without its second bracket.
        colon = plain[end : end + 1] in (":", ";") or (
            plain[end : end + 1] in (".", "-") and not plain[end + 1 : end + 2].isdigit()
        )
        right_behind = bool(before) and before[-1].end == at
        inner = len(word) > 1 and (
            label.type in _INNER
            or (label.type in _BEHIND_ANOTHER and _no_colons(before) and end < len(plain))
        )
        if word != bare and not colon:
            continue
        if colon or ((at == 0 or right_behind or inner) and _fits(label, plain[end:])):
            return Found(label, at, end + colon, colon)
    return None


def _no_colons(before: Sequence[Found]) -> bool:
    """Whether labels stood before, all of them without a colon."""
    return bool(before) and not any(found.colon for found in before)


def _fits(label: Label, rest: str) -> bool:
    """Whether ``rest`` may be a value of this label, where no colon says that it is one."""
    if label.field == "diagnosis" and _ILLNESS.fullmatch(rest):
        return True
    return not rest or (label.type in _NEXT and _NEXT[label.type].match(rest) is not None)


def nearly(word: str, kind: DocumentKind, type: str) -> set[str]:
    """The fields of ``type`` of which one label differs from ``word`` by a single edit."""
    return {
        label.field
        for other, label in _lexicon().items()
        if label.type == type
        and (not label.kinds or kind.value in label.kinds)
        and len(other) >= 4
        and Levenshtein.distance(word, other, score_cutoff=1) == 1
    }


def without_gaps(text: str) -> str:
    """For words that are printed wide: 性 别."""
    return text.replace(" ", "").replace("\u3000", "")


def nearest(word: str, words: Sequence[str]) -> str | None:
    """The one of ``words`` that differs from ``word`` in a single character of three or more."""
    for other in words:
        if (
            len(other) == len(word) >= 3
            and sum(a != b for a, b in zip(word, other, strict=True)) == 1
        ):
            return other
    return None
