"""What stands behind the name of a diagnosis: the base, a code table, the critical list."""

from __future__ import annotations

from assistant.draft import Problem, Statement
from assistant.grounding.citation import CRITICAL_PREFIX, CRITICAL_SOURCE, passage_about
from assistant.record.evidence import CitedPassage, Evidence
from knowledge.base import KnowledgeBase
from knowledge.coding.coding import CodeCandidate
from knowledge.panel_ranking import critical_diagnosis
from knowledge.ranking.critical import CriticalDiagnosis, critical_diseases
from knowledge.text.folding import fold

# An old or excluded disease is not the emergency that its name ends with.
_NOT_NOW = ("陈旧", "既往", "非", "无", "排除", "除外")


def exact_code(knowledge: KnowledgeBase, *names: str) -> CodeCandidate | None:
    """The code whose standard name is one of ``names``; a code is never guessed."""
    best = next(iter(knowledge.coder.candidates(names[0], limit=1)), None)
    same = best is not None and fold(best.name) in {fold(name) for name in names}
    return best if same else None


def critical_of(knowledge: KnowledgeBase, name: str) -> CriticalDiagnosis | None:
    """What must not be missed under ``name``, by the curated entries or, in a base without any,
    by the list; None where that is nothing.

    The name is the entry's, an alias of it or of the disease in the base, or a closer form that
    ends with one (急性大面积肺栓塞).
    """
    disease = knowledge.graph.disease(name)
    given = {fold(n) for n in (name, *((disease.name, *disease.aliases) if disease else ()))}
    listed = _listed(knowledge)
    same = next((d for d, names in listed if given & set(names)), None)
    if same is not None or fold(name).startswith(_NOT_NOW):
        return same
    return next((d for d, names in listed if fold(name).endswith(names)), None)


def _listed(knowledge: KnowledgeBase) -> list[tuple[CriticalDiagnosis, tuple[str, ...]]]:
    """What must not be missed, with all names, folded."""
    entries = [e for e in knowledge.clinical.entries if e.critical]
    if entries:
        return [
            (critical_diagnosis(e), tuple(fold(n) for n in (e.name, *e.names))) for e in entries
        ]
    return [
        (
            CriticalDiagnosis(d.name, None, (), d.red_flags, d.excluded_by),
            tuple(fold(n) for n in (d.name, *d.aliases)),
        )
        for d in critical_diseases()
    ]


def name_statement(knowledge: KnowledgeBase, statement_id: str, name: str) -> Statement:
    """The name as a statement to review; a name that nothing knows is unsupported."""
    evidence = _evidence(knowledge, name)
    return Statement(
        id=statement_id,
        text=name,
        status="supported" if evidence else "unsupported",
        evidence=[evidence] if evidence else [],
        problems=[] if evidence else [Problem(kind="no_evidence", text=name)],
        origin="knowledge" if evidence else "model",
    )


def _evidence(knowledge: KnowledgeBase, name: str) -> Evidence | None:
    if disease := knowledge.graph.disease(name):
        passage = passage_about(knowledge, disease)
        if passage is not None:
            return CitedPassage(
                quote=passage.text[:80],
                passage_id=passage.id,
                source=passage.source,
            )
        return CitedPassage(quote=disease.name, source="、".join(disease.sources))
    if code := exact_code(knowledge, name):
        return CitedPassage(quote=f"{code.code} {code.name}", source=code.system)
    for entry in critical_diseases():
        if fold(name) in {fold(n) for n in (entry.name, *entry.aliases)}:
            return CitedPassage(
                quote=f"{entry.name}：{entry.red_flags}",
                passage_id=CRITICAL_PREFIX + entry.name,
                source=CRITICAL_SOURCE,
            )
    return None
