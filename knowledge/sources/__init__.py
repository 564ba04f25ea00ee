"""Readers of knowledge sources; each yields typed facts or passages with their provenance."""

from knowledge.sources.clinical import ClinicalEntries
from knowledge.sources.cmekg import CMeKG
from knowledge.sources.disease_records import DiseaseRecords
from knowledge.sources.fact import Fact, KnowledgeSource, Passage, Relation, Source, SourceError
from knowledge.sources.guidelines import Guidelines
from knowledge.sources.icd10 import Icd10Table

__all__ = [
    "CMeKG",
    "ClinicalEntries",
    "DiseaseRecords",
    "Fact",
    "Guidelines",
    "Icd10Table",
    "KnowledgeSource",
    "Passage",
    "Relation",
    "Source",
    "SourceError",
]
