"""Facts of all sources → diseases with concepts, weights and popularity."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from knowledge.disease import Disease
from knowledge.families import share_in_families
from knowledge.ranking.critical import critical_diseases
from knowledge.sources.clinical import NAME as CURATED
from knowledge.sources.fact import Fact, Relation
from knowledge.text.folding import fold
from knowledge.text.synonyms import SynonymTable, TermKind
from knowledge.vocabulary import Vocabulary

_CURATED = frozenset({Relation.ALIAS, Relation.ICD10, Relation.DEPARTMENT})
_FINDINGS = (Relation.SYMPTOM, Relation.SIGN)
# A subject with one of these is a disease.
_DISEASE_RELATIONS = frozenset(
    {Relation.SYMPTOM, Relation.SIGN, Relation.DEPARTMENT, Relation.ICD10, Relation.COMPLICATION}
)
_DRUG_RELATIONS = frozenset(
    {Relation.INDICATION, Relation.ADVERSE_EFFECT, Relation.CONTRAINDICATION, Relation.DOSAGE}
)
_DISEASE_END = re.compile(r"[病炎症癌瘤疮疹癣疣疝痔疖痈疸瘫喘]$")
_LATIN_ALIAS = re.compile(r"[A-Za-z .'’—-]+")
# Disease names that occur inside other words (良性病变).
_AMBIGUOUS = frozenset({"性病"})
# How far a listed finding is trusted to be typical.
_WEIGHTS = {Relation.SYMPTOM: 1.0, Relation.SIGN: 0.9}
_INDIRECT = 0.8


@dataclass
class Subject:
    """All facts about one subject, by relation, in source order without repeats."""

    name: str
    values: dict[Relation, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    sources: dict[str, None] = field(default_factory=dict)

    def get(self, *relations: Relation) -> tuple[str, ...]:
        """The objects of these relations."""
        found: dict[str, None] = {}
        for relation in relations:
            found.update(self.values.get(relation, {}))
        return tuple(found)

    @property
    def is_drug(self) -> bool:
        """Whether the subject is a medicine."""
        return not _DRUG_RELATIONS.isdisjoint(self.values)

    @property
    def is_disease(self) -> bool:
        """Whether the subject is a disease."""
        return not self.is_drug and not _DISEASE_RELATIONS.isdisjoint(self.values)


@dataclass
class GraphData:
    """What a graph is made of; all sequences are parallel to ``diseases`` or ``concepts``."""

    diseases: list[Disease]
    popularity: list[float]
    concepts: list[str]
    weights: list[dict[int, float]]  # per disease: concept number → trust
    terms: dict[str, tuple[str, TermKind]]  # wording → concept and kind, for extraction


def group_by_subject(facts: Iterable[Fact]) -> dict[str, Subject]:
    """Facts of all sources, gathered by the subject's folded name.

    What a curated entry is called and how it is coded, only the entry says; it comes first.
    """
    subjects: dict[str, Subject] = {}
    meant: dict[str, str] = {}
    for fact in facts:
        if fact.relation is Relation.CODE_NAME or not fact.subject or not fact.object:
            continue
        name = fact.subject
        if fact.source.name != CURATED:
            # 类风湿性关节炎 of a source is the entry 类风湿关节炎, which has it for another name.
            name = meant.get(fold(name), name)
        elif fact.relation is Relation.ALIAS:
            meant[fold(fact.object)] = name
        subject = subjects.setdefault(fold(name), Subject(name))
        if fact.relation in _CURATED and CURATED in subject.sources and fact.source.name != CURATED:
            continue
        subject.values[fact.relation][fact.object] = None
        subject.sources[fact.source.name] = None
    return subjects


def build_graph(subjects: dict[str, Subject], table: SynonymTable) -> GraphData:
    """Diseases, concepts and weights from grouped facts."""
    diseased = [subject for subject in subjects.values() if subject.is_disease]
    names = {subject.name for subject in diseased}
    phrases = (phrase for subject in diseased for phrase in subject.get(*_FINDINGS))
    vocabulary = Vocabulary(phrases, table, names)
    numbers: dict[str, int] = {}
    diseases: list[Disease] = []
    weights: list[dict[int, float]] = []
    all_listed = [_listed_concepts(subject, vocabulary) for subject in diseased]
    common = Counter(concept for listed in all_listed for concept in listed)
    for subject, unordered in zip(diseased, all_listed, strict=True):
        # Well-known findings first, and of those the ones that most diseases name.
        listed = dict(
            sorted(unordered.items(), key=lambda p: (p[0] not in table.concepts, -common[p[0]]))
        )
        diseases.append(_disease(subject, vocabulary, listed))
        weights.append(
            {numbers.setdefault(c, len(numbers)): max(w.values()) for c, w in listed.items()}
        )
    share_in_families([disease.name for disease in diseases], weights)
    _credit_critical(diseases, weights, numbers)
    return GraphData(
        diseases=diseases,
        popularity=_popularity(diseases, subjects),
        concepts=list(numbers),
        weights=weights,
        terms=_terms(vocabulary, diseases),
    )


def _credit_critical(
    diseases: list[Disease], weights: list[dict[int, float]], numbers: dict[str, int]
) -> None:
    """Credit the diseases that must not be missed with the findings of the curated list."""
    rows = {fold(disease.name): row for disease, row in zip(diseases, weights, strict=True)}
    for entry in critical_diseases():
        row = rows.get(fold(entry.name))
        if row is not None:
            for concept in frozenset().union(*entry.triggers):
                number = numbers.setdefault(concept, len(numbers))
                row[number] = max(row.get(number, 0.0), _WEIGHTS[Relation.SIGN])


def _listed_concepts(subject: Subject, vocabulary: Vocabulary) -> dict[str, dict[Relation, float]]:
    listed: dict[str, dict[Relation, float]] = defaultdict(dict)
    for relation in _FINDINGS:
        for phrase in subject.get(relation):
            concepts = vocabulary.concepts(phrase)
            trust = _WEIGHTS[relation] * (1.0 if len(concepts) == 1 else _INDIRECT)
            for concept in concepts:
                if fold(concept) != fold(subject.name):
                    listed[concept][relation] = max(trust, listed[concept].get(relation, 0.0))
    # A disease that is named after a finding has it.
    for concept in vocabulary.concepts_in_name(subject.name):
        listed[concept].setdefault(Relation.SYMPTOM, 1.0)
    return listed


def _disease(
    subject: Subject, vocabulary: Vocabulary, listed: dict[str, dict[Relation, float]]
) -> Disease:
    complications = dict.fromkeys(subject.get(Relation.COMPLICATION))
    complications.update(
        (phrase, None) for phrase in subject.get(*_FINDINGS) if vocabulary.is_disease(phrase)
    )
    extra = {
        relation.value: subject.get(relation)
        for relation in (Relation.BROADER, Relation.NARROWER, Relation.SITE, Relation.SEX,
                         Relation.RISK, Relation.TRANSMISSION, Relation.PROGNOSIS,
                         Relation.PREVENTION, Relation.INCIDENCE)
        if subject.get(relation)
    }  # fmt: skip
    return Disease(
        name=subject.name,
        aliases=_aliases(subject),
        icd10=subject.get(Relation.ICD10),
        departments=subject.get(Relation.DEPARTMENT),
        symptoms=tuple(c for c, w in listed.items() if Relation.SYMPTOM in w),
        signs=tuple(c for c, w in listed.items() if Relation.SYMPTOM not in w),
        tests=subject.get(Relation.TEST),
        drugs=subject.get(Relation.DRUG),
        treatments=subject.get(Relation.TREATMENT),
        complications=tuple(c for c in complications if c != subject.name),
        population=subject.get(Relation.POPULATION),
        causes=subject.get(Relation.CAUSE),
        differentials=subject.get(Relation.DIFFERENTIAL),
        description="\n".join(subject.get(Relation.DESCRIPTION)),
        sources=tuple(subject.sources),
        passage_id=f"{'clinical' if CURATED in subject.sources else 'disease'}-{subject.name}",
        extra=extra,
    )


def _popularity(diseases: list[Disease], subjects: dict[str, Subject]) -> list[float]:
    """log(1 + mentions): drugs sold for a disease and mentions as complication or differential.

    What is sold for and written about a disease grows with how often it is seen.
    """
    mentions: Counter[str] = Counter()
    for subject in subjects.values():
        relations = (
            (Relation.INDICATION,)
            if subject.is_drug
            else (Relation.COMPLICATION, Relation.DIFFERENTIAL, *_FINDINGS)
        )
        mentions.update({fold(value) for value in subject.get(*relations)})
    return [
        math.log1p(len(d.drugs) + sum(mentions[fold(name)] for name in {d.name, *d.aliases}))
        for d in diseases
    ]


def _aliases(subject: Subject) -> tuple[str, ...]:
    """The other names, one by one (sources join some with commas and semicolons)."""
    pieces = (p.strip() for a in subject.get(Relation.ALIAS) for p in re.split(r"[;；,，、]", a))
    return tuple(dict.fromkeys(piece for piece in pieces if piece and piece != subject.name))


def _is_term(alias: str) -> bool:
    """Whether an alias is safe to look for in notes (sources give 结肠 as an alias, too)."""
    if len(alias) > 20 or _LATIN_ALIAS.fullmatch(alias):
        return False
    return len(alias) > 2 or _DISEASE_END.search(alias) is not None


def _terms(vocabulary: Vocabulary, diseases: list[Disease]) -> dict[str, tuple[str, TermKind]]:
    terms: dict[str, tuple[str, TermKind]] = {}
    for disease in diseases:
        if len(disease.name) > 1 and disease.name not in _AMBIGUOUS:
            terms.setdefault(disease.name, (disease.name, TermKind.DISEASE))
        for alias in disease.aliases:
            if _is_term(alias):
                terms.setdefault(alias, (disease.name, TermKind.DISEASE))
    for term, count in vocabulary.terms:
        concepts = vocabulary.concepts(term)
        if len(concepts) == 1 and (concepts[0] != term or count > 2):
            terms.setdefault(term, (concepts[0], TermKind.SYMPTOM))
    return terms
