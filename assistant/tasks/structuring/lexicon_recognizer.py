"""Entities by lexicon and by form: what works without any trained model.

Terms come from the knowledge base (findings and drugs) and from the shipped terms; a compound that
no list has is found by its form: a body part with the head of a diagnosis (右肺上叶腺癌), a name of
an operation (腹腔镜下胆囊切除术), a drug by its stem.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from assistant.tasks.structuring.heads import (
    head_of_part,
    head_of_test,
    infections,
    other_parts,
    syndromes,
)
from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.drugs import DrugIndex, DrugNames
from knowledge.text.extraction import FINDING_KINDS, FindingExtractor, names_something_else
from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon, Match
from knowledge.text.synonyms import TermKind, load_synonyms
from knowledge.text.terms import find_terms, outside_other_words

_SIDE = re.compile(r"(?:双|左|右|两)(?:侧|边)?$")
_ALLERGY = re.compile(
    r"(?:(?<=对)|(?<![^,;。、\s:]))(?P<what>(?:(?!否|排除|除外|疑似|[无未没疑不有易抗诉均父母子女兄姐对]|患者|既往|考虑|可疑|药物过敏|食物过敏)[\u4e00-\u9fff]){1,8}?)"
    r"(?:类|制剂)?(?:药物)?过敏"
    r"(?=[,;。、(\s]|$)"
)
# 过敏史：青霉素(-)海鲜(+), and the first of 对花生、芒果过敏.
_ALLERGY_FIELD = re.compile(r"过敏(?:史|原|源|药物|食物|物质?)?[ \t]?:[^。\n]{1,60}")
_FIELD_ITEM = re.compile(r"(?P<what>[\u4e00-\u9fff]{1,8})[ \t]?(?=\(\++\)|阳性)")
_ALLERGY_LIST = re.compile(
    r"(?<=对)(?P<list>[\u4e00-\u9fff]{1,8}(?:[、及和与][\u4e00-\u9fff]{1,8}?){1,5})(?=(?:等|均|都)*过敏(?!原|试验))"
)
_ITEM = re.compile(r"[^、及和与]+")
# What is stained is named by letters, with the result behind: ER(+), CK7(-), P53(野生型).
_STAINED = re.compile(r"免疫组化|免疫组织化学|(?<![a-z])ihc(?![a-z])|特殊?染色?")
_STAINS_END = re.compile(r"。|\n(?=\s*[\u4e00-\u9fff]{2,8}\s*:)")
_STAIN = re.compile(
    r"(?<![a-z0-9])(?P<name>[a-z](?:[a-z0-9α-ω/-]{0,10}[a-z0-9α-ω])?)[ \t]*"
    r"(?=\([^()]{0,12}(?:[-+±]|[阳阴]性|野生型|突变|\d%)[^()]{0,10}\)|[-+]{1,3}(?=[,;。、\s]|$))"
)
_OPERATION = re.compile(r"[\u4e00-\u9fffA-Za-z0-9+]{2,24}?术(?![语者式野区中前时台])")
_OPERATION_CUT = re.compile(
    r"^.*(?:(?<!镜)下|行|予|拟|建议|接受|施|了|曾|因|并|及|和|为|至|示|后|于|在|有|做|作|年|月|日|天|余|急诊|择期|次|个|既往|否认|[无未])(?=.)"
)
_NO_OPERATION = re.compile(r"手术|医术|技术|算术|艺术|学术|本术|该术|此术|这?种术|原术")
_NESTED_IN = {
    EntityType.DISEASE,
    EntityType.SYMPTOM,
    EntityType.SIGN,
    EntityType.IMAGING,
    EntityType.PROCEDURE,
}
# 青霉素过敏 is a disease, and names the drug.
_NESTING = {EntityType.BODY_PART, EntityType.DRUG}
_OF_A_DRUG = re.compile(r"过敏|中毒|相关|所致|依赖|反应|抵抗|耐药|治疗|试验")
# 依据不足 names no foot.
_OF_A_WORD = re.compile(r"(?:[不充满十知富]足|[安用全]心|[口人手]口)\Z")
_ALONE = re.compile(r"[、,，未无肋区]|$")
LISTED, _FORM = 0.9, 0.8
"""How sure a listed term and a form are: no probabilities, only one after the other."""


class LexiconRecognizer:
    """Finds entities with what the knowledge base and the shipped terms list."""

    def __init__(
        self, extractor: FindingExtractor | None = None, drugs: DrugIndex | None = None
    ) -> None:
        """Without an extractor, findings come from the shipped tables alone."""
        self._extractor = extractor or FindingExtractor(_shipped())
        self._drugs = drugs or DrugIndex()
        self._by_stem = DrugNames()

    @property
    def name(self) -> str:
        """See `Recognizer.name`."""
        return "lexicon"

    def recognise(self, text: str) -> list[TypedSpan]:
        """See `Recognizer.recognise`."""
        return self.spans(text, self.matches(text))

    def matches(self, text: str) -> list[Match]:
        """The listed terms in ``text``: the shipped ones, then the findings of the base."""
        terms = (
            term
            for term in find_terms(text)
            if term.kind not in FINDING_KINDS
            or not names_something_else(text, term.start, term.end)
        )
        return [*terms, *outside_other_words(text, self._extractor.matches(text))]

    def spans(self, text: str, matches: Sequence[Match]) -> list[TypedSpan]:
        """What `recognise` gives, where `matches` are known already."""
        folded = fold(text)
        parts = [m for m in matches if m.kind is TermKind.BODY_PART]
        found = [
            TypedSpan(match.start, match.end, EntityType(match.kind.value), LISTED)
            for match in matches
            if match.kind is not TermKind.BODY_PART
        ]
        found += [
            TypedSpan(start, end, EntityType.DRUG, LISTED) for start, end in self._drugs.spans(text)
        ]
        found += self._unlisted_drugs(text, found)
        found += _operations(folded)
        found += _infections(folded)
        found += (TypedSpan(*span, EntityType.DISEASE, _FORM) for span in syndromes(folded))
        found += _stains(folded)
        named = [(part.start, part.end) for part in parts]
        joined = _joined_parts(folded, named)
        found += _compounds(folded, _joined_parts(folded, _apart([*named, *other_parts(folded)])))
        found += _abnormal(folded, matches)
        found += _allergies(folded)
        found += _listed_allergens(folded)
        found += [TypedSpan(a, b, EntityType.BODY_PART, LISTED) for a, b in joined]
        return resolve(folded, found)

    def _unlisted_drugs(self, text: str, found: list[TypedSpan]) -> list[TypedSpan]:
        """Drugs by their stem where none is listed: a stem does not tell where a name begins."""
        listed = bytearray(len(text))
        for span in found:
            if span.type is EntityType.DRUG:
                listed[span.start : span.end] = b"\1" * (span.end - span.start)
        return [
            TypedSpan(start, end, EntityType.DRUG, _FORM)
            for start, end in self._by_stem.spans(text)
            if not any(listed[start:end])
        ]


def _shipped() -> Lexicon:
    lexicon = Lexicon()
    lexicon.add_synonyms(load_synonyms())
    return lexicon


def _operations(folded: str) -> Iterable[TypedSpan]:
    for match in _OPERATION.finditer(folded):
        cut = _OPERATION_CUT.match(match[0])
        start = match.start() + (cut.end() if cut else 0)
        if match.end() - start >= 3 and not _NO_OPERATION.search(folded, start, match.end()):
            yield TypedSpan(start, match.end(), EntityType.PROCEDURE, _FORM)


def _infections(folded: str) -> Iterable[TypedSpan]:
    for start, end in infections(folded):
        if not names_something_else(folded, start, end):
            yield TypedSpan(start, end, EntityType.DISEASE, LISTED)


def _allergies(folded: str) -> Iterable[TypedSpan]:
    """对花生过敏, 海鲜过敏: what is not borne, with the word for it."""
    for match in _ALLERGY.finditer(folded):
        if not names_something_else(folded, match.start("what"), match.end()):
            yield TypedSpan(match.start("what"), match.end(), EntityType.DISEASE, LISTED)


def _listed_allergens(folded: str) -> Iterable[TypedSpan]:
    """Items of the field that asks for allergies with a plus, and those of a list before the last.

    They are named without the word 过敏, so none of them is found by its form.
    """
    for told in _ALLERGY_FIELD.finditer(folded):
        for item in _FIELD_ITEM.finditer(folded, told.start() + 3, told.end()):
            yield TypedSpan(*item.span("what"), EntityType.DISEASE, _FORM)
    for told in _ALLERGY_LIST.finditer(folded):
        *first, _ = _ITEM.finditer(folded, *told.span("list"))
        for item in first:
            yield TypedSpan(item.start(), item.end(), EntityType.DISEASE, _FORM)


def _stains(folded: str) -> Iterable[TypedSpan]:
    """The markers of each sentence that tells of stains, from the word for it on."""
    read = 0
    for told in _STAINED.finditer(folded):
        if told.start() < read:
            continue
        stop = _STAINS_END.search(folded, told.end())
        read = stop.start() if stop else len(folded)
        for match in _STAIN.finditer(folded, told.end(), read):
            yield TypedSpan(*match.span("name"), EntityType.TEST, LISTED)


def _joined_parts(folded: str, parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Parts with the side before them; those that touch are one (右 + 肺 + 上叶)."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        side = _SIDE.search(folded, max(0, start - 2), start)
        start = side.start() if side else start
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _apart(parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of parts that share a character, the longest."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(set(parts), key=lambda part: (part[0], -part[1])):
        if kept and start < kept[-1][1]:
            if end - start > kept[-1][1] - kept[-1][0]:
                kept[-1] = start, end
            continue
        kept.append((start, end))
    return kept


def _compounds(folded: str, parts: list[tuple[int, int]]) -> Iterable[TypedSpan]:
    """Parts with what is said of them (右肺上叶 + 腺癌)."""
    for start, end in parts:
        head = head_of_part(folded, end)
        if head and not names_something_else(folded, start, head[0]):
            yield TypedSpan(start, head[0], head[1], _FORM)


def _abnormal(folded: str, matches: Sequence[Match]) -> Iterable[TypedSpan]:
    """Tests with what is wrong with them, where no result is told (白细胞升高)."""
    for match in matches:
        if match.kind is TermKind.TEST and (end := head_of_test(folded, match.end)):
            yield TypedSpan(match.start, end, EntityType.SIGN, _FORM)


def resolve(folded: str, spans: Iterable[TypedSpan]) -> list[TypedSpan]:
    """The longest spans, none crossing another, a body part none of another type; of what stands
    inside one, body parts and drugs only.

    A body part of one character (肝, 肺) is one by itself only in a list or with a denial behind.
    """
    starts: list[int] = []
    ends: list[int] = []
    kept: list[TypedSpan] = []
    nested: list[TypedSpan] = []
    for span in sorted(spans, key=_first_kept):
        before = bisect_right(starts, span.start) - 1
        after = bisect_left(starts, span.end)
        crossed = [i for i in range(max(0, before), after) if ends[i] > span.start]
        if not crossed:
            at = bisect_left(starts, span.start)
            starts.insert(at, span.start)
            ends.insert(at, span.end)
            kept.insert(at, span)
        elif span.type in _NESTING and _is_inside(span, kept[crossed[0]]):
            outer = kept[crossed[0]]
            # 青霉素过敏 names a drug, 慢性支气管炎 none, whatever a product is called.
            if span.type is EntityType.DRUG and not _OF_A_DRUG.search(
                folded, outer.start, outer.end
            ):
                continue
            # Nor does 支气管炎 tell of a place; 右肺上叶腺癌 does.
            if span.type is EntityType.BODY_PART and _is_listed_disease(outer):
                continue
            nested.append(span)
    alone = [
        s
        for s in kept
        if not _is_letter(s)
        or (_ALONE.match(folded, s.end) and not _OF_A_WORD.search(folded, 0, s.end))
    ]
    alone += [s for s in nested if not _is_letter(s)]
    return sorted(set(alone), key=lambda s: (s.start, -s.end, s.type))


def _first_kept(span: TypedSpan) -> tuple[bool, int, float, int]:
    return span.type is EntityType.BODY_PART, span.start - span.end, -span.score, span.start


def _is_listed_disease(span: TypedSpan) -> bool:
    return span.type is EntityType.DISEASE and span.score >= LISTED


def _is_letter(span: TypedSpan) -> bool:
    return span.type is EntityType.BODY_PART and span.end - span.start == 1


def _is_inside(span: TypedSpan, other: TypedSpan) -> bool:
    return (
        other.type in _NESTED_IN
        and other.start <= span.start
        and span.end <= other.end
        and span.end - span.start < other.end - other.start
    )
