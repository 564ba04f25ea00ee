from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.opening import open_recognizer
from assistant.tasks.structuring.pipeline import Structurer
from eval.clinical.assertion.evaluation import evaluate
from eval.clinical.assertion.reading import Reading, read_at
from eval.clinical.assertion.snippet import Mention, Snippet, read_snippets
from eval.clinical.result import ClinicalResult
from eval.errors import InputError

ROOT = Path(__file__).parents[4]
OWN = ROOT / "eval" / "clinical" / "data" / "assertion"
DEV = ROOT.parent / "shared" / "data" / "assertion" / "dev.jsonl"


@pytest.fixture(scope="module")
def structurer(tmp_path_factory: pytest.TempPathFactory) -> Structurer:
    """As it ships, without a base and without a model of one's own."""
    return Structurer(None, open_recognizer(tmp_path_factory.mktemp("home")))


def measured(structurer: Structurer, path: Path) -> ClinicalResult:
    snippets = read_snippets(path)
    readings = []
    for snippet in snippets:
        entities = structurer.structure(NoteText("", snippet.text)).entities
        readings.append([read_at(mention, entities) for mention in snippet.mentions])
    return evaluate(snippets, readings)


@pytest.mark.parametrize(
    "path",
    [
        OWN / "own.jsonl",
        OWN / "second.jsonl",
        OWN / "third.jsonl",
        OWN / "fourth.jsonl",
        OWN / "fifth.jsonl",
        OWN / "sixth.jsonl",
        OWN / "seventh.jsonl",
        OWN / "eighth.jsonl",
        OWN / "ninth.jsonl",
        pytest.param(DEV, marks=pytest.mark.skipif(not DEV.is_file(), reason="no shared data")),
    ],
    ids=lambda path: path.stem,
)
def test_no_denial_comes_out_asserted(structurer: Structurer, path: Path) -> None:
    """The gate of the aims; a rule that mends one text and spoils another fails here."""
    scores = measured(structurer, path).scores
    assert scores["denied_kept"] == 100
    assert scores["asserted_kept"] >= 99
    assert scores["polarity"] >= 99
    assert scores["found"] >= 93
    assert scores["uncertain"] >= 92
    assert min(scores["past"], scores["hypothetical"], scores["another_person"]) >= 90


TEXT = "无发热，有咳嗽。"


def mention(text: str, **said: str) -> Mention:
    start = TEXT.index(text)
    return Mention.model_validate({"text": text, "start": start, "end": start + len(text), **said})


def snippet(*mentions: Mention) -> Snippet:
    return Snippet(id="s1", category="list", text=TEXT, mentions=list(mentions))


def reading(text: str, *, present: bool, certain: bool = True) -> Reading:
    return Reading(text, present, certain, "current", of_patient=True)


def test_what_is_denied_and_read_as_certain_counts_as_the_worst_error() -> None:
    denied = mention("发热", polarity="absent", certainty="certain")
    for read, kept in (
        (reading("发热", present=True), 0),
        (reading("发热", present=True, certain=False), 100),
        (reading("发热", present=False), 100),
    ):
        result = evaluate([snippet(denied)], [[read]])
        assert result.scores["denied_kept"] == kept


def test_what_is_not_found_counts_in_no_rate_but_its_own() -> None:
    cough = mention("咳嗽", polarity="present")
    result = evaluate([snippet(cough)], [[None]])
    assert result.scores["found"] == 0
    polarity = next(f for f in result.figures if "polarity" in f.name)
    assert polarity.n == 0


def test_ambiguous_mentions_are_left_out() -> None:
    unclear = mention("咳嗽", polarity="present").model_copy(update={"ambiguous": True})
    result = evaluate([snippet(unclear)], [[reading("咳嗽", present=False)]])
    assert all(figure.n == 0 for figure in result.figures)


def test_a_mention_out_of_place_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    row = {"id": "x", "text": TEXT, "mentions": [{"text": "发热", "start": 0, "end": 2}]}
    path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(InputError, match=r"bad.jsonl:1"):
        read_snippets(path)
