"""Entities by lexicon and by form: what works without any trained model.

Terms come from the knowledge base (findings and drugs) and from the shipped terms; a compound that
no list has is found by its form: a body part with the head of a diagnosis (右肺上叶腺癌), a name of
an operation (腹腔镜下胆囊切除术), a drug by its stem.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from assistant.tasks.structuring.span import EntityType, TypedSpan
from assistant.tasks.structuring.terms import find_terms
from knowledge.text.drugs import DrugIndex, DrugNames
from knowledge.text.extraction import FINDING_KINDS, FindingExtractor, names_something_else
from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon, Match
from knowledge.text.synonyms import TermKind, load_synonyms

_SIDE = re.compile(r"(?:双|左|右|两)(?:侧|边)?$")
_DISEASE_HEAD = re.compile(
    r"(?:[高中低未](?:[-~至]?[中低高])?分化|浸润性|原发性?|继发性?|转移性?|恶性|良性|多发性?|陈旧性?|慢性|急性|早期|晚期|进展期"
    r"|周围型|中央型|粉碎性?|开放性|闭合性|压缩性|单纯性|化脓性|复发性?|鳞状细胞|小细胞|非小细胞|印戒细胞|乳头状|滤泡状|管状){0,3}"
    r"(?:腺鳞癌|腺癌|鳞癌|神经内分泌癌|细胞癌|癌|恶性肿瘤|良性肿瘤|肿瘤|转移瘤|血管瘤|平滑肌瘤|肌瘤|腺瘤|脂肪瘤|瘤"
    r"|周围炎|炎症|炎|结核|感染|脓肿|结石|囊肿|息肉|憩室|溃疡|骨折|脱位|梗死|梗塞|栓塞|血栓形成?|出血|血肿|破裂|穿孔|梗阻"
    r"|硬化|增生症?|肥大|脱垂|突出症?|功能不全|功能衰竭|衰竭|退行性变|挫伤|撕裂伤?|扭伤|损伤|裂伤)"
    r"(?:术后)?"
)
_SIGN_HEAD = re.compile(
    r"(?:轻度|明显|多发|少量|大量|小|微小|实性|磨玻璃|类|可疑){0,2}"
    r"(?:病灶|压痛|反跳痛|叩击痛|叩痛|肿大|肿胀|水肿|包块|肿块|肿物|结节影?|占位性病变|占位|积液|增厚|钙化灶?|狭窄|扩张|斑块|畸形|萎缩)"
)
_SITE = (
    r"(?:泌尿(?:系统?|道)|尿路|[上下]?呼吸道|[消胆肠]化?道|胆系|生殖道|中枢神经系统|颅内|[腹胸盆]腔|[切伤创术]口|手术部位"
    r"|导管相关性?血流|血流|皮肤(?:及?软组织)?|软组织)"
)
_AGENT = (
    r"(?:(?:[新甲乙丙丁戊]型|人类?|呼吸道|肺炎|水痘-?|带状|单纯|巨细胞|腺|鼻|轮状|诺如|冠状|副?流感|合胞|疱疹|乳头状?瘤|免疫缺陷"
    r"|柯萨奇|肠道|登革热?|狂犬|汉坦|微小|[甲乙丙丁戊]肝|肝炎|eb|b19){0,5}-?病毒"
    r"|(?:肺炎|沙眼|解脲脲?|鹦鹉热|人型|生殖)?[支衣]原体"
    r"|(?:幽门螺|非?结核分枝|结核|大肠埃希?|铜绿假单胞|绿脓|鲍曼不动|流感嗜血|嗜麦芽窄食单胞|变形|伤寒|痢疾|布鲁氏?|肺炎克雷伯|克雷伯"
    r"|嗜肺军团|军团|李斯特|百日咳|厌氧|艰难梭)杆?菌"
    r"|(?:耐甲氧西林|金黄色|表皮|[abd]族|溶血性?|肺炎|化脓性?){0,3}(?:葡萄|链|双|肠)球菌"
    r"|(?:白色?|光滑)?念珠菌|烟?曲霉菌?|(?:新型)?隐球菌|肺孢子菌|真菌|细菌|弓形虫|(?:梅毒)?螺旋体|寄生虫"
    r"|hiv|h[abcde]v|hpv|ebv|cmv|hp|rsv|mrsa|covid-19)"
)
_INFECTION = re.compile(rf"(?<![a-z0-9])(?:{_SITE}|{_AGENT})性?感染")
_ALLERGY = re.compile(
    r"(?:(?<=对)|(?<![^,;。、\s:]))(?P<what>(?:(?!否认|[无未没不有易抗诉均父母子女兄姐对]|患者|既往|考虑|可疑|药物过敏|食物过敏)[\u4e00-\u9fff]){1,8}?)"
    r"(?:类|制剂)?(?:药物)?过敏"
    r"(?=[,;。、(\s]|$)"
)
# What is stained is named by letters, with the result behind: ER(+), CK7(-), P53(野生型).
_STAINED = re.compile(r"免疫组化|免疫组织化学|(?<![a-z])ihc(?![a-z])|特殊?染色?")
_STAINS_END = re.compile(r"。|\n(?=\s*[\u4e00-\u9fff]{2,8}\s*:)")
_STAIN = re.compile(
    r"(?<![a-z0-9])(?P<name>[a-z](?:[a-z0-9α-ω/-]{0,10}[a-z0-9α-ω])?)[ \t]*"
    r"(?=\([^()]{0,12}(?:[-+±]|[阳阴]性|野生型|突变|\d%)[^()]{0,10}\)|[-+]{1,3}(?=[,;。、\s]|$))"
)
_OPERATION = re.compile(r"[\u4e00-\u9fffA-Za-z0-9+]{2,24}?术(?![语者式野区中前时台])")
_OPERATION_CUT = re.compile(
    r"^.*(?:(?<!镜)下|行|予|拟|接受|施|了|曾|因|并|及|和|为|至|示|后|于|在|有|做|作|年|月|日|天|余|急诊|择期|次|个|既往|否认|[无未])(?=.)"
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
        return [*terms, *self._extractor.matches(text)]

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
        found += _stains(folded)
        joined = _joined_parts(folded, [(part.start, part.end) for part in parts])
        found += _compounds(folded, joined)
        found += _allergies(folded)
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
    """Infections by where or by what: 泌尿系感染, 新型冠状病毒感染."""
    for match in _INFECTION.finditer(folded):
        if not names_something_else(folded, *match.span()):
            yield TypedSpan(*match.span(), EntityType.DISEASE, LISTED)


def _allergies(folded: str) -> Iterable[TypedSpan]:
    """对花生过敏, 海鲜过敏: what is not borne, with the word for it."""
    for match in _ALLERGY.finditer(folded):
        if not names_something_else(folded, match.start("what"), match.end()):
            yield TypedSpan(match.start("what"), match.end(), EntityType.DISEASE, LISTED)


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


def _compounds(folded: str, parts: list[tuple[int, int]]) -> Iterable[TypedSpan]:
    for start, end in parts:
        for pattern, kind in (
            (_SIGN_HEAD, EntityType.SIGN),
            (_DISEASE_HEAD, EntityType.DISEASE),
        ):
            head = pattern.match(folded, end)
            if head and not names_something_else(folded, start, head.end()):
                yield TypedSpan(start, head.end(), kind, _FORM)
                break


def resolve(folded: str, spans: Iterable[TypedSpan]) -> list[TypedSpan]:
    """The longest spans, none crossing another; of what stands inside one, body parts and drugs
    only.

    A body part of one character (肝, 肺) is one by itself only in a list or with a denial behind.
    """
    starts: list[int] = []
    ends: list[int] = []
    kept: list[TypedSpan] = []
    nested: list[TypedSpan] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, -s.score, s.start)):
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
            nested.append(span)
    alone = [
        s
        for s in kept
        if not _is_letter(s)
        or (_ALONE.match(folded, s.end) and not _OF_A_WORD.search(folded, 0, s.end))
    ]
    alone += [s for s in nested if not _is_letter(s)]
    return sorted(set(alone), key=lambda s: (s.start, -s.end, s.type))


def _is_letter(span: TypedSpan) -> bool:
    return span.type is EntityType.BODY_PART and span.end - span.start == 1


def _is_inside(span: TypedSpan, other: TypedSpan) -> bool:
    return (
        other.type in _NESTED_IN
        and other.start <= span.start
        and span.end <= other.end
        and span.end - span.start < other.end - other.start
    )
