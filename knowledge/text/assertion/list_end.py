"""Where the list of a denial ends within its clause, for notes without commas as well."""

from __future__ import annotations

import re

from knowledge.text.assertion.lists import begins_another
from knowledge.text.assertion.marks import Terms

_COUNTED = re.compile(
    r"[ \t]*(?:[约近达共已]|每[日天次])?[\d一二两三四五六七八九十数半]+余?多?"
    r"(?:次|天|日|周|年|月|h|小时|个|d|枚|处|[-~到])|较前|少许|少量|较多|增多|减少|加重|减轻"
    r"|好转|缓解|消失|吸收|缩小|同前|如前|依旧|[左右双]?侧?阳性|\(\+|明显|已[止退消好]"
)
_CHANGES = re.compile(
    r"(?:较前|稍|略|明显|逐渐|有所)*"
    r"(?:好转|减轻|加重|加剧|改善|同前|如前|可(?:闻及|见|触及|扪及|及))"
)
# 无呕吐饮食可大便干结: another statement stands between.
_STATED = re.compile(
    r"(?<=[\u4e00-\u9fff])(?:尚?可|好|正常|良好|佳|如常|自如|活动|平|软|阴性)"
    r"(?=\Z|[\u4e00-\u9fff]{0,3}\Z)|给予|予以|[来就]诊|来院"
)
# 否认糖尿病冠心病有高血压: who sets no marks says 有 of what is there.
_HAS = re.compile(r"等?(?:疾?病)?史?(?:但|而|现)?有(?![关无没])")
_DIGIT = re.compile(r"\d(?![\d]?[.、)])")


def denied_and_doubted(
    folded: str, terms: Terms, start: int, end: int
) -> tuple[list[int], list[int]]:
    """Numbers of the terms of ``[start, end)`` that a denial before them denies, and of those that
    it may or may not: its list ends before one that is counted (无咳嗽腹泻2次) or stated."""
    listed: list[int] = []
    for index in terms.inside(start, end):
        match = terms.matches[index]
        last = terms.matches[listed[-1]].end if listed else start
        if listed and _is_stated(folded, last, match.start, match.end):
            break
        # 无不适切口疼痛好转, 无腹痛加重: what changes is there.
        if _CHANGES.match(folded, match.end):
            return listed, [index]
        if begins_another(folded, terms, index) or (
            listed and _ends_history(folded, last, match.start, end)
        ):
            return listed, [i for i in terms.inside(match.start, end) if i not in listed]
        # A number between two terms without a comma is a result: the list has ended.
        if listed and _DIGIT.search(folded, last, match.start):
            break
        listed.append(index)
    return listed, []


def _is_stated(folded: str, last: int, start: int, end: int) -> bool:
    """Whether the term at ``[start, end)``, behind a list up to ``last``, is another statement."""
    if last == start:
        return _COUNTED.match(folded, end) is not None
    return bool(_HAS.match(folded, last, start) or _STATED.search(folded, last, start))


def _ends_history(folded: str, start: int, position: int, end: int) -> bool:
    """无外伤史颈部活动受限: 史 ends the list, where no other 史 follows it."""
    return folded[start:position] in ("史", "病史") and "史" not in folded[position:end]
