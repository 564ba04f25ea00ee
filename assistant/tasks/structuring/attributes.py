"""How a note means its entities: denied, doubted, past, planned, of the family.

The rules are those of `knowledge.text.assertion.engine`, applied to typed spans of any origin.
Findings are read together, as the lists of a note are lists of findings (无发热、咳嗽及胸痛).
Whether a test, a drug or a procedure was done or given is another question than what a test
showed: 未行CT denies the CT, and 血常规未见异常 does not deny the count.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.assertion.cues import CONNECTOR
from knowledge.text.assertion.engine import Assertion, assert_terms
from knowledge.text.finding import Certainty, Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

FINDINGS = frozenset({EntityType.DISEASE, EntityType.SYMPTOM, EntityType.SIGN})
_NOT_DONE = re.compile(
    r"(?:禁用|禁服|忌用|忌服|避免使用|避免服用|否认|拒绝|拒行|不同意|暂不|未(?:再|曾|能)?(?:行|做|作|予|给予|查|服用?|使用|用|接受|应用|进行|规律|正规|完善)|没有?(?:做|行|吃|用|服|查)"
    r"|无(?=[^,;。\n]{0,10}(?:史|使用)))[^,;。\n]{0,14}$"
)
# 未输血, 未吸氧: nothing stands between.
_NOT = re.compile(r"(?:未|没有?)(?:曾|再|给)?$")
_STOPPED = re.compile(
    r"(?<!未)(?:停用|停服|停药|停止(?:使用|服用)?|暂停(?:使用|服用)?|撤除|停(?=$))[^,;。\n]{0,4}$"
)
# Between a drug and the one that takes its place.
_REPLACED = re.compile(
    r"[^,;。、\n]{0,18}?,?(?:后|再|现|现已)?"
    r"(?:改为|改用|改服|改成|换为|换成|换用|更换为|替换为)[ \t]*"
)
_WHEN = re.compile(
    r"(?:如(?!前|上|下)|若|一旦)[^;。\n]{0,14}$|(?:出现|发生)[^;。\n]{1,10}时[^;。\n]{0,4}$"
)
_PLANNED = re.compile(
    r"(?:拟(?!诊)|建议|计划|预约|择期|准备|必要时|待(?:行|查|完善)|如|若|可考虑|考虑行|择日)[^,;。\n]{0,10}$"
)
_ALLERGY_BEFORE = re.compile(r"(?:对|过敏(?:药物|史|原)?(?:[:为是有]*|:?有[,:]))[^,;。\n]{0,12}$")
_ALLERGY_AFTER = re.compile(
    r"(?:(?!治疗|抢救|用于|纠正|预防|对症)[^,;。\n]){0,8}?(?<![不未无非抗])"
    r"过敏(?!试验|性(?!休克|皮炎|紫癜|反应|皮疹))|[^,;。\n]{0,4}?皮试[^,;。\n]{0,4}?(?:阳性|\(\++\))"
)
# 服用阿莫西林3天后出现皮疹: what the drug did, whatever it was given for.
_REACTION_AFTER = re.compile(
    r"(?:[^,;。\n未无]{0,12}?[后时],?)(?:即|立即|随即|迅速|很快|曾|患者|全身|反复)*(?:出现|发生|引起|诱发|导致)"
    r"[^,;。\n未无]{0,10}?(?:皮疹|药疹|荨麻疹|风团|瘙痒|剥脱性皮炎|大疱|喉头?水肿|血管性?水肿|过敏)"
    r"(?![^,;。\n]{0,4}(?:消退|消失|减少|减轻|好转|缓解))"
    r"|[^;。\n]{0,4}?因(?:出现|发生|起|有)?[^,;。\n未无]{0,4}"
    r"(?:皮疹|药疹|荨麻疹|风团|剥脱性皮炎|大疱|喉头?水肿|血管性?水肿|过敏)[^,;。\n]{0,4}停"
)
# What a culture bears is not given: 对左氧氟沙星耐药.
_CULTURED = re.compile(
    r"(?:[、及和,/][^,;。\n]{0,16})?(?:均|都|为|呈|:|高度)*(?:耐药|敏感(?!性)|中介|\([RSIrsi]\))"
)
# 头孢类可耐受: borne, which does not say that it is given.
_TESTED_AFTER = re.compile(
    r"[^,;。\n]{0,4}?(?:皮试|皮肤试验)(?![^,;。\n]{0,4}?(?:阳性|\(\++\)))|(?:类|等)?(?:药物?|抗生素)?(?:可|能)耐受(?=[,;。\n]|$)"
)
# Behind a drug, up to the next one: in its own clause, or in one that says no more than that.
_STOPPED_AFTER = re.compile(
    r"(?:[^,;。\n如若时建拟需应可未不]{0,14}?|[^;。\n如若时建拟需应可未不]{0,18}?,(?:患者|现|已|后|其后|随后|自行|目前"
    r"|[\d一二两三半数几]+个?余?(?:天|日|周|月|年)前|因[^,;。\n]{0,10}?)+)停(?:用|药|服|止(?:使用|服用)?|(?=[,;。\n]|$))"
)
_KEPT_ON = re.compile(r"(?:长期|(?<!不)规律|一直|持续|目前|平素|每日|日常)[^,;。\n]{0,10}$")
# A drug of an old illness is taken now where the note says how, unless it tells of then.
_TAKEN = re.compile(r"(?:口服|服用|服|吸入|注射|外用|予以?控制|控制)[^,;。\n过]{0,4}$")
_THEN = re.compile(r"曾|当时|此前|停|[予给]|化疗|输注|静|过$")
_OFTEN = re.compile(
    r"[^,;。\n]{0,14}?(?:(?<![a-z])(?:q\d{1,2}h|qod|qd|bid|tid|qid|qn|qw)(?![a-z])|每[日天晚早周]|\d次/日|日\d次)"
)
_IF = re.compile(
    r"(?:若|如(?!下|上|前|此)果?|一旦|倘若)[^;。\n]{0,18},则?(?:可|再|应|需)?"
    r"(?:加用|予以?|给予|使用|改用|改为|加服|静滴|口服)[^,;。\n]{0,6}$"
)
# 既往无手术史、外伤史: \0 stands for what is read.
_NO_HISTORY = re.compile(r"无[^,;。\n\0]{0,14}\0[^,;。\n]{0,10}(?:史|使用)")
# A symptom that is gone was there; what is only less (明显消退, 好转, 缓解) still is.  For a
# diagnosis it goes on to count, which is why the findings of a case know nothing of it.
_GONE = re.compile(
    r"(?:症状|体征)?(?:(?:均|已|现|基本|完全|逐渐|后){0,4}(?:消失|消退)|(?:均|已|完全){1,3}(?:缓解|退|止|停止)"
    r"|停止|未再(?:发作|出现|发))(?=\d|[,;。、\s]|$)"
)
_COMPLAINTS = frozenset({EntityType.SYMPTOM, EntityType.SIGN})
_INTOLERANCE = re.compile(r"(?!药物|食物|接触|光|冷|皮肤|季节).{1,14}过敏")
_REACH = 24
_CLAUSE = re.compile(r"[,;。\n]")


def assertions(
    text: str, spans: Sequence[TypedSpan], denied: Mapping[tuple[int, int], bool] | None = None
) -> list[Assertion]:
    """How each of ``spans`` (by start, the longer first) is meant in ``text``.

    ``denied`` holds the ranges whose own wording denies what they name (体温正常: no fever).  A
    span inside another of its group is meant as that one is.
    """
    folded = fold(text)
    result = [Assertion() for _ in spans]
    _read(text, spans, FINDINGS, denied or {}, result)
    _leave_behind(folded, spans, result)
    _read(text, spans, frozenset(EntityType) - FINDINGS, {}, result)
    for index, span in enumerate(spans):
        if span.type in FINDINGS:
            continue
        if span.type is EntityType.BODY_PART:
            result[index] = Assertion()
        else:
            result[index] = _done(folded, span, result[index], _next_drug(spans, index))
    _replace_drugs(folded, spans, result)
    _stop_listed(folded, spans, result)
    return result


def _next_drug(spans: Sequence[TypedSpan], index: int) -> int:
    """Where the drug after this span begins."""
    end = spans[index].end
    for span in spans[index + 1 :]:
        if span.type is EntityType.DRUG and span.start >= end:
            return span.start
    return end + _REACH


def _stop_listed(folded: str, spans: Sequence[TypedSpan], result: list[Assertion]) -> None:
    """停阿司匹林、氯吡格雷: both."""
    drugs = [index for index, span in enumerate(spans) if span.type is EntityType.DRUG]
    stopped: set[int] = set()
    for before, index in pairwise([-1, *drugs]):
        start = spans[index].start
        listed = before in stopped and CONNECTOR.fullmatch(folded, spans[before].end, start)
        if listed or _STOPPED.search(folded[max(0, start - _REACH) : start]):
            stopped.add(index)
        if listed:
            result[index] = replace(result[index], temporality=result[before].temporality)


def _replace_drugs(folded: str, spans: Sequence[TypedSpan], result: list[Assertion]) -> None:
    """阿司匹林100mg改为氯吡格雷: the one before is taken no more."""
    drugs = [index for index, span in enumerate(spans) if span.type is EntityType.DRUG]
    for index, following in pairwise(drugs):
        if _REPLACED.fullmatch(
            folded, spans[index].end, max(spans[index].end, spans[following].start)
        ):
            result[index] = replace(result[index], temporality=Temporality.PAST)


def _read(
    text: str,
    spans: Sequence[TypedSpan],
    group: frozenset[EntityType],
    denied: Mapping[tuple[int, int], bool],
    result: list[Assertion],
) -> None:
    """Put the assertions of the spans of ``group`` into ``result``."""
    outer: list[int] = []
    matches: list[Match] = []
    for index, span in enumerate(spans):
        if span.type in group and (not matches or span.start >= matches[-1].end):
            outer.append(index)
            kind = TermKind(span.type.value)
            own = denied.get((span.start, span.end), False)
            matches.append(Match(span.start, span.end, "", kind, own))
    if not matches:
        return
    read = assert_terms(text, matches)
    starts = [match.start for match in matches]
    for index, span in enumerate(spans):
        if span.type in group:
            result[index] = replace(read[max(0, bisect_right(starts, span.start) - 1)])


def _leave_behind(folded: str, spans: Sequence[TypedSpan], result: list[Assertion]) -> None:
    """What the text says to be gone is past, with what is listed before it: 咳嗽、咳痰消失."""
    places = [index for index, span in enumerate(spans) if span.type in _COMPLAINTS]
    following: int | None = None
    for index in reversed(places):
        end = spans[index].end
        gone = _GONE.match(folded, end) is not None
        if not gone and following is not None and end <= following:
            gap = folded[end:following]
            gone = "\n" not in gap and CONNECTOR.fullmatch(gap) is not None
        following = spans[index].start if gone else None
        said = result[index]
        if gone and (said.polarity, said.temporality) == (Polarity.PRESENT, Temporality.CURRENT):
            result[index] = replace(said, temporality=Temporality.PAST)


def _done(folded: str, span: TypedSpan, read: Assertion, next_drug: int) -> Assertion:
    """A test, a drug or a procedure: whether it was done; time and person as the text has them."""
    sentence = folded[max(0, span.start - _REACH) : span.start]
    before = _CLAUSE.split(sentence)[-1]
    after = folded[span.end : span.end + _REACH]
    denied = bool(_NOT_DONE.search(before) or _NOT.search(before)) or (
        "无" in before and _NO_HISTORY.search(before + "\0" + after) is not None
    )
    temporality = read.temporality
    if span.type is EntityType.DRUG:
        denied = denied or any(p.match(after) for p in (_TESTED_AFTER, _CULTURED))
        own = folded[span.end : min(next_drug, span.end + _REACH)]
        if temporality is Temporality.PAST and _is_taken(before, own):
            temporality = Temporality.CURRENT
        # What stands right before the next drug is said of that one.
        stopped = _STOPPED_AFTER.match(own)
        if stopped and span.end + stopped.end() != next_drug:
            temporality = Temporality.PAST
    if _STOPPED.search(before):
        # 出现皮疹时停用: it is taken still.
        temporality = Temporality.CURRENT if _WHEN.search(sentence) else Temporality.PAST
    elif _PLANNED.search(before) or _IF.search(sentence):
        temporality = Temporality.HYPOTHETICAL
    return Assertion(
        polarity=Polarity.ABSENT if denied else Polarity.PRESENT,
        certainty=Certainty.CERTAIN,
        temporality=temporality,
        experiencer=read.experiencer,
    )


def _is_taken(before: str, after: str) -> bool:
    """Whether a drug among what is past is one that the patient takes."""
    if _KEPT_ON.search(before):
        return True
    return not _THEN.search(before) and bool(_TAKEN.search(before) or _OFTEN.match(after))


def is_allergen(text: str, span: TypedSpan) -> bool:
    """Whether the note says that the patient does not bear this drug, or this (碘造影剂过敏)."""
    if span.type is EntityType.DISEASE:
        return _INTOLERANCE.fullmatch(fold(text[span.start : span.end])) is not None
    if span.type is not EntityType.DRUG:
        return False
    folded = fold(text[max(0, span.start - _REACH) : span.end + _REACH])
    at = min(span.start, _REACH)
    before, after = folded[:at], folded[at + span.end - span.start :]
    if _ALLERGY_AFTER.match(after) or _REACTION_AFTER.match(after):
        return True
    found = _ALLERGY_BEFORE.search(before)
    return found is not None and "过敏" in found[0]
