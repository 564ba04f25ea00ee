"""A language model as a member of the panel: prompt → constrained JSON → grounded draft."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda

import prompts
from assistant.draft import Statement
from assistant.grounding.citation import passage_about
from assistant.grounding.grounder import Grounder
from assistant.record.note import Note
from assistant.tasks.differential.case_context import CaseContext, hedged
from assistant.tasks.differential.case_excerpt import excerpt
from assistant.tasks.differential.diagnosis_name import critical_of, exact_code, name_statement
from assistant.tasks.differential.draft import DiagnosisEntry, DifferentialDraft
from assistant.tasks.differential.prompt import TASK
from assistant.tasks.differential.ranking_member import critical_entries, with_own_critical
from assistant.tasks.differential.reply import ReplyEntry, read_reply
from assistant.tasks.ending import Ending
from knowledge.graph import RankedDisease
from serving.engine import Engine

ANSWER_TOKENS = 700
TOLD_APART = 2
SPARE_TOKENS = 64
"""Room for what a chat template puts around the messages."""


@dataclass(frozen=True)
class Member:
    """One voice: a name, a model and a version of the prompt."""

    name: str
    engine: Engine
    chat_model: BaseChatModel
    prompt: str


@dataclass(frozen=True)
class _Prompted:
    messages: list[BaseMessage]
    offered: frozenset[str]
    warnings: list[str]


def differential_chain(member: Member) -> Runnable[CaseContext, DifferentialDraft]:
    """The member's chain, from the shared context to its draft.

    Raises (when invoked) what the engine raises: see `serving.engine.Engine.generate`.
    """

    async def answer(context: CaseContext) -> DifferentialDraft:
        started = time.perf_counter()
        prompted = await asyncio.to_thread(_prompt, member, context)
        reply = await member.chat_model.bind(
            schema=prompts.schema(TASK), max_tokens=ANSWER_TOKENS
        ).ainvoke(prompted.messages)
        entries, warnings = await asyncio.to_thread(_parse, context, reply, prompted.offered)
        return DifferentialDraft(
            member=member.name,
            model=member.engine.card.name,
            prompt_version=prompts.template(TASK, member.prompt).version,
            knowledge_version=context.knowledge.version,
            critical=with_own_critical(context, critical_entries(context), entries),
            diagnoses=entries,
            findings=context.findings,
            missing=context.case.missing_fields(),
            warnings=[*prompted.warnings, *warnings],
            seconds=time.perf_counter() - started,
        )

    return RunnableLambda(answer, name=f"differential:{member.prompt}")


def _prompt(member: Member, context: CaseContext) -> _Prompted:
    """Messages that fit the model's context; what had to be left out is said in a warning."""
    count = member.engine.count_tokens
    shots = prompts.few_shots(TASK)
    room = member.engine.card.context_length - ANSWER_TOKENS - SPARE_TOKENS
    room -= count("".join(shot.user + shot.assistant for shot in shots))
    passages = [f"{p.title}：{p.text[:120]}" for p in context.passages[:3]]
    warnings: list[str] = []
    for shown, cited in ((8, passages), (6, [])):
        system, user = _render(member, context, context.notes, shown, cited)
        if count(system + user) <= room:
            break
    else:
        shown = 5
        bare = count("".join(_render(member, context, [], shown, [])))
        tokens = room - bare
        for _ in range(3):
            notes, warning = excerpt(context, max(0, tokens), count)
            system, user = _render(member, context, notes, shown, [])
            over = count(system + user) - room
            if over <= 0:
                break
            # Titles and joints cost tokens too.
            tokens -= over + SPARE_TOKENS
        warnings.append(warning)
    messages: list[BaseMessage] = []
    for shot in shots:
        messages += [HumanMessage(shot.user), AIMessage(shot.assistant)]
    offers = _render(member, context, [], 0, []) != _render(member, context, [], shown, [])
    offered = frozenset(r.disease.name for r in context.ranked[:shown]) if offers else frozenset()
    return _Prompted([SystemMessage(system), *messages, HumanMessage(user)], offered, warnings)


def _render(
    member: Member, context: CaseContext, notes: list[Note], shown: int, passages: list[str]
) -> tuple[str, str]:
    """(system text, user text) with the first ``shown`` candidates."""
    return prompts.template(TASK, member.prompt).render(
        notes=notes,
        patient=context.describe_patient(),
        present=[f.text for f in context.present],
        absent=[f.text for f in context.absent],
        uncertain=[hedged(f) for f in context.uncertain],
        candidates=[
            {
                "name": r.disease.name,
                "typical": r.typical[:6],
                "tests": r.tests[:3],
                "apart": _apart(r, context.ranked[:shown]),
            }
            for r in context.ranked[:shown]
        ],
        passages=passages,
    )


def _apart(candidate: RankedDisease, rivals: Sequence[RankedDisease]) -> list[tuple[str, str]]:
    """What tells a candidate from those beside it, as its entry says."""
    if candidate.entry is None:
        return []
    names = {rival.disease.name for rival in rivals}
    apart = [(n, text) for n, text in candidate.entry.differentials.items() if n in names]
    return apart[:TOLD_APART]


def _parse(
    context: CaseContext, reply: AIMessage, offered: frozenset[str]
) -> tuple[list[DiagnosisEntry], list[str]]:
    """Entries of the answer; an answer cut by its length gives what was complete in it."""
    ending = Ending()
    ending.see(reply)
    said = ending.warnings("模型的回答被长度截断，只显示完整的部分。")
    if ending.filtered or ending.only_thoughts:
        return [], said
    items, warnings = read_reply(reply.text)
    warnings = [*said, *warnings]
    return [_entry(context, rank, item, offered) for rank, item in enumerate(items, 1)], warnings


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


def _entry(
    context: CaseContext, rank: int, item: ReplyEntry, offered: frozenset[str]
) -> DiagnosisEntry:
    knowledge = context.knowledge
    name = item.name
    disease = knowledge.graph.disease(name)
    known = disease.name if disease else name
    about = passage_about(knowledge, disease) if disease else None
    record = context.grounder([])
    reference = context.grounder([about] if about else [])
    code = exact_code(knowledge, name, known)
    ranked = next((r for r in context.ranked if r.disease.name == known), None)
    listed = critical_of(knowledge, name)

    def stated(texts: list[str], letter: str, grounder: Grounder) -> list[Statement]:
        return [
            grounder.ground(f"d{rank}-{letter}{number}", text)
            for number, text in enumerate(texts, 1)
            if text not in _example_texts()
        ]

    return DiagnosisEntry(
        rank=rank,
        name=name,
        name_statement=name_statement(knowledge, f"d{rank}-n", name),
        icd10=code.code if code else (disease.icd10[0] if disease and disease.icd10 else None),
        icd10_name=code.name if code else None,
        in_knowledge=disease is not None,
        own=known not in offered,
        must_not_miss=listed is not None or (ranked is not None and ranked.must_not_miss),
        score=round(ranked.score, 4) if ranked else None,
        supporting=stated(item.supporting, "s", record),
        opposing=stated(item.opposing, "o", record),
        ask=stated(item.ask, "a", reference),
        tests=stated(item.tests, "t", reference),
        red_flags=stated(item.red_flags, "r", reference),
    )
