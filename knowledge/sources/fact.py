"""What a source of knowledge yields: facts, passages, and where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class SourceError(Exception):
    """A source cannot be read; the message says which and why."""


class Relation(StrEnum):
    """What a fact says about its subject, a disease unless noted."""

    SYMPTOM = "symptom"
    SIGN = "sign"
    TEST = "test"
    DRUG = "drug"
    DEPARTMENT = "department"
    COMPLICATION = "complication"
    POPULATION = "population"
    SEX = "sex"
    CAUSE = "cause"
    RISK = "risk"
    ALIAS = "alias"
    ICD10 = "icd10"
    DIFFERENTIAL = "differential"
    TREATMENT = "treatment"
    BROADER = "broader"
    NARROWER = "narrower"
    SITE = "site"
    TRANSMISSION = "transmission"
    PROGNOSIS = "prognosis"
    PREVENTION = "prevention"
    DESCRIPTION = "description"
    INSURED = "insured"
    INCIDENCE = "incidence"
    CODE_NAME = "code_name"  # subject is a diagnosis name of a code table, object its code
    INDICATION = "indication"  # subject is a drug, object what it treats
    ADVERSE_EFFECT = "adverse_effect"  # subject is a drug
    CONTRAINDICATION = "contraindication"  # subject is a drug
    CAUTION = "caution"  # subject is a drug or a test
    DOSAGE = "dosage"  # subject is a drug
    INTERACTION = "interaction"  # subject is a drug
    INGREDIENT = "ingredient"  # subject is a drug
    GENERIC_NAME = "generic_name"  # subject is a drug
    BRAND_NAME = "brand_name"  # subject is a drug


@dataclass(frozen=True)
class Source:
    """Provenance: which source, which version of it, under which licence."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True)
class Fact:
    """``subject`` — ``relation`` — ``object``, as ``source`` has it under ``key``."""

    subject: str
    relation: Relation
    object: str
    source: Source
    key: str


@dataclass(frozen=True)
class Passage:
    """A piece of text that can be cited.  ``id`` is unique in a base and stable across builds.

    ``source`` names the source, ``version`` its version, and ``key`` the place in it.  ``kind`` is
    disease, drug, test or guideline.
    """

    id: str
    subject: str
    title: str
    text: str
    source: str
    version: str
    key: str
    kind: str


class KnowledgeSource(Protocol):
    """A reader of one source."""

    @property
    def source(self) -> Source:
        """Its provenance; the version changes when the content does."""

    def facts(self) -> Iterator[Fact]:
        """Its facts; raises `SourceError` when it cannot be read."""

    def passages(self) -> Iterator[Passage]:
        """Its ready-made passages (texts that are not built from facts)."""


def file_digest(paths: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of files, for a version that follows the content.

    Raises:
        SourceError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()
