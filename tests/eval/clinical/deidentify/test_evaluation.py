"""The figures of de-identification, on the project's own sentences and on a finder that leaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.training.data.identifying import Place, find
from eval.clinical.deidentify.evaluation import evaluate
from eval.clinical.deidentify.sentence import Sentence, read_sentences
from eval.commands.deidentify import OWN
from eval.errors import InputError


@pytest.fixture(scope="module")
def own() -> list[Sentence]:
    return read_sentences(OWN)


def test_nothing_leaks_from_the_projects_own_sentences(own: list[Sentence]) -> None:
    assert len(own) >= 300
    result = evaluate(own)
    assert result.scores["recall"] >= 99
    assert result.scores["recall_held"] >= 97
    assert result.scores["kept"] == 100
    assert result.scores["precision"] >= 99
    assert result.scores["unread"] >= 99
    assert result.scores["stable"] == 100


def test_a_finder_that_leaves_dates_and_takes_drugs_is_told(own: list[Sentence]) -> None:
    def careless(text: str) -> list[Place]:
        drug = text.find("华法林")
        places = [place for place in find(text) if place.kind != "date"]
        return [*places, *([Place(drug, drug + 3, "name", "华法林")] if drug >= 0 else [])]

    result = evaluate(own, careless)
    figures = {figure.name: figure.value for figure in result.figures}
    assert figures["日期 dates"] == 0
    assert result.scores["recall"] < 95
    assert result.scores["kept"] < 100
    assert {case.note for case in result.cases} == {"left", "clinical word replaced"}


def test_a_bad_line_is_told(tmp_path: Path) -> None:
    file = tmp_path / "sentences.tsv"
    file.write_text("tuned\t患者张三\n", encoding="utf-8")
    with pytest.raises(InputError, match="tabs between"):
        read_sentences(file)
    file.write_text("tuned\tx\t患者<Q 张三>\n", encoding="utf-8")
    with pytest.raises(InputError, match="no mark 'Q'"):
        read_sentences(file)
