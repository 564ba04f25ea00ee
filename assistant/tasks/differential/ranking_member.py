"""The panel's baseline: the knowledge ranking alone, no language model.

It is the honest yardstick beside which a model's answer is read, and it works where no model is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from assistant.draft import Statement
from assistant.grounding.citation import CRITICAL_PREFIX, CRITICAL_SOURCE, passage_about
from assistant.record.evidence import CitedPassage, Evidence
from assistant.settings import KNOWLEDGE_MEMBER
from assistant.tasks.differential.case_context import CaseContext
from assistant.tasks.differential.diagnosis_name import critical_of, exact_code, name_statement
from assistant.tasks.differential.draft import AskedFinding, DiagnosisEntry, DifferentialDraft
from assistant.tasks.differential.finding_words import has, record_evidence
from assistant.tasks.differential.rare_hint import rare_entries
from knowledge.clinical.cautions import applied_cautions
from knowledge.clinical.differential import Question
from knowledge.graph import RankedDisease, Reason
from knowledge.ranking.critical import CriticalDiagnosis
from knowledge.sources import Passage
from knowledge.text.finding import Finding

SHOWN = 5
SECOND = SHOWN + 1
"""The rank under which a second problem stands, so that its statements have ids of their own."""
UNEXPLAINED = 6
_LETTERS = {"for": "s", "against": "o", "unexplained": "x"}


def rank_by_knowledge(context: CaseContext) -> DifferentialDraft:
    """The graph's ranking with its reasons, as a draft like any other member's."""
    started = time.perf_counter()
    entries = [
        _entry(context, rank, ranked) for rank, ranked in enumerate(context.ranked[:SHOWN], 1)
    ]
    warnings = [] if context.ranked else ["病历中没有提取到知识库认识的表现，排序没有依据。"]
    return DifferentialDraft(
        member=KNOWLEDGE_MEMBER,
        model="",
        knowledge_version=context.knowledge.version,
        critical=critical_entries(context),
        diagnoses=entries,
        second_problem=_entry(context, SECOND, context.second) if context.second else None,
        rare=rare_entries(context),
        findings=context.findings,
        missing=context.case.missing_fields(),
        questions=asked(context.questions),
        warnings=warnings,
        seconds=time.perf_counter() - started,
    )


def _entry(context: CaseContext, rank: int, ranked: RankedDisease) -> DiagnosisEntry:
    disease = ranked.disease
    name = disease.name
    passage = passage_about(context.knowledge, disease)
    said: dict[str, list[Statement]] = {"for": [], "against": [], "unexplained": []}
    for number, reason in enumerate(ranked.reasons, 1):
        for_it = reason.relation == "for"
        statement = Statement(
            id=f"d{rank}-{_LETTERS[reason.relation]}{number}",
            text=_say(reason, name),
            status="supported",
            origin="knowledge",
            evidence=[
                record_evidence(context, reason.finding),
                *(knowledge_evidence(passage, reason.concept) if for_it else []),
            ],
        )
        said[reason.relation].append(statement)
    return DiagnosisEntry(
        rank=rank,
        name=name,
        name_statement=name_statement(context.knowledge, f"d{rank}-n", name),
        icd10=disease.icd10[0] if disease.icd10 else None,
        must_not_miss=ranked.must_not_miss,
        score=round(ranked.score, 4),
        supporting=said["for"],
        opposing=said["against"],
        unexplained=said["unexplained"][:UNEXPLAINED],
        ask=known_statements(passage, ranked.to_ask[:4], f"d{rank}-a", "询问有无{}"),
        tests=known_statements(passage, ranked.tests[:4], f"d{rank}-t", "{}"),
        management=_management(passage, ranked, rank),
        cautions=_cautions(context, passage, ranked, rank),
    )


def _management(passage: Passage | None, ranked: RankedDisease, rank: int) -> list[Statement]:
    principles = list(ranked.entry.management) if ranked.entry else []
    return known_statements(passage, principles, f"d{rank}-m", "{}")


def _cautions(
    context: CaseContext, passage: Passage | None, ranked: RankedDisease, rank: int
) -> list[Statement]:
    """The warnings of the entry that apply to this record, each with what makes it apply."""
    if ranked.entry is None:
        return []
    texts = {note.id: note.text for note in context.notes}
    applied = applied_cautions(ranked.entry, context.evidence, texts, context.knowledge.clinical)
    return [
        Statement(
            id=f"d{rank}-c{number}",
            text=f"{caution.key.replace(':', '')}：{caution.text}",
            status="supported",
            origin="knowledge",
            evidence=[
                *(record_evidence(context, finding) for finding in caution.because),
                *knowledge_evidence(passage, caution.text.rstrip("。")),
            ],
        )
        for number, caution in enumerate(applied, 1)
    ]


def asked(questions: Sequence[Question]) -> list[AskedFinding]:
    """Questions as a draft has them."""
    return [
        AskedFinding(finding=q.finding, is_test=q.is_test, information=round(q.information, 4))
        for q in questions
    ]


def _say(reason: Reason, disease: str) -> str:
    """The reason in words; what the patient has is never worded as denied, nor the reverse."""
    finding = reason.finding
    said = has(finding)
    if reason.relation == "for":
        return f"{said}，符合{disease}（{reason.concept}）"
    if reason.relation == "unexplained":
        # That the base does not list it is not that the disease cannot explain it.
        return f"{said}，知识库未列入{disease}的表现，不作为反对依据"
    return f"{said}，不支持{disease}（{reason.concept}）"


def critical_entries(context: CaseContext) -> list[DiagnosisEntry]:
    """Diagnoses that must not be missed, with what in the record calls for excluding them."""
    return [
        _critical_entry(
            context,
            rank,
            critical,
            supporting=[
                _trigger(context, critical, f, rank, n) for n, f in enumerate(critical.reasons, 1)
            ],
        )
        for rank, critical in enumerate(context.critical, 1)
    ]


def with_own_critical(
    context: CaseContext, critical: list[DiagnosisEntry], entries: list[DiagnosisEntry]
) -> list[DiagnosisEntry]:
    """``critical`` and one entry more for each of ``entries`` that must not be missed either.

    It shares its name and its grounded reasons with the member's entry, so that what a doctor
    decides about one holds for the other.
    """
    result = list(critical)
    for entry in entries:
        called = critical_of(context.knowledge, entry.name)
        if called is None or any(called.name == other.name for other in result):
            continue
        grounded = [s for s in entry.supporting if s.status == "supported"]
        added = _critical_entry(context, len(result) + 1, called, supporting=grounded)
        result.append(added.model_copy(update={"name_statement": entry.name_statement}))
    return result


def _critical_entry(
    context: CaseContext, rank: int, critical: CriticalDiagnosis, supporting: list[Statement]
) -> DiagnosisEntry:
    code = exact_code(context.knowledge, critical.name)
    return DiagnosisEntry(
        rank=rank,
        name=critical.name,
        name_statement=_curated(f"c{rank}-n", critical.name, critical),
        icd10=code.code if code else None,
        icd10_name=code.name if code else None,
        in_knowledge=context.knowledge.graph.disease(critical.name) is not None,
        must_not_miss=True,
        supporting=supporting,
        tests=[_curated(f"c{rank}-t", critical.excluded_by, critical)],
        red_flags=[_curated(f"c{rank}-r", critical.red_flags, critical)],
    )


def _trigger(
    context: CaseContext, critical: CriticalDiagnosis, finding: Finding, rank: int, number: int
) -> Statement:
    return Statement(
        id=f"c{rank}-s{number}",
        text=f"{has(finding)}，须排除{critical.name}",
        status="supported",
        origin="knowledge",
        evidence=[record_evidence(context, finding)],
    )


def _curated(statement_id: str, text: str, critical: CriticalDiagnosis) -> Statement:
    """A statement that a curated entry, or the list of critical diagnoses, makes."""
    evidence = CitedPassage(
        quote=text,
        passage_id=critical.passage_id or CRITICAL_PREFIX + critical.name,
        source=critical.source or CRITICAL_SOURCE,
    )
    return Statement(
        id=statement_id, text=text, status="supported", origin="knowledge", evidence=[evidence]
    )


def knowledge_evidence(passage: Passage | None, concept: str) -> list[Evidence]:
    """The passage about the disease, if it names the concept."""
    if passage is None or concept not in passage.text:
        return []
    at = passage.text.index(concept)
    quote = passage.text[max(0, at - 20) : at + len(concept) + 20]
    return [CitedPassage(quote=quote, passage_id=passage.id, source=passage.source)]


def _graph_evidence(passage: Passage | None, item: str) -> list[Evidence]:
    """The graph's own fact, where the passage words it otherwise or leaves it out."""
    if passage is None:
        return []
    quote = f"知识图谱：{passage.subject} — {item}"
    return [CitedPassage(quote=quote, passage_id=passage.id, source=passage.source)]


def known_statements(
    passage: Passage | None, items: list[str], prefix: str, wording: str
) -> list[Statement]:
    """Statements that the graph makes of a disease, each with the passage that says it."""
    statements = []
    for number, item in enumerate(items, 1):
        evidence = knowledge_evidence(passage, item) or _graph_evidence(passage, item)
        statements.append(
            Statement(
                id=f"{prefix}{number}",
                text=wording.format(item),
                status="supported" if evidence else "unsupported",
                origin="knowledge",
                evidence=evidence,
            )
        )
    return statements
