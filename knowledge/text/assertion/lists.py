"""Lists of terms: what stands between them, and clauses that are nothing but a list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.text.assertion.marks import Cue, Terms
from knowledge.text.document import Range
from knowledge.text.synonyms import TermKind

# Between the terms of one list.
CONNECTOR = re.compile(
    r"(?:[、､/+和及与或兼并\s]|以及|或者|还有|伴有?|甚至|明显的?|等|的|症状|表现|现象|不适感?|情况|感|样|性"
    r"|也|亦|均|病史|史|其他|特殊|其它|轻微|阵发性?|剧烈|任何|征象|\d*℃|(?<![a-z])(?:or|and|nor)(?![a-z]))*"
)
_CLOSED = re.compile(r"(?:等|这些|这类|之类)[^,;。\n\d]{0,12}[,;。\s]*\Z")
_PREDICATE = re.compile(r"(?:明显|剧烈|甚至|的)\Z")
_EXAMPLE = re.compile(r"(?:例如|比如|譬如|如(?!果|有|出现|发生|再|仍|遇|伴)|包括)")
NUMBERED = re.compile(r"[ \t]*(?:\(?\d{1,2}[.、)]|[-·•*])?[ \t]*")
# The beginning of a name that is known by its end only: 【吞】咽梗阻.
_PREFIXED = re.compile(
    r"(?:[、及和或与]|以及)?[^\W\d_a-z存对稍偶时仍伴有见示现诉感觉自呈为已曾再又较微轻中重度左右双上下前后全]{1,2}"
)
_AND = re.compile(r"(?<=[\u4e00-\u9fff])[及和或](?=[\u4e00-\u9fff])")
# The last of a list, where no term is known: …及舌咬伤.
_LAST = re.compile(r"[及和或与][\u4e00-\u9fff]{2,6}")
# What no term is known in names something only if it states nothing: 口不渴, 去甲肾在降.
_UNKNOWN = re.compile(
    r"(?![^,;。]{0,11}(?:不(?!适|良|舒)|[无未没否在已可予呈好]))[\u4e00-\u9fff、和及与或等]{1,12}"
)
# A term that says itself that something was found.
_FOUND = re.compile(
    r"(?:阳性|\(\++\)|亢进|升高|增高|增多|增强|下降|减低|减弱|减少|(?<=[物液多痰尿汗泪涎次量])多|量少)\Z|少量|大量|中等?量|微量"
)

_POSITIVE = re.compile(r"(?:阳性|\(\++\))\Z")
# 无压痛双下肢水肿: who sets no marks begins another statement with its place.
_PLACED = re.compile(r"双(?!重)|左(?!右)|右|四肢|全身|两侧")
# 无发热乳房稍胀痛: nor is what is denied graded.
_GRADED = re.compile(r"[稍略仍]|轻度|中度|重度|散在|少许")
# SOB+ N/V-: the plus is said of what stands before it.
_PLUS = re.compile(r"\(?\++\)?[ \t,、;]")


def begins_another(folded: str, terms: Terms, index: int) -> bool:
    """Whether a term right behind another names the place of a finding of its own,
    how strong it is, or that it was found."""
    match = terms.matches[index]
    if index == 0 or terms.matches[index - 1].end != match.start:
        return False
    graded = _GRADED.search(folded, match.start, match.end) is not None
    return graded or is_placed(folded, terms, index) or is_found(folded, terms, index)


def is_placed(folded: str, terms: Terms, index: int) -> bool:
    """Whether a term begins with the place of a finding (双下肢水肿)."""
    match = terms.matches[index]
    return _PLACED.match(folded, match.start, match.end) is not None


def is_found(folded: str, terms: Terms, index: int) -> bool:
    """Whether the words of a term say that it was found (肠鸣音亢进)."""
    match = terms.matches[index]
    return _FOUND.search(folded, match.start, match.end) is not None


def is_positive(folded: str, terms: Terms, index: int) -> bool:
    """Whether the words of a term end with a positive result (三凹征阳性)."""
    match = terms.matches[index]
    return _POSITIVE.search(folded, match.start, match.end) is not None


def listed_after(folded: str, terms: Terms, position: int, end: int) -> list[int]:
    """Terms one after the other from ``position`` on, with only connectors between."""
    listed: list[int] = []
    for index in terms.inside(position, end):
        gap = folded[position : terms.starts[index]]
        if gap.strip() and not (listed and CONNECTOR.fullmatch(gap)):
            break
        if begins_another(folded, terms, index):
            break
        listed.append(index)
        position = terms.matches[index].end
    return listed


def listed_before(folded: str, terms: Terms, index: int, start: int) -> list[int]:
    """The term and those listed directly before it, back to ``start``."""
    listed = [index]
    while index > 0 and terms.starts[index - 1] >= start:
        gap = folded[terms.matches[index - 1].end : terms.starts[index]]
        if not CONNECTOR.fullmatch(gap) or _PLUS.match(gap):
            break
        index -= 1
        listed.append(index)
    return listed


def is_closed(folded: str, clause: Range) -> bool:
    """Whether a clause ends a list with 等: …胸痛等伴随症状."""
    return _CLOSED.search(folded, clause.start, clause.end) is not None


def is_bare(
    folded: str, terms: Terms, clause: Range, cues: Sequence[Cue], *, numbered: bool = False
) -> bool:
    """Whether a clause is only terms and connectors, without a cue of its own."""
    lead = (NUMBERED if numbered else _EXAMPLE).match(folded, clause.start, clause.end)
    position = lead.end() if lead else clause.start
    if any(cue.rule.category != "none" and cue.rule.direction != "<" for cue in cues):
        return False
    indices = terms.inside(clause.start, clause.end)
    if any(terms.matches[index].denied for index in indices):
        return False
    for index in indices:
        gap = folded[position : terms.starts[index]]
        if not (CONNECTOR.fullmatch(gap) or _PREFIXED.fullmatch(gap)) or gap.startswith("伴"):
            return False
        position = terms.matches[index].end
    rest = folded[position : clause.end].strip(" ,，、。.;!?\n\r\t")
    if not indices or is_closed(folded, clause):
        return _UNKNOWN.fullmatch(rest) is not None if rest else bool(indices)
    joined = CONNECTOR.fullmatch(rest) or _LAST.fullmatch(rest)
    return joined is not None and not _PREDICATE.search(rest)


def ends_with_and(folded: str, clause: Range) -> bool:
    """Whether a clause has the 及 that stands before the last of a list."""
    return _AND.search(folded, clause.start, clause.end) is not None


def same_kind(terms: Terms, first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether two groups of terms name the same sort of thing: illnesses, or complaints."""

    def is_illness(index: int) -> bool:
        return terms.matches[index].kind is TermKind.DISEASE

    if not first or not second:
        return True
    return is_illness(first[-1]) == is_illness(second[0])
