"""When what a term names is or was: in the past, now, or only if a condition holds."""

from __future__ import annotations

import re

from knowledge.text.assertion.marks import Cue
from knowledge.text.assertion.reading import Reading
from knowledge.text.assertion.rules import FINDINGS
from knowledge.text.finding import Temporality
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

CHRONIC = re.compile(
    r"慢|高血压|糖尿病|冠心病|冠状动脉|心衰|心力衰竭|心肌病|房颤|颤动|哮喘|硬化|肾病|功能不全|癫痫|帕金森|痴呆|痛风|狼疮|风湿"
    r"|癌|瘤|病毒携带|乙肝|乙型|甲亢|甲减|白血病"
)
TUMOUR = re.compile(r"癌|瘤|恶性|白血病")
# Old by its own words, or operated: the illness is over.  A tumour is followed up.
# So is an arrest after which the patient was brought back.
_OLD = re.compile(r"陈旧|(?<=停)复苏(?!失败|无效)")
# A finding whose own words say that it ended (皮疹消退), if no body should have it (呼吸音消失).
_ENDED = re.compile(
    r"(?<!明显)(?<!部分)(?<!有所)(?<![音射动觉力识跳])(?:消[失退]|停止|痊愈)(?![约近达]?\d)"
)
_OPERATED = re.compile(
    r"术后(?!诊断|复发|出血|感染|并发|粘连|疼痛|切口|第?(?:\d{1,3}|[一二两三四五六七八九十半数几]{1,3})(?:天|日|周|小时))"
)
_FOR_LONG = re.compile(r"[:已约达近]{0,2}[\d一二两三四五六七八九十数几]+余?多?个?[年月]")
_OF_HISTORY = re.compile(r"史")
_PLANNED = re.compile(r"[已正]?(?:登记|预约|预定|排期|排队|择期|择日|拟行?|计划行?|待行)")


def date(reading: Reading) -> None:
    """Mark what is over, by a cue or by its own words."""
    for cue in reading.of("past"):
        reached = reading.reach.of(cue)
        for index in reached:
            if not _goes_on(reading, cue, index, is_last=index == max(reached)):
                reading.result[index].temporality = Temporality.PAST
    for index in range(len(reading.terms.matches)):
        if _is_old(reading, index):
            reading.result[index].temporality = Temporality.PAST


def suppose(reading: Reading) -> None:
    """What a condition or a plan names is nobody's finding; a denial in it stays one."""
    for cue in reading.of("suppose"):
        for index in reading.reach.of(cue):
            reading.result[index].temporality = Temporality.HYPOTHETICAL
    for index, match in enumerate(reading.terms.matches):
        # 已登记心脏瓣膜置换术: the words of the term say that it is planned.
        if match.kind is TermKind.PROCEDURE and _PLANNED.match(reading.words(index)):
            reading.result[index].temporality = Temporality.HYPOTHETICAL


def is_chronic(reading: Reading, index: int) -> bool:
    """Whether the illness of a term stays: what was, is."""
    match = reading.terms.matches[index]
    return CHRONIC.search(reading.folded, match.start, match.end) is not None


def is_history(reading: Reading, index: int) -> bool:
    """Whether a field asks for what was: 外伤史：有."""
    match = reading.terms.matches[index]
    return not is_chronic(reading, index) and (
        _OF_HISTORY.search(reading.folded, match.start, match.end + 2) is not None
    )


def _goes_on(reading: Reading, cue: Cue, index: int, *, is_last: bool) -> bool:
    """房颤病史3年 tells how long a chronic illness has been there; 既往房颤 that it was.

    高血压、肝炎已痊愈 tells that the last of its list is over, where one before it is chronic.
    """
    if cue.rule.direction == ">" or not is_chronic(reading, index):
        return False
    history = _OF_HISTORY.search(reading.folded, cue.start, cue.end)
    if history is None:
        return not is_last
    if not _FOR_LONG.match(reading.folded, cue.end):
        return False
    start = reading.places.sentence(cue.start).start
    return not any(
        other.rule.category == "past" and other.rule.direction == ">"
        for other in reading.cues.between(start, cue.start)
    )


def _is_old(reading: Reading, index: int) -> bool:
    match, folded = reading.terms.matches[index], reading.folded
    if match.kind in FINDINGS and _ENDED.match(folded, max(match.start, match.end - 2)):
        return True
    if match.kind is not TermKind.DISEASE or TUMOUR.search(folded, match.start, match.end):
        return False
    return bool(_OLD.search(folded, max(0, match.start - 3), match.end)) or _is_operated(
        folded, match
    )


def _is_operated(folded: str, match: Match) -> bool:
    hit = _OPERATED.search(folded, match.start, match.end + 12)
    return hit is not None and hit.start() <= match.end
