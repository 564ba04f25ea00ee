"""The discharge chain over encounters, into a folder that can be gone on with.

The folder holds ``discharge.json`` (all that changes a draft) and ``drafts.jsonl`` (a line an
encounter), and the result and its report when it is through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import prompts
from assistant.tasks.discharge.chain import discharge_chain
from assistant.tasks.discharge.draft import SectionDraft
from assistant.tasks.discharge.prompt import PROMPT, TASK
from eval.clinical.discharge.known import KnownEncounter
from eval.errors import EvalError
from eval.run.asking import Patience, each
from eval.run.folder import alone, same_settings
from eval.run.identity import engine_identity, texts_digest, versions
from eval.run.journal import Journal
from eval.run.kept import KeptAnswers
from eval.run.model import OpenModel
from eval.run.progress import Counts, ProgressLine
from eval.run.whole import WholeAnswers
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel

RUN = "discharge.json"
DRAFTS = "drafts.jsonl"


@dataclass(frozen=True)
class Drafting:
    """What is drafted, by what and at which pace; without a model only the copied sections come."""

    encounters: Sequence[KnownEncounter]
    base: KnowledgeBase
    model: OpenModel | None
    parallel: int = 1
    patience: Patience = field(default_factory=Patience)
    quiet: bool = False

    def identity(self) -> dict[str, Any]:
        """The model as it runs; empty without one."""
        return engine_identity(self.model.engine, self.model.settings) if self.model else {}

    def data_hash(self) -> str:
        """SHA-256 over the encounters with their facts."""
        return texts_digest(known.model_dump_json() for known in self.encounters)

    @staticmethod
    def prompt() -> str:
        """The prompt's name and version."""
        return prompts.template(TASK, PROMPT).version

    def description(self) -> dict[str, Any]:
        """All that changes a draft."""
        return {
            "format": 1,
            "kind": "discharge",
            "model": self.identity(),
            "versions": versions(),
            "prompt": self.prompt(),
            "knowledge": self.base.version,
            "data_sha256": self.data_hash(),
            "encounters": len(self.encounters),
        }


@dataclass(frozen=True, slots=True)
class Drafted:
    """The drafts by encounter, and the encounters without any, with the reason.

    ``unfinished``: some of these may still be had by running again.
    """

    drafts: dict[str, list[SectionDraft]]
    problems: dict[str, str]
    unfinished: bool


def draft_all(folder: Path, drafting: Drafting) -> Drafted:
    """Draft every encounter that ``folder`` does not hold yet.

    Raises:
        EvalError: the folder holds another run, or is in use; or two encounters have one id.
        Unreachable: the model is gone; what was drafted is kept.
    """
    ids = [known.encounter.id for known in drafting.encounters]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise EvalError(f"Two encounters have the id {twice[0]}; every id may come once.")
    with alone(folder):
        same_settings(folder / RUN, folder / DRAFTS, drafting.description())
        with Journal(folder / DRAFTS) as journal:
            work = _Work(drafting, journal)
            asyncio.run(work.run())
            rows = {name: journal.answered[name] for name in ids if name in journal.answered}
    drafts = {
        name: [SectionDraft.model_validate(draft) for draft in row["drafts"]]
        for name, row in rows.items()
        if "drafts" in row
    }
    refused = {name: str(row["failed"]) for name, row in rows.items() if "failed" in row}
    return Drafted(drafts, refused | work.kept.problems, bool(work.kept.problems))


class _Work:
    def __init__(self, drafting: Drafting, journal: Journal) -> None:
        self._drafting = drafting
        self._counts = Counts(len(drafting.encounters))
        model = drafting.model
        engine = WholeAnswers(model.engine, self._counts) if model else None
        chat_model = EngineChatModel(engine=engine) if engine else None
        self._chain = discharge_chain(drafting.base, engine, chat_model)
        self.kept = KeptAnswers(journal, self._counts, drafting.patience)

    async def run(self) -> None:
        """Draft what is left; each encounter is in the journal before its worker goes on."""
        with ProgressLine(self._counts, quiet=self._drafting.quiet) as line:

            async def one(known: KnownEncounter) -> None:
                await self._one(known)
                line.changed()

            await each(self._drafting.encounters, one, self._drafting.parallel)

    async def _one(self, known: KnownEncounter) -> None:
        if self.kept.has(known.encounter.id):
            return

        async def draft() -> list[SectionDraft]:
            items = self._chain.astream(known.encounter)
            return [item async for item in items if isinstance(item, SectionDraft)]

        await self.kept.keep(known.encounter.id, draft, _row)


def _row(drafts: list[SectionDraft]) -> dict[str, Any]:
    return {"drafts": [draft.model_dump(mode="json") for draft in drafts]}
