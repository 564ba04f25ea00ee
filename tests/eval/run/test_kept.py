"""Answers that are kept: asked once, noted when there is none, asked again when that may pass."""

from __future__ import annotations

import asyncio
from pathlib import Path

from eval.run.asking import Patience
from eval.run.journal import Journal
from eval.run.kept import KeptAnswers
from eval.run.progress import Counts
from serving.engine import EngineError, PromptTooLong


def _kept(journal: Journal, counts: Counts) -> KeptAnswers:
    return KeptAnswers(journal, counts, Patience(attempts=2, first_pause=0))


def test_an_answer_is_on_disk_and_not_asked_again(tmp_path: Path) -> None:
    async def answer() -> str:
        return "肺炎"

    with Journal(tmp_path / "a.jsonl") as journal:
        kept = _kept(journal, Counts(1))
        assert not kept.has("a")
        asyncio.run(kept.keep("a", answer, lambda name: {"diagnosis": name}))

    with Journal(tmp_path / "a.jsonl") as journal:
        counts = Counts(1)
        assert _kept(journal, counts).has("a")
        assert counts.earlier == 1
        assert journal.answered["a"]["diagnosis"] == "肺炎"
        assert journal.answered["a"]["attempts"] == 1


def test_what_cannot_be_answered_is_noted_and_what_may_pass_is_not(tmp_path: Path) -> None:
    async def too_long() -> str:
        raise PromptTooLong(9_000, 8_192)

    async def down() -> str:
        raise EngineError("no connection")

    with Journal(tmp_path / "a.jsonl") as journal:
        counts = Counts(2)
        kept = _kept(journal, counts)
        asyncio.run(kept.keep("long", too_long, lambda _: {}))
        asyncio.run(kept.keep("down", down, lambda _: {}))

        assert set(journal.answered) == {"long"}
        assert "prompt too long" in journal.answered["long"]["failed"]
        assert set(kept.problems) == {"down"}
        assert counts.failed == 2
