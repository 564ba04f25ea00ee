"""罕见病提示: rare diseases to think of, a group of its own beside the ranking."""

from __future__ import annotations

from assistant.draft import Statement
from assistant.record.evidence import CitedPassage, Evidence
from assistant.tasks.differential.case_context import CaseContext
from assistant.tasks.differential.draft import DiagnosisEntry
from assistant.tasks.differential.finding_words import has, record_evidence
from knowledge.rare.passage import (
    citation,
    how_often,
    passage_id,
    phenotype_name,
    rare_passage,
    shown_name,
)
from knowledge.rare.ranking import RareHint, RareReason
from knowledge.rare.table import RareTable

UNEXPLAINED = 6
_LETTERS = {"for": "s", "against": "o", "unexplained": "x"}


def rare_entries(context: CaseContext) -> list[DiagnosisEntry]:
    """The hints of a case as entries of a draft; none of a base without rare diseases."""
    base = context.knowledge.rare
    if base is None:
        return []
    return [_entry(context, base.table, rank, hint) for rank, hint in enumerate(context.rare, 1)]


def _entry(context: CaseContext, table: RareTable, rank: int, hint: RareHint) -> DiagnosisEntry:
    disease = hint.disease
    name = shown_name(disease)
    said: dict[str, list[Statement]] = {"for": [], "against": [], "unexplained": []}
    for number, reason in enumerate(hint.reasons, 1):
        cited = _cited(table, hint, reason) if reason.relation != "unexplained" else []
        statement = Statement(
            id=f"r{rank}-{_LETTERS[reason.relation]}{number}",
            text=_say(reason, name),
            status="supported",
            origin="knowledge",
            evidence=[record_evidence(context, reason.finding), *cited],
        )
        said[reason.relation].append(statement)
    return DiagnosisEntry(
        rank=rank,
        name=name,
        name_statement=_named(table, hint, rank),
        identifiers=list(disease.ids),
        supporting=said["for"],
        opposing=said["against"],
        unexplained=said["unexplained"][:UNEXPLAINED],
    )


def _named(table: RareTable, hint: RareHint, rank: int) -> Statement:
    cited = passage_id(hint.disease)
    passage = rare_passage(table, cited)
    quote = passage.text.splitlines()[0] if passage else hint.disease.name
    return Statement(
        id=f"r{rank}-n",
        text=shown_name(hint.disease),
        status="supported",
        origin="knowledge",
        evidence=[CitedPassage(quote=quote, passage_id=cited, source=table.source)],
    )


def _cited(table: RareTable, hint: RareHint, reason: RareReason) -> list[Evidence]:
    return [
        CitedPassage(
            quote=citation(hint, reason.listed, reason.rate, table.source),
            passage_id=passage_id(hint.disease),
            source=table.source,
        )
    ]


def _say(reason: RareReason, disease: str) -> str:
    said = has(reason.finding)
    name = phenotype_name(reason.listed)
    if reason.relation == "for":
        return f"{said}，符合{disease}（{name}，{how_often(reason.rate)}）"
    if reason.relation == "unexplained":
        return f"{said}，数据未列入{disease}的表型，不作为反对依据"
    if reason.rate == 0:
        return f"{said}，数据记为{disease}不应有（{name}）"
    return f"{said}，不支持{disease}（{name}，{how_often(reason.rate)}）"
