"""Questions that would tell most between the candidates, and the ranking after their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from assistant.draft import DISCLAIMER_ZH
from assistant.record.case import Case
from assistant.tasks.differential.case_context import read_evidence
from assistant.tasks.differential.draft import AskedFinding
from assistant.tasks.differential.ranking_member import asked
from knowledge.base import KnowledgeBase

SHOWN = 5


class FindingAnswer(BaseModel):
    """What was answered when the finding was asked for."""

    finding: str = Field(min_length=1, max_length=60)
    answer: Literal["yes", "no", "unknown"]


class RankedName(BaseModel):
    """A candidate with its probability among the curated entries."""

    name: str
    icd10: str | None = None
    probability: float
    must_not_miss: bool = False


class Reranking(BaseModel):
    """The candidates after the answers.  The answers are no part of the record."""

    diagnoses: list[RankedName] = Field(default_factory=list)
    questions: list[AskedFinding] = Field(default_factory=list)
    answers: list[FindingAnswer] = Field(default_factory=list)
    unknown_findings: list[str] = Field(default_factory=list)
    knowledge_version: str = ""
    disclaimer: str = DISCLAIMER_ZH


def rerank(case: Case, knowledge: KnowledgeBase, answers: Sequence[FindingAnswer]) -> Reranking:
    """Rank a case again with what was answered; a later answer to the same question counts.

    ``unknown_findings`` are those that the vocabulary does not have: they change nothing.
    """
    clinical = knowledge.clinical
    last = {answer.finding: answer for answer in answers}
    strange = [name for name in last if clinical.known.kind(name) is None]
    _, evidence = read_evidence(case, knowledge)
    answered = evidence.answered(
        {
            name: one.answer == "yes"
            for name, one in last.items()
            if one.answer != "unknown" and name not in strange
        }
    )
    differential = clinical.differential(answered)
    return Reranking(
        diagnoses=[
            RankedName(
                name=c.entry.name,
                icd10=c.entry.icd10[0] if c.entry.icd10 else None,
                probability=round(c.probability, 4),
                must_not_miss=c.entry.critical,
            )
            for c in differential.candidates(SHOWN)
        ],
        questions=asked(differential.questions(leave_out=list(last))),
        answers=list(last.values()),
        unknown_findings=strange,
        knowledge_version=knowledge.version,
    )
