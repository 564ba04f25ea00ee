"""A set of cases, the knowledge ranking and perhaps a model → a clinical result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import prompts
from assistant.record.case import Case
from assistant.tasks.differential.prompt import TASK
from eval.clinical.differential.answers import ANSWERS, write_answers
from eval.clinical.differential.breakdown import (
    by_department,
    causes,
    coverage,
    must_not_miss,
    reliability,
)
from eval.clinical.differential.cases import DiagnosisCase, cases_digest
from eval.clinical.differential.masking import masked_case
from eval.clinical.differential.measure import (
    FEW,
    Measured,
    apart,
    by_diagnosis,
    measure,
    worst,
)
from eval.clinical.differential.members import Asking, by_knowledge, by_model
from eval.clinical.differential.names import Names
from eval.clinical.differential.rare import hinted, misses
from eval.clinical.result import ClinicalResult, Figure
from eval.run.identity import digest, engine_identity, texts_digest
from eval.run.model import OpenModel
from knowledge.base import KnowledgeBase

KNOWLEDGE = "知识库排序 knowledge ranking"
KNOWLEDGE_SCORE = "knowledge."


@dataclass(frozen=True, slots=True)
class Model:
    """The model that sits on the panel beside the knowledge ranking."""

    opened: OpenModel
    asking: Asking


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The result, and whether some answers are still to be had by running again."""

    result: ClinicalResult
    unfinished: bool = False


def evaluate(
    cases: Sequence[DiagnosisCase],
    knowledge: KnowledgeBase,
    folder: Path,
    model: Model | None = None,
    *,
    command: str = "",
    sources: Sequence[str] = (),
) -> Evaluated:
    """Rank every case, ask the model about every case, and measure both.

    Raises:
        EvalError: the folder holds another run, or is in use.
        Unreachable: the model is gone; what was answered is kept.
    """
    names = Names(knowledge)
    shown = {c.id: masked_case(c.case, names.giving_away(c)) for c in cases}
    ranking = measure(KNOWLEDGE, cases, by_knowledge(shown, knowledge), names)
    measured = [ranking]
    identity: dict[str, Any] = {}
    hashes = {"data": cases_digest(list(cases)), "knowledge": knowledge.version}
    unfinished = False
    if model is not None:
        identity = engine_identity(model.opened.engine, model.opened.settings)
        description = _description(model, identity, hashes, shown, knowledge)
        told = by_model(shown, knowledge, model.asking, folder, description)
        name = f"{identity['name']}（{model.asking.prompt}）"
        measured.insert(0, measure(name, cases, told.answers, names))
        unfinished = told.unfinished
        hashes |= {"model": digest(identity), "prompts": description["prompt"]}
    hashes["answers"] = _answers_digest(measured)
    write_answers(folder / ANSWERS, cases, measured, names)
    first = measured[0]
    scores = dict(first.scores)
    for member in measured[1:]:
        scores |= {KNOWLEDGE_SCORE + name: value for name, value in member.scores.items()}
    masked = sum(shown[c.id] != c.case for c in cases)
    result = ClinicalResult(
        kind="differential",
        title="鉴别诊断评测 Differential diagnosis",
        headline=_headline(first),
        scores=scores,
        figures=[
            *(figure for m in measured for figure in m.figures),
            *must_not_miss(cases, ranking, names),
            *hinted(cases, ranking),
            *_of_ranking(shown, knowledge, ranking),
        ],
        tables=[
            apart(measured),
            by_department(cases, ranking, knowledge),
            causes(cases, shown, ranking, knowledge, names),
            by_diagnosis(cases, measured),
            *misses(cases, ranking),
        ],
        cases=worst(cases, shown, first),
        notes=_notes(cases, measured, names, masked),
        model=identity,
        hashes=hashes,
        command=command,
        sources=list(sources),
    )
    return Evaluated(result, unfinished)


def _of_ranking(
    shown: Mapping[str, Case], knowledge: KnowledgeBase, ranking: Measured
) -> list[Figure]:
    """Figures of the curated ranking alone; none of a base without entries."""
    if not knowledge.clinical.entries:
        return []
    return [coverage(shown, knowledge), *reliability(ranking)]


def _headline(measured: Measured) -> Figure:
    found = next(
        f for f in reversed(measured.figures) if f.unit == "%" and f.name.startswith("前 5")
    )
    return found.model_copy(
        update={"name": f"前 5 位命中 top 5 hits, {measured.member}", "group": ""}
    )


def _description(
    model: Model,
    identity: dict[str, Any],
    hashes: Mapping[str, str],
    shown: Mapping[str, Case],
    knowledge: KnowledgeBase,
) -> dict[str, Any]:
    asking = model.asking
    return {
        "format": 1,
        "model": identity,
        "model_sha256": digest(identity),
        "prompt": prompts.template(TASK, asking.prompt).version,
        "temperature": asking.temperature,
        "findings": asking.recognizer.name if asking.recognizer else "lexicon",
        "data_sha256": hashes["data"],
        "shown_sha256": digest([case.model_dump(mode="json") for case in shown.values()]),
        "knowledge": hashes["knowledge"],
        "retrieval": knowledge.retrieval,
        "parallel": asking.parallel,
    }


def _answers_digest(measured: Sequence[Measured]) -> str:
    return texts_digest(
        f"{m.member}\n{key}\n" + "\n".join(answer.names)
        for m in measured
        for key, answer in sorted(m.answers.items())
    )


def _notes(
    cases: Sequence[DiagnosisCase], measured: Sequence[Measured], names: Names, masked: int
) -> list[str]:
    n = len(cases)
    notes = []
    if n < FEW:
        notes.append(f"只有 {n} 例，不足以作出决定。Only {n} cases, too few to decide on.")
    notes.append(
        f"{masked}/{n} 例的病历写出了诊断，已遮盖（含别名）。"
        f"{masked} of {n} cases named the diagnosis; it is masked, with its other names."
    )
    uncoded = sum(not any(names.categories(name) for name in c.names) for c in cases)
    if uncoded:
        notes.append(
            f"{uncoded}/{n} 例的标准诊断在编码表中没有原名，不能按三位类目命中。"
            f"The gold of {uncoded} of {n} cases has no code of its own name: it cannot be hit by "
            "category."
        )
    for m in measured:
        for problem, count in Counter(p.split(":")[0] for p in m.unanswered.values()).items():
            notes.append(
                f"{m.member}：{count} 例没有答案，计为未命中。"
                f"{count} cases without an answer count as missed ({problem})."
            )
        if m.empty:
            notes.append(
                f"{m.member}：{m.empty} 例的答案没有给出诊断，计为未命中。"
                f"{m.empty} answers name no diagnosis and count as missed."
            )
    return notes
