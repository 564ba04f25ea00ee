"""One note → entities with attributes, relations and codes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from assistant.base_drugs import drugs_of
from assistant.tasks.structuring.attributes import FINDINGS, assertions, is_allergen
from assistant.tasks.structuring.chronic import is_over
from assistant.tasks.structuring.entity import Coding, Entity, Relation, Section, StructuredNote
from assistant.tasks.structuring.lexicon_recognizer import LexiconRecognizer
from assistant.tasks.structuring.listed import listed_findings
from assistant.tasks.structuring.model_triples import model_triples, together
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.relation_decoding import RelationReader
from assistant.tasks.structuring.relations import AttributeLinks
from assistant.tasks.structuring.sentences import clauses, section_at, sections, sentences
from assistant.tasks.structuring.span import EntityType, Recognizer, TypedSpan
from assistant.tasks.structuring.specimen import specimen_at
from assistant.tasks.structuring.triples import triples
from assistant.tasks.structuring.union import union
from knowledge.base import KnowledgeBase
from knowledge.text.assertion.temporality import TUMOUR
from knowledge.text.document import Document
from knowledge.text.extraction import names_something_else
from knowledge.text.finding import Polarity, Temporality
from knowledge.text.folding import fold, simplified
from knowledge.text.lexicon import Match
from knowledge.text.phrases import phrases_of
from knowledge.text.term_table import shipped_test
from knowledge.text.times import Anchors, Time, impossible_dates, times

_BY_CONCEPT = 0.95
"""How sure a term is that is the name of the concept, not the wording of the note."""

# No abbreviation, no unit.
_LATIN = re.compile(r"\b[A-Za-z][a-z]{3,}\b")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_FEW_WORDS = 8
# Behind the heading 过敏史, what is no allergen any more: 无。目前服用…
_NO_ALLERGEN = re.compile(r"[。\n无未]|否认|服|予|耐受|使用|应用")
_VERBS = "换改停加减调"
_VERBS_BEFORE = "换改停予"
_DOUBT = re.compile(r"(?:待[排查诊定除明]|可能|不除外|不排除|[?？]).{0,3}\Z")
_PHRASES = phrases_of("assistant.tasks.structuring")
# Before a finding: a doubt, a denial, a relative.
_LEAD = _PHRASES["lead"]
_DENIAL_LEAD = re.compile(r"(?:没有|未见|[无未没过伴有见]|(?:no|not|denies|without)[ ]+)")
# What came after it: 骨穿后; but 白内障术后.
_LATER = re.compile(r"(?<![术产])[后时]\Z")
# A tick or a box is no name.
_LETTERS = re.compile(r"[^\W_]")
# A statement, no name: 骨髓象不符.
_HOLDS_CUE = re.compile(r"不符|不支持|未见|否认|已排除|除外|肌力[^,;。]{0,3}级")
# 依据不足: what is said of something else.
_PREDICATE = re.compile(r"不[足佳良]")
_MARK = re.compile(r"[?？。；;\n]+")
# The del of EGFR 19del is no drug.
_FRAGMENT = re.compile(r"[a-z]{1,3}|FEV1?|.*(?<!真)菌|墨菲")
_NOT_CHINESE = (
    "这份文书主要不是中文，只识别中文，其余内容没有读取。 "
    "(This note is mostly not in Chinese; only Chinese is read, the rest was not.)"
)

Normalise = Callable[[str], list[Coding]]
"""A diagnosis as written → standard terms."""


class Structurer:
    """Structures notes with one recogniser and one knowledge base.  Safe to use from threads."""

    def __init__(
        self,
        base: KnowledgeBase | None,
        recognizer: Recognizer | None = None,
        normalise: Normalise | None = None,
        reader: RelationReader | None = None,
    ) -> None:
        """Without a recogniser, entities come from the lexicon; without a base there are no codes
        and no relations that only the base holds; without a ``reader`` triples come from rules
        alone."""
        self._base = base
        self._drugs = drugs_of(base)
        self._lexicon = LexiconRecognizer(base.extractor if base else None, self._drugs)
        self._recognizer = recognizer
        self._normalise = normalise
        self._reader = reader

    @property
    def model(self) -> str:
        """What finds the entities."""
        return (self._recognizer or self._lexicon).name

    @property
    def knowledge_version(self) -> str:
        """The version of the knowledge base; "" without one."""
        return self._base.version if self._base is not None else ""

    def structure(self, note: NoteText) -> StructuredNote:
        """The note as data.  Any text is fine; an empty one has no entities."""
        started = time.perf_counter()
        text = note.text
        matches = self._lexicon.matches(text)
        document = Document(text)
        spans, sources = self._spans(document, matches)
        parts = sections(text)
        entities = self._entities(document, spans, sources, matches)
        for entity in entities:
            entity.section = section_at(parts, entity.start)
        ranges = sentences(text)
        anchors = Anchors(
            admission=note.admitted_on, note=note.written_at.date() if note.written_at else None
        )
        links = AttributeLinks(text, ranges, clauses(text))
        relations: list[Relation] = links.link(entities, _times(text, anchors))
        graph = self._base.graph if self._base is not None else None
        folded = fold(text)
        for entity in entities:
            self._specify(entity, folded, parts)
            if entity.type is EntityType.DISEASE and entity.temporality is Temporality.PAST:
                entity.over = is_over(text, entity, entities)
        stated = triples(text, entities, ranges, graph, self._drugs.generic)
        if self._reader is not None:
            found = self._reader.read(text)
            stated = together(
                stated, model_triples(text, entities, ranges, found, self._reader.name)
            )
        relations += stated
        return StructuredNote(
            note_id=note.id,
            title=note.title,
            written_at=note.written_at,
            length=len(text),
            entities=entities,
            relations=relations,
            sections=parts,
            model=self.model,
            knowledge_version=self.knowledge_version,
            warnings=[_NOT_CHINESE] if _is_foreign(text) else [],
            seconds=time.perf_counter() - started,
        )

    def _spans(
        self, document: Document, matches: Sequence[Match]
    ) -> tuple[list[TypedSpan], list[str]]:
        """The spans, and what found each."""
        text = document.text
        listed = self._lexicon.spans(text, matches)
        if self._recognizer is None or not text.strip():
            listed = _sorted([*listed, *listed_findings(document, listed)])
            return listed, [self._lexicon.name] * len(listed)
        listed_at = {m.start for m in matches if EntityType(m.kind.value) in FINDINGS}
        found = [
            _cut(text, _without_denial(document.folded, part, listed_at))
            for span in self._recognizer.recognise(simplified(text))
            for part in _parts(text, span)
            if _LETTERS.search(text, part.start, part.end)
            and not (span.type in FINDINGS and names_something_else(text, span.start, span.end))
            and not (span.type in FINDINGS and _HOLDS_CUE.search(text, span.start + 1, span.end))
            and not _PREDICATE.fullmatch(text, span.start, span.end)
            and not (
                span.type is EntityType.DRUG and _FRAGMENT.fullmatch(text, span.start, span.end)
            )
        ]
        spans, own = union(found, listed), set(found)
        spans = _sorted([*spans, *listed_findings(document, spans)])
        names = {True: self._recognizer.name, False: self._lexicon.name}
        return spans, [names[span in own] for span in spans]

    def _entities(
        self,
        document: Document,
        spans: Sequence[TypedSpan],
        sources: Sequence[str],
        matches: Sequence[Match],
    ) -> list[Entity]:
        text = document.text
        # Where both name a place, the base says what its term means.
        named = {(m.start, m.end, EntityType(m.kind.value) in FINDINGS): m for m in matches}
        denied = {(start, end): match.denied for (start, end, _), match in named.items()}
        read = assertions(document, spans, denied)
        entities = []
        for number, (span, source, assertion) in enumerate(
            zip(spans, sources, read, strict=True), 1
        ):
            words = text[span.start : span.end]
            match = named.get((span.start, span.end, span.type in FINDINGS))
            entity = Entity(
                id=f"e{number}",
                start=span.start,
                end=span.end,
                text=words,
                type=span.type,
                polarity=assertion.polarity,
                certainty=assertion.certainty,
                temporality=assertion.temporality,
                subject=assertion.experiencer,
                concept=match.concept if match else "",
                allergen=is_allergen(text, span),
                reassuring=bool(match and match.denied) and assertion.polarity is Polarity.ABSENT,
                source=source,
                score=span.score,
            )
            self._code(entity)
            entities.append(entity)
        return entities

    @staticmethod
    def _specify(entity: Entity, folded: str, parts: Sequence[Section]) -> None:
        """What only the words around an entity tell: a test's specimen, an allergy's heading."""
        if entity.type is EntityType.TEST and entity.concept:
            counted = entity.concept.replace("百分比", "绝对值")
            if entity.unit == "10^9/L" and shipped_test(counted):
                # 中性粒细胞 2.0×10^9/L is a count.
                entity.concept = counted
            specimen = specimen_at(folded, entity.start, entity.unit)
            if not entity.concept.startswith(specimen):
                entity.concept = f"{specimen}{entity.text}"
        elif entity.type is EntityType.DRUG and entity.section == "过敏史" and not entity.value:
            start = next(p.start for p in parts if p.start <= entity.start < p.end)
            lead = folded[start : entity.start].partition(":")[2]
            entity.allergen |= entity.polarity is Polarity.PRESENT and not _NO_ALLERGEN.search(lead)

    @staticmethod
    def _terms(entity: Entity, normalise: Normalise) -> list[Coding]:
        """The standard terms of the wording, else of the concept that the base knows it by."""
        found = normalise(entity.text)
        if entity.concept and not (found and found[0].score == 1):
            known = normalise(entity.concept)
            if known and known[0].score == 1:
                return [code.model_copy(update={"score": _BY_CONCEPT}) for code in known]
        return found

    def _code(self, entity: Entity) -> None:
        if entity.type is EntityType.DISEASE and self._normalise is not None:
            entity.codes = [
                code
                for code in self._terms(entity, self._normalise)
                if not is_another(entity.text, code.name)
            ]
        elif entity.type is EntityType.DRUG:
            generic = self._drugs.generic(entity.text)
            if generic is not None:
                entity.concept = generic
                entity.codes = [Coding(system="generic-name", name=generic, score=1.0)]


def is_another(diagnosis: str, term: str) -> bool:
    """Whether a term leaves out what makes the diagnosis another: 慢性非萎缩性胃炎 is no
    萎缩性胃炎, what is left of a stroke or was operated is not the stroke."""
    if any(word in diagnosis and word not in term for word in ("后遗症", "陈旧")):
        return True
    if "术后" in diagnosis and "后" not in term and not TUMOUR.search(diagnosis):
        return True
    return any(
        f"非{rest}" not in term and rest in term
        for rest in (diagnosis[at + 1 : at + 4] for at, c in enumerate(diagnosis) if c == "非")
        if len(rest) == 3
    )


def _times(text: str, anchors: Anchors) -> list[Time]:
    """The times of a note, and what is written as a date and is none: it dates nothing else."""
    none = impossible_dates(text)
    found = [
        time
        for time in times(text, anchors)
        if not any(time.start < day.end and day.start < time.end for day in none)
    ]
    found += [Time(day.start, day.end, "date") for day in none]
    return sorted(found, key=lambda time: time.start)


def _sorted(spans: Sequence[TypedSpan]) -> list[TypedSpan]:
    return sorted(set(spans), key=lambda s: (s.start, -s.end, s.type))


def _parts(text: str, span: TypedSpan) -> Iterator[TypedSpan]:
    """What a model takes for one name over the end of a sentence or line is several."""
    start = span.start
    for mark in [*_MARK.finditer(text, span.start, span.end), None]:
        end = mark.start() if mark else span.end
        if end - start >= min(2, span.end - span.start):
            yield replace(span, start=start, end=end)
        start = mark.end() if mark else end


def _without_denial(folded: str, span: TypedSpan, listed_at: set[int]) -> TypedSpan:
    """A finding without the 无 or no that a model takes into its name, where a listed one begins
    right behind that and none with it (无脉症 is a name)."""
    if span.type not in FINDINGS or span.start in listed_at:
        return span
    lead = _DENIAL_LEAD.match(folded, span.start, span.end)
    if lead is None or lead.end() not in listed_at:
        return span
    return replace(span, start=lead.end())


def _cut(text: str, span: TypedSpan) -> TypedSpan:
    """What a model takes for a part of a name and is none: the verb of a drug (缬沙坦换为), the
    doubt of a finding (主动脉夹层待排, 疑似过敏), whose it is (母梅毒)."""
    if span.type in FINDINGS and (lead := _LEAD.match(text, span.start)):
        # A name that is nothing but a lead stays as it is.
        span = replace(span, start=lead.end() if lead.end() < span.end else span.start)
    if span.type in FINDINGS and (doubt := _DOUBT.search(text, span.start + 2, span.end)):
        return replace(span, end=doubt.start())
    if span.type in FINDINGS and (later := _LATER.search(text, span.start + 2, span.end)):
        return replace(span, end=later.start())
    if span.type is EntityType.DRUG and span.end - span.start > 2:
        if text[span.end - 1] in _VERBS:
            return replace(span, end=span.end - 1)
        if text[span.start] in _VERBS_BEFORE:
            return replace(span, start=span.start + 1)
    return span


def _is_foreign(text: str) -> bool:
    """Whether there is much more Latin text than Chinese: nothing in it is read."""
    latin, chinese = len(_LATIN.findall(text)), len(_CHINESE.findall(text))
    return latin >= _FEW_WORDS and latin > chinese
