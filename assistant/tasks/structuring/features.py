"""A report and a template → a table whose cells point to the words that they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from pydantic import BaseModel, Field

from assistant.tasks.structuring.entity import Flag, Mention
from assistant.tasks.structuring.lesions import Lesion, find_lesions
from assistant.tasks.structuring.measurements import Measurements
from assistant.tasks.structuring.sentences import clauses, sentences
from assistant.tasks.structuring.span import EntityType, TypedSpan
from assistant.tasks.structuring.specimen import specimen_at
from assistant.tasks.structuring.template import Feature, FeatureKind, Template
from knowledge.text.assertion.engine import assert_terms
from knowledge.text.assertion.status import Assertion
from knowledge.text.finding import Certainty, Experiencer, Polarity
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.phrases import phrases_of
from knowledge.text.quantity import Comparator, Quantity, quantities
from knowledge.text.synonyms import TermKind
from knowledge.text.term_table import shipped_test
from knowledge.text.terms import find_terms

PRESENT, ABSENT, DOUBTED = "有", "无", "可疑"
_REACH = 60
_PHRASES = phrases_of("assistant.tasks.structuring")
_MARKER = _PHRASES["marker"]
_NOW = _PHRASES["now"]
_NOW_SIZED = _PHRASES["now_sized"]
_CLAUSE_MARK = re.compile(r"[,，;；]")
_ABSORBED = _PHRASES["absorbed"]
_STOP = re.compile(r"[。;\n]")
# 肿瘤距下切缘2cm tells no size.
_DISTANCE = _PHRASES["distance"]
_LARGEST_OF = _PHRASES["largest"]
_EARLIER = _PHRASES["earlier"]


class Cell(BaseModel):
    """A value with the words that say so; ``value`` is None when the report does not tell."""

    value: str | None = None
    unit: str | None = None
    comparator: Comparator = ""
    flag: Flag | None = None
    reference: str | None = None
    evidence: list[Mention] = Field(default_factory=list)


class Row(BaseModel):
    """One report, or one lesion of it."""

    note_id: str
    row: int
    cells: dict[str, Cell]


class FeatureTable(BaseModel):
    """The features of a template, from one report or many."""

    template: str
    columns: list[str]
    titles: dict[str, str]
    rows: list[Row] = Field(default_factory=list)


def new_table(template: Template) -> FeatureTable:
    """The table of a template, without rows."""
    return FeatureTable(
        template=template.name,
        columns=template.columns,
        titles={feature.name: feature.title for feature in template.features},
    )


def extract_features(text: str, note_id: str, template: Template) -> list[Row]:
    """The rows of one report: one for each lesion, or one when there is none to tell apart."""
    report = _Report(text, template)
    lesions: list[Lesion | None] = [*report.lesions(template)] or [None]
    return [
        Row(
            note_id=note_id,
            row=number,
            cells={
                feature.name: report.read(feature, lesion if feature.scope != "report" else None)
                for feature in template.features
                # Where no lesion is told of, what belongs to a lesion is looked for everywhere:
                # 未见结节 is said of the whole lung.
            },
        )
        for number, lesion in enumerate(lesions, 1)
    ]


class _Report:
    """One report being read."""

    def __init__(self, text: str, template: Template) -> None:
        self.text = text
        self._lesion = template.rows.find if template.rows else None
        self.folded = fold(text)
        self._sentences = sentences(text)
        self._clauses = clauses(text)
        self._whole: dict[str, Cell] = {}
        self._told: dict[str, list[tuple[Match, Assertion]]] = {}

    @cached_property
    def _quantities(self) -> list[Quantity]:
        return quantities(self.text)

    @cached_property
    def _measurements(self) -> Measurements:
        return Measurements(self.text)

    @cached_property
    def _tests(self) -> list[Match]:
        return find_terms(self.text)

    def lesions(self, template: Template) -> list[Lesion]:
        """The lesions that the report tells of, where rows are lesions."""
        if template.rows is None:
            return []
        places = [m.span() for m in self._hits(template.rows.place)]
        hits = [
            (hit.start, hit.end)
            for hit, assertion in self._asserted(template.rows.find)
            if assertion.polarity is not Polarity.ABSENT
        ]
        return find_lesions(self.folded, self._sentences, places, hits)

    def _hits(self, pattern: str, lesion: Lesion | None = None) -> Iterator[re.Match[str]]:
        start, end = (lesion.start, lesion.end) if lesion else (0, len(self.text))
        for match in self._between(pattern, start, end):
            if lesion is None or lesion.holds(*match.span()):
                yield match

    def _between(self, pattern: str, start: int, end: int) -> Iterator[re.Match[str]]:
        for match in re.compile(pattern, re.IGNORECASE).finditer(self.folded, start, end):
            if match.end() > match.start():
                yield match

    def _asserted(
        self, pattern: str, lesion: Lesion | None = None
    ) -> list[tuple[Match, Assertion]]:
        """The patient's own hits of the lesion, or of the report.  How they are meant, the whole
        report tells."""
        if pattern not in self._told:
            hits = [Match(*_asserted_part(m), "", TermKind.SIGN) for m in self._hits(pattern)]
            self._told[pattern] = [
                pair
                for pair in zip(hits, assert_terms(self.text, hits), strict=True)
                if pair[1].experiencer is Experiencer.PATIENT
            ]
        return [
            pair
            for pair in self._told[pattern]
            if lesion is None or lesion.holds(pair[0].start, pair[0].end)
        ]

    def read(self, feature: Feature, lesion: Lesion | None) -> Cell:
        """The cell of one feature; what is told of the whole report is read once."""
        if lesion is not None and feature.scope == "place":
            named = self._read(feature, replace(lesion, end=lesion.named))
            return named if named.value else self._read(feature, lesion)
        if lesion is not None:
            return self._read(feature, lesion)
        if feature.name not in self._whole:
            self._whole[feature.name] = self._read(feature, None)
        return self._whole[feature.name]

    def _read(self, feature: Feature, lesion: Lesion | None) -> Cell:
        return {
            FeatureKind.PRESENCE: self._presence,
            FeatureKind.CHOICE: self._choice,
            FeatureKind.QUANTITY: self._quantity,
            FeatureKind.TEST: self._test,
            FeatureKind.MARKER: self._marker,
            FeatureKind.TEXT: self._text,
            FeatureKind.SUM: self._sum,
        }[feature.kind](feature, lesion)

    def _mention(self, start: int, end: int) -> Mention:
        return Mention(start=start, end=end, text=self.text[start:end])

    def _clause(self, start: int, end: int) -> Mention:
        """The hit with the words of its clause before it, where its denial stands."""
        begin = max(self.folded.rfind(mark, 0, start) for mark in ",。;\n") + 1
        begin += len(self.text[begin:start]) - len(self.text[begin:start].lstrip())
        return self._mention(max(begin, start - _REACH), end)

    def _presence(self, feature: Feature, lesion: Lesion | None) -> Cell:
        """What is said to be there wins over what is doubted, and that over what is denied; but
        现未见 is the last word."""
        found: dict[str, Match] = {}
        for hit, assertion in self._asserted(feature.find or "", lesion):
            if _ABSORBED.match(self.folded, hit.end):
                found.setdefault(ABSENT, hit)
            elif assertion.polarity is Polarity.ABSENT:
                found.setdefault(ABSENT, hit)
                begin, _ = self._clauses.at(hit.start)
                if _NOW.search(self.folded, begin, hit.start):
                    found = {ABSENT: hit}
                    break
            elif assertion.certainty is Certainty.UNCERTAIN:
                found.setdefault(DOUBTED, hit)
            else:
                found.setdefault(PRESENT, hit)
        for value in (PRESENT, DOUBTED, ABSENT):
            if value in found:
                hit = found[value]
                return Cell(value=value, evidence=[self._clause(hit.start, hit.end)])
        return Cell()

    def _is_denied(self, start: int, end: int) -> bool:
        """Whether the clause denies it; 无毛刺，边缘光滑 denies no margin."""
        begin, stop = self._clauses.at(start)
        stop = max(stop, end)
        hit = Match(start - begin, end - begin, "", TermKind.SIGN)
        return assert_terms(self.text[begin:stop], [hit])[0].polarity is Polarity.ABSENT

    def _choice(self, feature: Feature, lesion: Lesion | None) -> Cell:
        chosen: list[tuple[int, int, str]] = []
        for label, pattern in feature.options.items():
            chosen += [
                (*_asserted_part(hit), label)
                for hit in self._hits(pattern, lesion)
                if not self._is_denied(*_asserted_part(hit))
            ]
        if not chosen:
            return Cell()
        chosen.sort(key=lambda hit: (hit[0], -hit[1]))
        if feature.pick == "listed":
            listed = list(feature.options)
            chosen.sort(key=lambda hit: listed.index(hit[2]))
        # 左肺上、下叶: what is named first ends first.
        kept = sorted(chosen, key=lambda h: h[1]) if feature.pick == "all" else chosen[:1]
        labels = dict.fromkeys(label for _, _, label in kept)
        return Cell(
            value="、".join(labels), evidence=[self._mention(start, end) for start, end, _ in kept]
        )

    def _quantity(self, feature: Feature, lesion: Lesion | None) -> Cell:
        """The number behind ``find`` in its sentence (anywhere without it), not that of an earlier
        examination; a compound counts by its largest."""
        start, end = (lesion.start, lesion.end) if lesion else (0, len(self.text))
        anchors = [m.end() for m in self._hits(feature.find, lesion)] if feature.find else [start]
        reach = _REACH if feature.find else end - start
        found: list[Quantity] = []
        for quantity in self._quantities:
            if not start <= quantity.start < end or quantity.unit_text not in feature.units:
                continue
            near = any(
                0 <= quantity.start - anchor <= reach
                and not (feature.find and _STOP.search(self.folded, anchor, quantity.start))
                for anchor in anchors
            )
            if not near or _EARLIER.search(
                self.folded, max(0, quantity.start - _REACH), quantity.start
            ):
                continue
            if _DISTANCE.search(self.folded, max(0, quantity.start - _REACH), quantity.start):
                continue
            if feature.unless and self._belongs_to_another(feature, quantity.start):
                continue
            found.append(quantity)
        found = [
            q for q in found if _NOW_SIZED.search(self.folded, max(0, q.start - _REACH), q.start)
        ] or found
        if not found:
            return Cell()
        best = max(found, key=lambda q: max(q.base)) if feature.pick == "largest" else found[0]
        own = lesion.own_size(self.folded, [(q.start, q.end) for q in found]) if lesion else None
        best = best if own is None else found[own]
        sign, begin = best.comparator, max(start, best.lead)
        if lesion and lesion.others and own is None:
            largest = _LARGEST_OF.search(self.folded, start, begin)
            if largest or len({max(q.base) for q in found}) > 1:
                # 右肺上叶、左肺下叶见结节，大者约8mm: which of them it is, nobody says.
                if sign in (">", ">="):
                    return Cell()
                sign = sign or "<="
        words = self._mention(begin, best.tail)
        return Cell(value=best.value_text, unit=best.unit_text, comparator=sign, evidence=[words])

    def _is_counted(self, hits: Sequence[re.Match[str]], hit: re.Match[str]) -> bool:
        """Whether the sum of its sentence holds it already: 3/10，其中第7组1/3."""
        begin, _ = self._sentences.at(hit.start())
        first = next(other for other in hits if other.start() >= begin)
        _, among, gap = self.text[first.end() : hit.start()].rpartition("其中")
        return bool(among) and not _CLAUSE_MARK.search(gap)

    def _belongs_to_another(self, feature: Feature, number: int) -> bool:
        """Whether what ``unless`` names stands nearer to the number, in its sentence, than the
        lesion, or than what ``find`` names where the feature is of no lesion."""
        begin, _ = self._sentences.at(number)
        own = self._lesion if feature.scope != "report" else feature.find

        def last(pattern: str | None) -> int:
            before = self._between(pattern, begin, number) if pattern else ()
            return max((hit.end() for hit in before), default=-1)

        return last(feature.unless) > last(own)

    def _test(self, feature: Feature, lesion: Lesion | None) -> Cell:
        """The last result that the report gives: they are told in the order in which they came."""
        last = Cell()
        for match, limit in self._test_spans(feature.names):
            span = TypedSpan(match.start, match.end, EntityType.TEST)
            found = self._measurements.of(span, limit)
            specimen = specimen_at(self.folded, match.start, found.unit if found else None)
            if found is not None and match.concept.startswith(specimen):
                name = self._mention(match.start, match.end)
                last = Cell(
                    value=found.value,
                    unit=found.unit or None,
                    comparator=found.comparator,
                    flag=found.flag,
                    reference=found.reference or None,
                    evidence=[name, self._mention(found.start, found.end)],
                )
        return last

    def _test_spans(self, names: Sequence[str]) -> Iterator[tuple[Match, int]]:
        """The tests of these names, each with where the next test begins."""
        tests = [m for m in self._tests if m.kind is TermKind.TEST]
        concepts = {shipped_test(name) for name in names}
        for number, match in enumerate(tests):
            if match.concept in concepts:
                following = tests[number + 1].start if number + 1 < len(tests) else len(self.text)
                yield match, min(following, match.end + _REACH)

    def _marker(self, feature: Feature, lesion: Lesion | None) -> Cell:
        names = sorted(map(fold, feature.names), key=len, reverse=True)
        pattern = rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, names))})(?![a-z0-9])"
        for hit in self._hits(pattern, lesion):
            result = _MARKER.match(self.folded, hit.end())
            if result:
                start, end = result.span("value")
                return Cell(
                    value=self.text[start:end],
                    flag=_sign(self.folded[start:end]),
                    evidence=[self._mention(hit.start(), end)],
                )
        return Cell()

    def _text(self, feature: Feature, lesion: Lesion | None) -> Cell:
        values: list[Mention] = []
        for hit in self._hits(feature.find or "", lesion):
            start, end = hit.span("value")
            if end > start >= 0:
                values.append(self._mention(start, end))
        kept = values if feature.pick == "all" else values[:1]
        joined = "、".join(dict.fromkeys(mention.text for mention in kept))
        return Cell(value=joined, evidence=kept) if kept else Cell()

    def _sum(self, feature: Feature, lesion: Lesion | None) -> Cell:
        hits = [
            hit
            for hit in self._hits(feature.find or "", lesion)
            if (hit["value"] or "").isdecimal() and len(hit["value"]) < 7
        ]
        hits = [hit for hit in hits if not self._is_counted(hits, hit)]
        if not hits:
            return Cell()
        total = sum(int(hit["value"]) for hit in hits)
        return Cell(value=str(total), evidence=[self._mention(*hit.span()) for hit in hits])


def _asserted_part(match: re.Match[str]) -> tuple[int, int]:
    """What is asserted or denied: the group ``term`` of a pattern that reaches over a denial."""
    whole = "term" not in match.re.groupindex or match["term"] is None
    return match.span() if whole else match.span("term")


def _sign(result: str) -> Flag | None:
    if "阴" in result or result.startswith("-") or "缺失" in result:
        return "negative"
    return "positive" if "阳" in result or "+" in result else None
