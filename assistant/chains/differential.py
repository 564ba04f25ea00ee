"""A language model as a member of the panel: prompt → constrained JSON → grounded draft."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.utils.json import parse_partial_json

import prompts
from assistant.chains.case_context import CaseContext
from assistant.chains.citation import passage_about
from assistant.chains.grounding import Grounder
from assistant.chains.ranking_member import critical_entries
from assistant.draft import DiagnosisEntry, DifferentialDraft, Statement
from assistant.record import Note
from serving.engine import Engine

TASK = "differential_diagnosis"
ANSWER_TOKENS = 700


@dataclass(frozen=True)
class Member:
    """One voice: a name, a model and a version of the prompt."""

    name: str
    engine: Engine
    chat_model: BaseChatModel
    prompt: str


@dataclass(frozen=True)
class _Prompted:
    context: CaseContext
    messages: list[BaseMessage]
    warnings: list[str]


def differential_chain(member: Member) -> Runnable[CaseContext, DifferentialDraft]:
    """The member's chain, from the shared context to its draft.

    Raises (when invoked) what the engine raises: see `serving.engine.Engine.generate`.
    """

    async def answer(context: CaseContext) -> DifferentialDraft:
        started = time.perf_counter()
        prompted = _prompt(member, context)
        reply = await member.chat_model.bind(
            schema=prompts.schema(TASK), max_tokens=ANSWER_TOKENS
        ).ainvoke(prompted.messages)
        entries, warnings = _parse(context, reply)
        return DifferentialDraft(
            member=member.name,
            model=member.engine.card.name,
            demo_only=member.engine.card.demo_only,
            prompt_version=prompts.template(TASK, member.prompt).version,
            knowledge_version=context.knowledge.version,
            critical=critical_entries(context),
            diagnoses=entries,
            findings=context.findings,
            missing=context.case.missing_fields(),
            warnings=[*prompted.warnings, *warnings],
            seconds=time.perf_counter() - started,
        )

    return RunnableLambda(answer, name=f"differential:{member.prompt}")


def _prompt(member: Member, context: CaseContext) -> _Prompted:
    """Messages that fit the model's context; what had to be left out is said in a warning."""
    template = prompts.template(TASK, member.prompt)
    shown = "".join(shot.user + shot.assistant for shot in prompts.few_shots(TASK))
    room = member.engine.card.context_length - ANSWER_TOKENS - 64
    room -= member.engine.count_tokens(shown)
    warnings: list[str] = []
    for keep in _reductions(context):
        notes, passages, candidates, warning = keep
        system, user = template.render(
            notes=notes,
            patient=context.describe_patient(),
            present=[f.text for f in context.present],
            absent=[f.text for f in context.absent],
            candidates=[
                {
                    "name": r.disease.name,
                    "typical": r.disease.symptoms[:6],
                    "tests": r.tests[:3],
                }
                for r in context.ranked[:candidates]
            ],
            passages=passages,
        )
        warnings = [warning] if warning else []
        if member.engine.count_tokens(system + user) <= room:
            break
    shots: list[BaseMessage] = []
    for shot in prompts.few_shots(TASK):
        shots += [HumanMessage(shot.user), AIMessage(shot.assistant)]
    return _Prompted(context, [SystemMessage(system), *shots, HumanMessage(user)], warnings)


def _reductions(
    context: CaseContext,
) -> Sequence[tuple[list[Note], list[str], int, str]]:
    """Ever shorter ways to state the case, the whole one first."""
    passages = [f"{p.title}：{p.text[:120]}" for p in context.passages[:3]]
    sentences = [
        s for s in context.segments if any(s.span.overlaps(f.span) for f in context.findings)
    ]
    told = len(sentences), len(context.segments)
    steps: list[tuple[list[Note], list[str], int, str]] = [
        (context.notes, passages, 8, ""),
        (context.notes, [], 6, ""),
    ]
    for share in (1.0, 0.5, 0.25, 0.1):
        kept = sentences[: max(1, int(len(sentences) * share))]
        text = "。".join(s.text for s in kept)[: 6000 if share > 0.1 else 1500]
        warning = (
            f"病历超出模型的上下文：{told[1]} 句中只送入有表现的 {len(kept)} 句（{len(text)} 字），"
            "其余未经模型阅读。"
        )
        note = Note(id="reduced", title="病历摘句", text=text)
        steps.append(([note], [], 5, warning))
    return steps


def _parse(context: CaseContext, reply: AIMessage) -> tuple[list[DiagnosisEntry], list[str]]:
    """Entries of the answer; an answer cut by its length gives what was complete in it."""
    warnings = []
    text = reply.text
    if reply.response_metadata.get("finish_reason") == "length":
        warnings.append("模型的回答被长度截断，只显示完整的部分。")
    try:
        parsed: Any = parse_partial_json(text)
    except ValueError:
        return [], [*warnings, "模型的回答不是约定的格式，未予采用。"]
    items = parsed.get("diagnoses", []) if isinstance(parsed, dict) else []
    entries: list[DiagnosisEntry] = []
    seen: set[str] = set()
    for item in items:
        name = str(item.get("name", "")).strip() if isinstance(item, dict) else ""
        if name and name not in seen:
            seen.add(name)
            entries.append(_entry(context, len(entries) + 1, name, item))
    if not entries:
        warnings.append("模型没有给出诊断。")
    return entries, warnings


@cache
def _example_texts() -> frozenset[str]:
    """What the examples say: a weak model repeats it, and it is about another patient."""
    answers = [json.loads(shot.assistant) for shot in prompts.few_shots(TASK)]
    return frozenset(
        text
        for answer in answers
        for entry in answer["diagnoses"]
        for value in entry.values()
        if isinstance(value, list)
        for text in value
    )


def _entry(context: CaseContext, rank: int, name: str, item: dict[str, Any]) -> DiagnosisEntry:
    knowledge = context.knowledge
    disease = knowledge.graph.disease(name)
    known = disease.name if disease else name
    about = passage_about(knowledge, disease) if disease else None
    record = context.grounder([])
    reference = context.grounder([about] if about else [])
    code = next(iter(knowledge.coder.candidates(name, limit=1)), None)
    exact = code is not None and code.name in (name, known)
    ranked = next((r for r in context.ranked if r.disease.name == known), None)

    def stated(field: str, letter: str, grounder: Grounder) -> list[Statement]:
        texts = [str(text).strip() for text in item.get(field) or []]
        return [
            grounder.ground(f"d{rank}-{letter}{number}", text)
            for number, text in enumerate(texts, 1)
            if text and text not in _example_texts()
        ]

    return DiagnosisEntry(
        rank=rank,
        name=name,
        icd10=code.code
        if code and exact
        else (disease.icd10[0] if disease and disease.icd10 else None),
        icd10_name=code.name if code and exact else None,
        in_knowledge=disease is not None,
        must_not_miss=ranked.must_not_miss if ranked else False,
        score=round(ranked.score, 4) if ranked else None,
        supporting=stated("supporting", "s", record),
        opposing=stated("opposing", "o", record),
        ask=stated("ask", "a", reference),
        tests=stated("tests", "t", reference),
        red_flags=stated("red_flags", "r", reference),
    )
