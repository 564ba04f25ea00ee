"""Signs of what was tested: 梅毒抗体阴性, ER（+），HER2（-）, 粪便隐血：弱阳性."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.text.folding import fold
from knowledge.text.term_table import shipped_test

_NAME = r"[a-z0-9\u4e00-\u9fff/.+-]"
_SIGN = re.compile(
    rf"(?P<name>{_NAME}{{1,24}}?)(?:[ \t]*(?:检查|检测|结果|试验结果)?[ \t]*[:]?[ \t]*)"
    r"(?:均|都|皆|结果|检测|检查|转为|转成|转|呈|示|为|提示|显示){0,3}"
    r"(?:(?P<weak>弱|强)?(?P<word>阳性|阴性|阳(?=[,;。、)\s]|$)|阴(?=[,;。、)\s]|$)|未引出)"
    r"|\([ \t]?(?P<mark>[-+±]{1,4})[ \t]?\)"
    r"|(?<=[\u4e00-\u9fff])(?P<bare>\+{1,4}|-)(?=[,;。、)\s]|$))"
)
_PLAIN = re.compile(
    r"^.*(?:[0-9]+日|查|示|提示|复查|行|为|及|和|与|结果|患者)(?=[a-z0-9\u4e00-\u9fff]{2,})"
)
_LISTED = re.compile(rf"(?P<name>{_NAME}{{2,16}})[ \t]?[、及和与][ \t]?\Z")


@dataclass(frozen=True, slots=True)
class Sign:
    """``positive`` is None for ±; the name is folded, at ``[start, end)`` with its sign.

    ``grade`` counts the plus signs, 0 where the sign is a word.
    """

    name: str
    positive: bool | None
    start: int
    end: int
    grade: int = 0

    def is_of(self, other: Sign) -> bool:
        """Whether both are of the same thing: one name ends, or begins, with the other."""
        one, two = _listed(self.name), _listed(other.name)
        return one.endswith(two) or two.endswith(one) or one.startswith(two) or two.startswith(one)

    def says_the_same(self, other: Sign) -> bool:
        """Whether the sign is the other's: +++ is no +, and either is positive."""
        graded = self.grade and other.grade
        return self.positive is other.positive and not (graded and self.grade != other.grade)


def _listed(name: str) -> str:
    """The name that the list of tests has for it: HBsAg is 乙肝表面抗原."""
    return shipped_test(name) or name


def signs(text: str) -> list[Sign]:
    """The signs of ``text``; what is listed before one has it, too."""
    folded = fold(text)
    found: list[Sign] = []
    for match in _SIGN.finditer(folded):
        mark = match["mark"] or match["bare"]
        positive: bool | None = match["word"].startswith("阳") if match["word"] else "+" in mark
        if mark and "±" in mark:
            positive = None
        name = _PLAIN.sub("", match["name"]).strip(":- ")
        if not name or name in ("未见", "无"):
            continue
        grade = (mark or "").count("+")
        found.append(Sign(name, positive, match.start(), match.end(), grade))
        at = match.start("name")
        while mark is None and (before := _LISTED.search(folded, max(0, at - 18), at)):
            found.append(
                Sign(_PLAIN.sub("", before["name"]), positive, before.start(), match.end())
            )
            at = before.start("name")
    return found
