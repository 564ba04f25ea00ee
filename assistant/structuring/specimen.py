"""What a test was made of: a count of urine is no blood count."""

from __future__ import annotations

import re

_SPECIMENS: dict[str, str] = {
    "尿": r"尿(?:常规|液|检|沉渣|生化)(?:检查|分析)?|小便常规|尿(?=:)",
    "大便": r"(?:大便|粪便?)(?:常规|检查)?",
    "脑脊液": "脑脊液",
    "胸水": "胸水|胸腔积液",
    "腹水": "腹水|腹腔积液",
    "关节液": "关节(?:腔积)?液",
    "": r"血常规|血细胞分析|(?:血液?)?生化|[肝肾]功能?|血清|全血|静脉血|血脂|电解质|凝血",
}
_WORD = re.compile(
    "|".join(f"(?P<s{number}>{words})" for number, words in enumerate(_SPECIMENS.values()))
)
_NAMES = tuple(_SPECIMENS)
_END = re.compile(r"[。;\n]")
_REACH = 120


def specimen_at(folded: str, position: int) -> str:
    """The specimen that the sentence of folded text names last before ``position``; "" for blood,
    and where it names none."""
    start = max(0, position - _REACH)
    for end in _END.finditer(folded, start, position):
        start = end.end()
    found = ""
    for word in _WORD.finditer(folded, start, position):
        found = _NAMES[int((word.lastgroup or "s0")[1:])]
    return found
