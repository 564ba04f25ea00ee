"""Subject – predicate – object over the CMeIE schemas, from one sentence.

A pair of entities becomes a triple when the sentence says so by a cue, or when the knowledge base
holds the relation.  Schemas whose ends are no entities here (流行病学, 预后 …) are listed, and a
trained model may fill them; the rules do not.
"""

# ruff: noqa: E501 - a pattern reads best on one line

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby

import yaml

from assistant.tasks.structuring.entity import Entity, Mention, Relation
from assistant.tasks.structuring.relations import argument
from assistant.tasks.structuring.sentences import Ranges, trimmed
from assistant.tasks.structuring.span import EntityType
from knowledge.disease import Disease
from knowledge.graph import Graph
from knowledge.text.finding import Temporality
from knowledge.text.folding import fold

_MOST = 40
"""Entities of one sentence that are paired; a longer list is no sentence."""

_BETWEEN = 60
"""Code points between two ends: what stands further apart is hardly one statement."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of relation, in the words of CMeIE."""

    subject: str
    predicate: str
    object: str


@lru_cache(maxsize=1)
def schemas() -> tuple[Schema, ...]:
    """All schemas, in the order of the shipped list."""
    text = (files("assistant.tasks.structuring") / "data" / "schemas.yaml").read_text(
        encoding="utf-8"
    )
    return tuple(Schema(*row) for row in yaml.safe_load(text))


_FINDING = (EntityType.SYMPTOM, EntityType.SIGN)
_OF_DISEASE: dict[EntityType, str] = {
    EntityType.SYMPTOM: "临床表现",
    EntityType.SIGN: "临床表现",
    EntityType.TEST: "实验室检查",
    EntityType.IMAGING: "影像学检查",
    EntityType.DRUG: "药物治疗",
    EntityType.PROCEDURE: "手术治疗",
    EntityType.BODY_PART: "发病部位",
}
_CUES: dict[str, re.Pattern[str]] = {
    "临床表现": re.compile(r"表现为?|症状|体征|主要?为|可有|出现|常见|典型|伴有?|特征"),
    "实验室检查": re.compile(r"检查|诊断|检测|化验|提示|确诊|监测|升高|降低"),
    "影像学检查": re.compile(r"检查|诊断|提示|显示|示|确诊|证实|考虑"),
    "内窥镜检查": re.compile(r"检查|诊断|提示|显示|示|确诊|证实|考虑"),
    "组织学检查": re.compile(r"检查|诊断|提示|示|确诊|证实"),
    "药物治疗": re.compile(r"治疗|给予|予|口服|服用|应用|使用|控制|选用|用药|静滴|首选"),
    "手术治疗": re.compile(r"因|手术|行|治疗|根治|切除"),
    "化疗": re.compile(r"因|行|治疗|后|予|术"),
    "放射治疗": re.compile(r"因|行|治疗|后|予|术"),
}
_TWO_DISEASES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("鉴别诊断", re.compile(r"鉴别")),
    ("同义词", re.compile(r"^(?:[（(,，]?(?:又称|简称|亦称|也称|即|或称|俗称|又名)(?:为|作)?[“\"]?)$")),
    ("相关（转化）", re.compile(r"转化为?|进展为|演变为?|发展为|转变为")),
    ("相关（导致）", re.compile(r"导致|引起(?!的)|引发|诱发|造成")),
    ("相关（导致）", re.compile(r"^(?:所致|引起|导致|所引起)的?$")),
    ("并发症", re.compile(r"并发症?|合并|继发|伴发|并(?=[^且不])|伴(?:有|发)?")),
    ("病理分型", re.compile(r"分为|分型|类型|病理类型|包括")),
)  # fmt: skip
_ENDOSCOPE = re.compile(r"镜")
_HISTOLOGY = re.compile(r"病理|活检|免疫组化|穿刺细胞")
_CLAUSE = re.compile(r"[,;。\n]")
_SPREAD = re.compile(r"^(?:[^,;。]{0,2}?(?:多发)?(?:淋巴结)?转移)")


def triples(
    text: str,
    entities: Sequence[Entity],
    sentences: Ranges,
    graph: Graph | None,
    generic: Callable[[str], str | None] = lambda name: None,
) -> list[Relation]:
    """The triples that the sentences of ``text`` state, each with its sentence.

    What is not stated (see `Entity.is_stated`) is in no triple.  ``generic`` gives the generic
    name of a drug, by which it is looked up in ``graph``.
    """
    reader = _Reader(text, graph, generic)
    stated = (e for e in entities if e.is_stated)
    found: dict[tuple[str, str, str, int], Relation] = {}
    for (start, end), group in groupby(stated, key=lambda e: sentences.at(e.start)):
        inside = [e for e in group if e.end <= end][:_MOST]
        for relation in reader.read(inside, start, end):
            key = (
                relation.subject.text, relation.predicate, relation.object.text, start
            )  # fmt: skip
            found.setdefault(key, relation)
    return list(found.values())


