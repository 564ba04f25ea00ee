"""How a clause means its matter: refused, stopped, planned, only thought of, not done, whose.

``data/stances.tsv`` has one stance a row, each with an example that is its test.
"""

from __future__ import annotations

import re
from functools import cache

from assistant.grounding.tables import rows
from knowledge.text.folding import fold

OF_OTHERS = frozenset({"family"})
NOT_THERE = frozenset({"refused", "planned", "thought", "undone", "family"})
"""What a clause of these means has not happened, or not to the patient."""

REVERSING = frozenset({"refused", "stopped", "undone", "family"})
"""Said of what the record tells plainly, these make it another thing."""

_RELATIVES = (
    "父亲|爸|(?<![祖外])父(?!母)", "母亲|妈|(?<![祖外父])母", "哥|兄", "弟", "姐", "妹",
    "祖父|爷爷", "祖母|奶奶", "外公|外祖父", "外婆|外祖母", "儿子|[之其]子", "女儿|[之其]女",
    "丈夫|[之其]夫", "妻", "叔(?![丁戊胺醇])|伯(?![氨胺醇顿])", "姑", "姨", "舅",
)  # fmt: skip


def relatives(text: str) -> frozenset[str]:
    """The relatives that ``text`` names; 父母 are two."""
    words = text.replace("父母", "父亲母亲").replace("双亲", "父亲母亲")
    return frozenset(row for row in _RELATIVES if re.search(row, words))


_CARRIED = frozenset({"planned", "thought"})
_REACH = 12
_DONE = re.compile(r"\s*(?:现|并|目前)?已")
_KIN = re.compile(r"家族|家人|家属|子女|配偶")
_PATIENT = re.compile(r"患者|患儿|病人|本人|本例|受者|自己|既往|查体|入院")
_ALONE = re.compile(
    r"(?:但|而|后)?(?:患者|患方|患儿|病人|本人|家属|家长|亲属|父母)?(?:及其?(?:家属|家人))?"
    r"(?:均|都|仍|明确|表示|要求|自行|暂时?|坚决|签字){0,3}(?:拒绝|不同意|未同意|放弃|谢绝|婉拒)(?:了|签字|治疗)?"
)


def stance_rows() -> list[list[str]]:
    """The rows of the table: stance, pattern, example, counter-example."""
    return rows("stances.tsv")


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile(pattern)) for name, pattern, *_ in stance_rows()]


def stances(text: str) -> frozenset[str]:
    """The stances that the words of ``text`` have."""
    folded = fold(text)
    return frozenset(name for name, pattern in _patterns() if pattern.search(folded))


_AROUND = re.compile(r"患者|今日|目前|已|曾|于|家属|要求|暂|再次")


def without_stances(text: str) -> str:
    """What a clause is about: without the words that say how it is meant."""
    folded = fold(text)
    for _, pattern in _patterns():
        folded = pattern.sub(" ", folded)
    return _AROUND.sub(" ", folded)


def _carried(sentence: str) -> list[tuple[int, str]]:
    """Where the plans and conditions of a sentence begin."""
    folded = fold(sentence)
    patterns = [(name, pattern) for name, pattern in _patterns() if name in _CARRIED]
    return [(hit.start(), name) for name, pattern in patterns for hit in pattern.finditer(folded)]


def clause_stances(sentence: str, ranges: list[tuple[int, int]]) -> list[frozenset[str]]:
    """The stances of the clauses of a sentence, each with what reaches it from the others.

    A relative stays the one spoken of until the patient is named; a plan and a condition reach the
    next words; a refusal without an object is of all that was said before it.
    """
    own = [stances(sentence[start:end]) for start, end in ranges]
    found = list(own)
    carried = _carried(sentence)
    others = False
    for index, (start, end) in enumerate(ranges):
        clause = sentence[start:end]
        if others and not _PATIENT.search(clause):
            found[index] |= OF_OTHERS
        if named := "family" in own[index]:
            others = _KIN.search(clause) is None
        elif _PATIENT.search(clause):
            others = False
        ahead = sentence[max(0, start - _REACH) : start]
        if not named and not _PATIENT.search(ahead) and not _DONE.match(clause):
            found[index] |= {name for at, name in carried if start - _REACH <= at < start}
        if _ALONE.fullmatch(clause.strip()):
            # 心电图正常，建议造影，患者拒绝: of what was advised last, or of all that was said.
            meant = max((n for n in range(index) if "planned" in own[n]), default=0)
            for number in range(meant, index + 1):
                found[number] |= {"refused"}
    return found
