"""Drafting by the product's chain: resumed where it stopped, a failure is never a draft."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest
from knowledge_sample import build_sample

from eval.clinical.discharge.generator import generate
from eval.clinical.discharge.measure import SCORES, SMOKE_TEST, evaluate
from eval.clinical.discharge.run import DRAFTS, Drafting, draft_all
from eval.errors import EvalError
from eval.run.asking import Patience
from eval.run.model import OpenModel
from knowledge.base import KnowledgeBase
from serving.engine import Chunk, EngineUnavailable, Prompt, Sampling
from serving.engines.echo import EchoEngine


class Failing(EchoEngine):
    """Answers so many requests and is gone then."""

    def __init__(self, answers: int) -> None:
        super().__init__(lambda prompt: "患者无发热。", context_length=32_768)
        self.left = answers

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        self.left -= 1
        if self.left < 0:
            raise EngineUnavailable("gone")
        async for chunk in super().generate(prompt, sampling, schema):
            yield chunk


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return build_sample(tmp_path_factory.mktemp("base"))


def drafting(base: KnowledgeBase, engine: EchoEngine | None, count: int = 3) -> Drafting:
    model = OpenModel(engine) if engine else None
    patience = Patience(attempts=1)
    return Drafting(generate(count), base, model, patience=patience, quiet=True)


def test_without_a_model_the_copied_sections_are_scored(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    given = drafting(base, None, 6)
    drafted = draft_all(tmp_path / "run", given)
    assert len(drafted.drafts) == 6
    assert not drafted.problems
    result = evaluate(given, drafted, synthetic=True)
    assert result.scores == {"coverage": 100, "traps_avoided": 100}
    assert result.notes[0] == SMOKE_TEST
    assert "faithfulness" not in result.scores
    assert set(result.scores) <= set(SCORES)


def test_a_model_that_copies_its_notes_is_faithful(base: KnowledgeBase, tmp_path: Path) -> None:
    def told(prompt: str) -> str:
        return prompt.split("\n\n")[-1] if "。" in prompt else prompt

    given = drafting(base, EchoEngine(told, context_length=32_768))
    result = evaluate(given, draft_all(tmp_path / "run", given), synthetic=True)
    faithful = {"faithfulness", "as_written", "without_major"}
    assert set(result.scores) == {*faithful, "coverage", "traps_avoided"}
    assert result.headline.n > 0
    assert result.model["name"] == given.model.engine.card.name if given.model else False


def test_a_lie_is_counted_by_what_is_wrong(base: KnowledgeBase, tmp_path: Path) -> None:
    lie = "予左氧氟沙星0.5g静脉滴注。患者体温41.7℃。"
    given = drafting(base, EchoEngine(lambda _: lie, context_length=32_768))
    result = evaluate(given, draft_all(tmp_path / "run", given), synthetic=True)
    assert result.scores["faithfulness"] < 20
    counted = {row[0]: row[1] for row in result.tables[0].rows}
    assert counted["药物 drugs"] != "0"
    assert counted["数字 numbers"] != "0"
    assert any(case.kind == "unsupported" for case in result.cases)


def test_a_run_that_stopped_goes_on(base: KnowledgeBase, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = draft_all(folder, drafting(base, Failing(3)))
    assert len(first.drafts) == 1
    assert len(first.problems) == 2
    assert first.unfinished
    kept = (folder / DRAFTS).read_bytes()
    with (folder / DRAFTS).open("ab") as file:
        file.write(b'{"sample_id": "half')
    second = draft_all(folder, drafting(base, Failing(100)))
    assert not second.problems
    assert (folder / DRAFTS).read_bytes().startswith(kept)
    rows = [json.loads(line) for line in (folder / DRAFTS).read_text("utf-8").splitlines()]
    assert [row["sample_id"] for row in rows] == [k.encounter.id for k in generate(3)]
    assert second.drafts[rows[0]["sample_id"]] == first.drafts[rows[0]["sample_id"]]


def test_another_run_is_not_mixed_in(base: KnowledgeBase, tmp_path: Path) -> None:
    draft_all(tmp_path / "run", drafting(base, None, 2))
    with pytest.raises(EvalError, match="another run"):
        draft_all(tmp_path / "run", drafting(base, None, 3))


def test_an_encounter_without_drafts_counts_as_not_told(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    given = drafting(base, Failing(0))
    drafted = draft_all(tmp_path / "run", given)
    result = evaluate(given, drafted, synthetic=True)
    assert result.scores["coverage"] == 0
    assert any("gone" in note for note in result.notes)


def test_one_id_comes_once(base: KnowledgeBase, tmp_path: Path) -> None:
    known = generate(1)
    with pytest.raises(EvalError, match=known[0].encounter.id):
        draft_all(tmp_path / "run", Drafting([*known, *known], base, None, quiet=True))
