"""The panel's members over cases: what each names, the likeliest first."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.record.case import Case
from assistant.tasks.differential.case_context import examine
from assistant.tasks.differential.chain import Member, differential_chain
from assistant.tasks.differential.draft import DifferentialDraft
from assistant.tasks.structuring.opening import open_findings
from assistant.tasks.structuring.recognizer import ModelRecognizer
from eval.run.asking import NoAnswer, Patience, each
from eval.run.folder import alone, same_settings
from eval.run.journal import Journal
from eval.run.kept import KeptAnswers
from eval.run.progress import Counts, ProgressLine
from eval.run.whole import WholeAnswers
from knowledge.base import KnowledgeBase
from knowledge.rare.passage import shown_name
from knowledge.rare.table import Disease
from serving.chat_model import EngineChatModel
from serving.engine import Engine, EngineError

RUN = "differential.json"
ANSWERS = "model_answers.jsonl"

_log = logging.getLogger("bedside.eval.differential")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A diagnosis as a member named it; ``probability`` where the member gives one."""

    name: str
    aliases: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a member named in a case, the likeliest first, and what must not be missed.

    ``problem`` says why there is no answer at all.  ``rare``: the names of each rare disease that
    is hinted at beside the ranking, the one that is shown first.
    """

    ranked: tuple[Candidate, ...] = ()
    critical: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    problem: str = ""
    rare: tuple[tuple[str, ...], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names, the likeliest first."""
        return tuple(candidate.name for candidate in self.ranked)


@dataclass(slots=True)
class Answers:
    """What a model said in all cases; ``unfinished``: some answers may still be had."""

    answers: dict[str, Answer]
    counts: Counts
    unfinished: bool


def by_knowledge(cases: Mapping[str, Case], knowledge: KnowledgeBase) -> dict[str, Answer]:
    """The ranking of the knowledge base, as the panel shows it beside the models."""
    answers = {}
    for key, case in cases.items():
        started = time.perf_counter()
        context = examine(case, knowledge)
        ranked = tuple(
            Candidate(r.disease.name, r.disease.aliases, r.disease.icd10, round(r.score, 6))
            for r in context.ranked
        )
        critical = tuple(one.name for one in context.critical)
        rare = tuple(_names(hint.disease) for hint in context.rare)
        seconds = time.perf_counter() - started
        answers[key] = Answer(ranked, critical, seconds=seconds, rare=rare)
    return answers


def _names(disease: Disease) -> tuple[str, ...]:
    return (shown_name(disease), disease.name, *disease.names)


@dataclass(frozen=True, slots=True)
class Asking:
    """A language model as the panel asks it: an engine, a version of the prompt, the pace, and
    what finds the entities that the prompt names (None: the lexicon alone)."""

    engine: Engine
    prompt: str
    recognizer: ModelRecognizer | None = None
    temperature: float = 0.0
    parallel: int = 8
    patience: Patience = field(default_factory=Patience)
    quiet: bool = False


def by_model(
    cases: Mapping[str, Case],
    knowledge: KnowledgeBase,
    asking: Asking,
    folder: Path,
    description: dict[str, Any],
) -> Answers:
    """What the model names, asked through the panel's own chain; goes on where ``folder`` is left.

    Raises:
        EvalError: the folder holds another run, or is in use.
        Unreachable: the model is gone; what was answered is kept.
    """
    with alone(folder):
        same_settings(folder / RUN, folder / ANSWERS, description)
        with Journal(folder / ANSWERS) as journal:
            work = _Work(knowledge, asking, journal, Counts(len(cases)))
            asyncio.run(work.run(cases))
            rows = {key: journal.answered[key] for key in cases if key in journal.answered}
    answers = {key: _answer(row) for key, row in rows.items()}
    for key, problem in work.kept.problems.items():
        answers[key] = Answer(problem=problem)
    return Answers(answers, work.counts, bool(work.kept.problems))


class _Work:
    def __init__(
        self, knowledge: KnowledgeBase, asking: Asking, journal: Journal, counts: Counts
    ) -> None:
        self._knowledge = knowledge
        self._reader = open_findings(knowledge, asking.recognizer)
        self._asking = asking
        self._engine = WholeAnswers(asking.engine, counts)
        chat_model = EngineChatModel(engine=self._engine, temperature=asking.temperature)
        member = Member(asking.engine.card.name, self._engine, chat_model, asking.prompt)
        self._chain = differential_chain(member)
        self.counts = counts
        self.kept = KeptAnswers(journal, counts, asking.patience)

    async def run(self, cases: Mapping[str, Case]) -> None:
        with ProgressLine(self.counts, quiet=self._asking.quiet) as line:

            async def one(item: tuple[str, Case]) -> None:
                await self._one(*item)
                line.changed()

            await each(cases.items(), one, self._asking.parallel)

    async def _one(self, key: str, case: Case) -> None:
        if self.kept.has(key):
            return
        context = await asyncio.to_thread(examine, case, self._knowledge, self._reader)

        async def draft() -> DifferentialDraft:
            try:
                return await self._chain.ainvoke(context)
            except EngineError:
                raise
            except Exception as error:
                # Nothing but the kind of error is said: its message may hold the case.
                kind = type(error).__name__
                _log.error("a case could not be worked on: %s", kind)
                raise NoAnswer(f"failed: {kind} in the panel's chain", final=False) from error

        await self.kept.keep(key, draft, _row)


def _row(draft: DifferentialDraft) -> dict[str, Any]:
    return {
        "diagnoses": [entry.name for entry in draft.diagnoses],
        "critical": [entry.name for entry in draft.critical],
        "warnings": draft.warnings,
    }


def _answer(row: Mapping[str, Any]) -> Answer:
    if "failed" in row:
        return Answer(problem=str(row["failed"]))
    ranked = tuple(Candidate(name) for name in row["diagnoses"])
    critical = tuple(row.get("critical", ()))
    return Answer(ranked, critical, tuple(row["warnings"]), float(row["seconds"]))