class _Reader:
    def __init__(
        self, text: str, graph: Graph | None, generic: Callable[[str], str | None]
    ) -> None:
        self._text = text
        self._folded = fold(text)
        self._graph = graph
        self._generic = generic
        self._listed: dict[str, frozenset[str]] = {}

    def read(self, entities: Sequence[Entity], start: int, end: int) -> Iterator[Relation]:
        # What is given in spite of an allergy does not treat it.
        diseases = [
            e for e in entities if e.type is EntityType.DISEASE and not e.text.endswith("过敏")
        ]
        if not diseases:
            return
        first, last = trimmed(self._text, start, end)
        sentence = Mention(start=first, end=last, text=self._text[first:last])
        for disease in diseases:
            known = self._disease(disease)
            for other in entities:
                if other is disease:
                    continue
                found = (
                    self._between_diseases(disease, other, known)
                    if other.type is EntityType.DISEASE
                    else self._of_disease(disease, other, known, diseases)
                )
                if found is not None:
                    predicate, source, score = found
                    yield Relation(
                        kind="triple",
                        subject=argument(disease),
                        predicate=predicate,
                        object=argument(other),
                        evidence=sentence,
                        source=source,
                        score=score,
                    )

    def _disease(self, entity: Entity) -> Disease | None:
        if self._graph is None:
            return None
        return self._graph.disease(entity.concept or entity.text) or self._graph.disease(
            entity.text
        )

    def _gap(self, one: Entity, other: Entity) -> str | None:
        """What stands between two entities; None when they are too far apart."""
        left, right = sorted((one, other), key=lambda e: e.start)
        if right.start < left.end:
            return ""
        gap = self._folded[left.end : right.start]
        return gap if len(gap) <= _BETWEEN else None

    def _behind(self, one: Entity, other: Entity) -> str:
        """The few words of the clause behind both: 经CT【证实】, 与肺结核【鉴别】."""
        end = max(one.end, other.end)
        return _CLAUSE.split(self._folded[end : end + 8])[0]

    def _of_disease(
        self, disease: Entity, other: Entity, known: Disease | None, diseases: Sequence[Entity]
    ) -> tuple[str, str, float] | None:
        gap = self._gap(disease, other)
        if gap is None:
            return None
        if other.type is EntityType.BODY_PART:
            return self._site(disease, other)
        predicate = _predicate(other)
        if known is not None and self._holds(known, other):
            return predicate, "knowledge", 0.9
        # A cue binds an entity to the disease that is nearest to it.
        nearest = min(
            diseases, key=lambda d: min(abs(d.start - other.end), abs(other.start - d.end))
        )
        cue = _CUES[predicate].search(gap + self._behind(disease, other))
        return (predicate, "cue", 0.6) if cue and nearest is disease else None

    def _site(self, disease: Entity, part: Entity) -> tuple[str, str, float] | None:
        if disease.start <= part.start and part.end <= disease.end:
            return "发病部位", "form", 0.8
        if disease.end <= part.start and _SPREAD.match(self._folded[part.end : part.end + 10]):
            return "转移部位", "cue", 0.7
        return None

    def _between_diseases(
        self, one: Entity, other: Entity, known: Disease | None
    ) -> tuple[str, str, float] | None:
        if one.end > other.start or one.text == other.text:
            return None
        gap = self._gap(one, other)
        if gap is None:
            return None
        for predicate, cue in _TWO_DISEASES:
            behind = self._behind(one, other) if predicate == "鉴别诊断" else ""
            if cue.search(gap.strip() + behind):
                return predicate, "cue", 0.6
        if known is not None:
            names = {other.text, other.concept}
            if names & set(known.complications):
                return "并发症", "knowledge", 0.8
            if names & set(known.differentials) and "鉴别" in gap:
                return "鉴别诊断", "knowledge", 0.9
        return None

    def _drugs(self, disease: Disease) -> frozenset[str]:
        """The generic names of what the base lists for a disease."""
        if disease.name not in self._listed:
            names = (self._generic(drug) or drug for drug in disease.drugs)
            self._listed[disease.name] = frozenset(names) - {""}
        return self._listed[disease.name]

    def _holds(self, disease: Disease, other: Entity) -> bool:
        names = {other.text, other.concept} - {""}
        if other.type in _FINDING:
            return bool(names & {*disease.symptoms, *disease.signs})
        if other.type is EntityType.DRUG and (
            other.allergen or other.temporality is Temporality.PAST
        ):
            return False
        if other.type is EntityType.DRUG:
            return bool((names | {self._generic(other.text) or ""}) & self._drugs(disease))
        if other.type is EntityType.PROCEDURE:
            return bool(names & set(disease.treatments))
        wanted = names | {f"{name}检查" for name in names}
        return bool(wanted & set(disease.tests))


def _predicate(other: Entity) -> str:
    name = other.concept or other.text
    if other.type is EntityType.IMAGING and _ENDOSCOPE.search(name):
        return "内窥镜检查"
    if other.type is EntityType.TEST and _HISTOLOGY.search(name):
        return "组织学检查"
    if other.type is EntityType.PROCEDURE:
        if "化疗" in name:
            return "化疗"
        if "放疗" in name or "放射" in name:
            return "放射治疗"
    return _OF_DISEASE[other.type]
