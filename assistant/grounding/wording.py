"""What words a text shares with another: folding to half width, bigrams of content characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from assistant.grounding.tables import rows, words

_WIDE = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B)} | {
    ord("％"): ord("%"),
    ord("／"): ord("/"),
    ord("．"): ord("."),
    ord("－"): ord("-"),
    ord("～"): ord("~"),
    ord("—"): ord("-"),
    ord("–"): ord("-"),
    ord("μ"): ord("u"),
    ord("µ"): ord("u"),
    ord("×"): ord("*"),
    ord("\u00a0"): ord(" "),
}


def fold(text: str) -> str:
    """The same text in half width; the length never changes."""
    return text.translate(_WIDE)


CONTENT = re.compile(r"[\u4e00-\u9fffA-Za-z]")

_NO_CONTENT = re.compile(
    r"(?:[^\u4e00-\u9fffA-Za-z]|[的了在于是为有与及和并等之给予患者目前本次])+"
)
_FILLER = re.compile(
    r"病人|大约|出院前|入院前|次日|当日|今日|昨日|峰值|最高|最低|考虑|可能|疑似|出院时|入院时|入院后|出院后|住院期间|经治疗|之后|随后|此后|降至|升至|达到|尚未|未出|发生|发现|出现|结果|进行|治疗后"
)
_ABBREVIATIONS = [
    (re.compile(r"(?<![a-z])spo[2₂]?|指脉氧(?:饱和度)?|血氧饱和度|氧饱和度"), "血氧"),
    (re.compile(r"(?<![a-z])bp(?![a-z])"), "血压"),
    (re.compile(r"(?<![a-z])t(?=\s*[::]?\s*3\d)"), "体温"),
    (re.compile(r"(?<![a-z])p(?=\s*[::]?\s*\d)|(?<![a-z])hr(?![a-z])"), "脉搏"),
    (re.compile(r"(?<![a-z])r(?=\s*[::]?\s*\d)"), "呼吸"),
    (re.compile(r"(?<![a-z])wbc(?![a-z])"), "白细胞"),
    (re.compile(r"(?<![a-z])(?:hb|hgb)(?![a-z])"), "血红蛋白"),
    (re.compile(r"(?<![a-z])plt(?![a-z])"), "血小板"),
    (re.compile(r"(?<![a-z])crp(?![a-z])"), "c反应蛋白"),
    (re.compile(r"(?<![a-z])pct(?![a-z])"), "降钙素原"),
    (re.compile(r"(?<![a-z])(?:qd|bid|tid|qid)(?![a-z])"), "每日"),
    (re.compile(r"(?<![a-z])q\d{1,2}h(?![a-z])"), "每 小时"),
    (re.compile(r"静滴"), "静脉滴注"),
    (re.compile(r"毫米汞柱"), "mmhg"),
    (re.compile(r"毫升"), "ml"),
    (re.compile(r"发烧"), "发热"),
    (re.compile(r"浮肿"), "水肿"),
    (re.compile(r"双瞳(?!孔)"), "双侧瞳孔"),
]
"""Abbreviations and plain words of the ward, written out so that either supports the other."""


def same_word_rows() -> list[list[str]]:
    """The rows of the table: pattern, what it counts as, an example, what that becomes."""
    return rows("same_words.tsv")


@cache
def _written_out() -> list[tuple[re.Pattern[str], str]]:
    return [*_ABBREVIATIONS, *((re.compile(row[0]), row[1]) for row in same_word_rows())]


@cache
def _any_other() -> re.Pattern[str]:
    """Any of them at once: most texts have none, and to see that is most of the time."""
    return re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in _written_out()))


def runs(text: str) -> list[str]:
    """The stretches of content characters of ``text``, without function words, digits, marks."""
    folded = fold(text).lower()
    if _any_other().search(folded):
        for pattern, written_out in _written_out():
            folded = pattern.sub(written_out, folded)
    return [word for word in _NO_CONTENT.split(_FILLER.sub(" ", folded)) if word]


def bigrams(text: str) -> set[str]:
    """Pairs of neighbouring content characters of one stretch (`runs`)."""
    return pairs_of(runs(text))


def pairs_of(words: Iterable[str]) -> set[str]:
    """Pairs of neighbouring characters of each of ``words``."""
    return {word[i : i + 2] for word in words for i in range(len(word) - 1)}


@cache
def _ordinary() -> tuple[re.Pattern[str], frozenset[str]]:
    """The ordinary words of two characters or more, and those of one."""
    listed = set(words("ordinary_words.txt"))
    longer = sorted((w for w in listed if len(w) > 1), key=lambda w: (-len(w), w))
    return re.compile("|".join(longer)), frozenset(w for w in listed if len(w) == 1)


def telling(text: str) -> list[str]:
    """The stretches of ``text`` without ordinary words: what has to stand in a record."""
    return runs(_ordinary()[0].sub(" ", text))


def is_ordinary(character: str) -> bool:
    """Whether a character that stands alone says nothing clinical."""
    return character in _ordinary()[1]


_DENYING = re.compile(
    r"否认(?:有|存在)?|未(?:见|闻及?|及|触及|扪及|诉|发现|查见|出现|引出)(?:明显|有)?|没有(?:明显)?|不伴有?|无(?:明显|任何)?(?!力|尿|菌|创|痛性)"
)


def unfilled(text: str) -> str:
    """The text without words that say nothing of what is told."""
    return _FILLER.sub(" ", text)


def undenied(text: str) -> str:
    """The text without the words that deny; 无皮疹 is told by 无发热、皮疹."""
    return _DENYING.sub(" ", text)


def blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with blanks where the spans are; the length stays."""
    kept = list(text)
    for start, end in spans:
        for place in range(max(0, start), min(len(kept), end)):
            kept[place] = " "
    return "".join(kept)
