"""How a note means its entities: denied, doubted, past, planned, of the family.

The rules are those of `knowledge.text.assertion.engine`, applied to typed spans of any origin.
Findings are read together, as the lists of a note are lists of findings (无发热、咳嗽及胸痛).
Whether a test, a drug or a procedure was done or given is another question than what a test
showed: 未行CT denies the CT, and 血常规未见异常 does not deny the count.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.assertion.engine import read_assertions
from knowledge.text.assertion.lists import CONNECTOR
from knowledge.text.assertion.status import Assertion
from knowledge.text.document import Document
from knowledge.text.finding import Certainty, Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.phrases import phrases_of
from knowledge.text.synonyms import TermKind

FINDINGS = frozenset({EntityType.DISEASE, EntityType.SYMPTOM, EntityType.SIGN})
_PHRASES = phrases_of("assistant.tasks.structuring")
_STOPPED = _PHRASES["stopped"]
# Between a drug and the one that takes its place.
_REPLACED = _PHRASES["replaced"]
_WHEN = _PHRASES["when"]
_PLANNED = _PHRASES["planned"]
_ALLERGY_BEFORE = _PHRASES["allergy_before"]
_ALLERGY_AFTER = _PHRASES["allergy_after"]
# 服用阿莫西林3天后出现皮疹: what the drug did, whatever it was given for.
_REACTION_AFTER = _PHRASES["reaction_after"]
# What a culture bears is not given: 对左氧氟沙星耐药.
_CULTURED = _PHRASES["cultured"]
# 头孢类可耐受: borne, which does not say that it is given.
_TESTED_AFTER = _PHRASES["tested_after"]
# Behind a drug, up to the next one: in its own clause, or in one that says no more than that.
_STOPPED_AFTER = _PHRASES["stopped_after"]
_KEPT_ON = _PHRASES["kept_on"]
# A drug of an old illness is taken now where the note says how, unless it tells of then.
_TAKEN = _PHRASES["taken"]
_THEN = re.compile(r"曾|当时|此前|停|[予给]|化疗|输注|静|过$")
_OFTEN = _PHRASES["often"]
_IF = _PHRASES["if"]
_INTOLERANCE = re.compile(r"(?!药物|食物|接触|光|冷|皮肤|季节).{1,14}过敏")
# 皮试：青霉素阳性.
_TESTED_BEFORE = re.compile(r"皮试[^。\n]{0,16}$")
_POSITIVE = re.compile(r"[ \t:为呈]{0,2}(?:阳性|\(\++\))")
# 过敏史：青霉素（－）海鲜（＋）: what is not borne, where no list of drugs has it.
_FIELD_BEFORE = re.compile(r"过敏(?:史|原|源|药物|食物|物质?)?[ \t]?:[^。\n]{0,22}$")
# 对花生、芒果过敏.
_TO_BEFORE = re.compile(r"对[^,;。\n:]{0,20}$")
_LISTED_AFTER = re.compile(
    r"(?:[、及和与或/][^,;。\n不无未]{1,10}?){1,5}(?:等|均|都)*过敏(?!原|试验)"
)
_REACH = 24
_CLAUSE = re.compile(r"[,;。\n]")


def assertions(
    document: Document,
    spans: Sequence[TypedSpan],
    denied: Mapping[tuple[int, int], bool] | None = None,
) -> list[Assertion]:
    """How each of ``spans`` (by start, the longer first) is meant in the document.

    ``denied`` holds the ranges whose own wording denies what they name (体温正常: no fever).  A
    span inside another of its group is meant as that one is.
    """
    folded = document.folded
    result = [Assertion() for _ in spans]
    _read(document, spans, FINDINGS, denied or {}, result)
    _read(document, spans, frozenset(EntityType) - FINDINGS, {}, result)
    drugs = sorted(span.start for span in spans if span.type is EntityType.DRUG)
    for index, span in enumerate(spans):
        if span.type in FINDINGS:
            continue
        if span.type is EntityType.BODY_PART:
            result[index] = Assertion()
        else:
            result[index] = _done(folded, span, result[index], _next_drug(drugs, span.end))
    _replace_drugs(folded, spans, result)
    _stop_listed(folded, spans, result)
    return result


def _next_drug(starts: Sequence[int], end: int) -> int:
    """Where the first drug at or behind ``end`` begins; ``starts`` has where each does."""
    number = bisect_left(starts, end)
    return starts[number] if number < len(starts) else end + _REACH


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
    document: Document,
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
    read = read_assertions(document, matches)
    starts = [match.start for match in matches]
    for index, span in enumerate(spans):
        if span.type in group:
            result[index] = replace(read[max(0, bisect_right(starts, span.start) - 1)])


def _done(folded: str, span: TypedSpan, read: Assertion, next_drug: int) -> Assertion:
    """A test, a drug or a procedure: whether it was done; time and person as the text has them."""
    sentence = folded[max(0, span.start - _REACH) : span.start]
    before = _CLAUSE.split(sentence)[-1]
    after = folded[span.end : span.end + _REACH]
    denied = read.polarity is Polarity.ABSENT
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
    if span.type is not EntityType.DRUG and span.type not in FINDINGS:
        return False
    near = text[max(0, span.start - _REACH) : span.end + _REACH]
    if span.type in FINDINGS and "敏" not in near:
        return False
    folded = fold(near)
    at = min(span.start, _REACH)
    before, after = folded[:at], folded[at + span.end - span.start :]
    if span.type in FINDINGS:
        words = folded[at : at + span.end - span.start]
        if span.type is EntityType.DISEASE and _INTOLERANCE.fullmatch(words):
            return True
        return bool(
            (_FIELD_BEFORE.search(before) and _POSITIVE.match(after))
            or (_TO_BEFORE.search(before) and _LISTED_AFTER.match(after))
        )
    if _ALLERGY_AFTER.match(after) or _REACTION_AFTER.match(after):
        return True
    if _TESTED_BEFORE.search(before) and _POSITIVE.match(after):
        return True
    found = _ALLERGY_BEFORE.search(before)
    return found is not None and "过敏" in found[0]
