"""Drawn facts: no false statement is supported, and few true ones are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.clinical.checker.facts.draw import Draw
from eval.clinical.checker.facts.draws import FAMILIES, draws
from eval.clinical.checker.facts.measure import judge_draws, summarize_draws, write_failures
from knowledge.shipped import shipped_lexicon
from knowledge.text.extraction import FindingExtractor

COUNT = 700
MOST_REFUSED = 0.015


@pytest.fixture(scope="module")
def drawn() -> list[Draw]:
    return list(draws(COUNT, seed=20))


def test_the_same_seed_draws_the_same(drawn: list[Draw]) -> None:
    assert list(draws(COUNT, seed=20)) == drawn
    assert len({d.family for d in drawn}) >= len(set(FAMILIES)) - 1
    assert all(d.record.strip() and d.statement.strip() for d in drawn)


def test_no_false_statement_is_supported_and_few_true_ones_are_refused(
    drawn: list[Draw], tmp_path: Path
) -> None:
    found = judge_draws(drawn, FindingExtractor(shipped_lexicon()).extract)
    missed = [(j.draw.record, j.draw.statement) for j in found if j.supported and not j.draw.true]
    assert missed == []
    true = [j for j in found if j.draw.true]
    refused = [(j.draw.record, j.draw.statement) for j in true if not j.supported]
    assert len(refused) <= MOST_REFUSED * len(true), refused
    result = summarize_draws(found, seed=20)
    assert result.scores["recall"] == 100
    lines = write_failures(found, tmp_path).read_text("utf-8").splitlines()
    assert [json.loads(line)["statement"] for line in lines] == [s for _, s in refused]
