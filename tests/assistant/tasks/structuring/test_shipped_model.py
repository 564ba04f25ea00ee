"""The model that the package brings: whole, small, and better than nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.opening import open_recognizer, open_structurer, shipped_model
from assistant.tasks.structuring.recognizer import ModelRecognizer
from assistant.training import dataset, scoring
from serving.models import manifest

SHARED = Path(__file__).parents[4].parent / "shared" / "data" / "ner"
NOTE = (
    "患者3天前无明显诱因出现腹痛，伴恶心、呕吐，无发热。\r\n😷既往行阑尾切除术，口服阿司匹林。"
    "腹部CT示胆囊结石，血常规白细胞升高。入院诊断：急性胆囊炎。"
)


@pytest.fixture(scope="module")
def recognizer() -> ModelRecognizer:
    return ModelRecognizer.open(shipped_model())


def test_its_files_are_those_of_the_manifest_and_small() -> None:
    folder = shipped_model()
    told = manifest.parse(folder / manifest.FILE_NAME)
    assert {name: manifest.sha256_of(folder / name) for name in told.files} == told.files
    assert sum(path.stat().st_size for path in folder.iterdir()) < 20_000_000
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert told.name in card
    assert "Yidu-S4K is no test set" in card


@pytest.mark.parametrize("gap", ["\n\n", "\r\n\r\n", "\n \n\n"])
def test_no_span_reaches_over_a_blank_line(recognizer: ModelRecognizer, gap: str) -> None:
    text = f"诊断：\n高血压{gap}肺炎"
    found = [text[span.start : span.end] for span in recognizer.recognise(text)]
    assert {"高血压", "肺炎"} <= {*found}
    assert not any("\n" in words for words in found)


def test_it_is_taken_without_one_of_ones_own(tmp_path: Path) -> None:
    found = open_recognizer(tmp_path)
    assert found is not None
    assert found.folder == shipped_model()


def test_it_finds_what_a_note_names(recognizer: ModelRecognizer) -> None:
    found = {(NOTE[s.start : s.end], s.type.value) for s in recognizer.recognise(NOTE)}
    assert found >= {
        ("阑尾切除术", "procedure"),
        ("阿司匹林", "drug"),
        ("胆囊结石", "disease"),
        ("急性胆囊炎", "disease"),
    }


@settings(deadline=None, max_examples=30)
@given(st.text(max_size=80))
def test_any_text_is_fine(recognizer: ModelRecognizer, text: str) -> None:
    for span in recognizer.recognise(text):
        assert 0 <= span.start < span.end <= len(text)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the measurement data are not here")
@pytest.mark.parametrize(("name", "least"), [("cehrner", 0.82), ("cmedqaner", 0.79)])
def test_its_scores_are_those_of_its_card(
    recognizer: ModelRecognizer, name: str, least: float
) -> None:
    examples = dataset.read(SHARED / f"{name}_test.bio.txt.gz", f"{name}/")
    scores = scoring.score(examples, recognizer.labelled)
    assert scores.micro().f1 > least


def test_a_vaccine_is_no_disease_for_the_model_either(tmp_path: Path) -> None:
    text = "按计划免疫接种，13价肺炎球菌结合疫苗未接种。"
    note = open_structurer(None, tmp_path, open_recognizer(tmp_path)).structure(NoteText("n", text))
    assert note.model.startswith("bedside-ner-zh@")
    assert not [entity for entity in note.entities if entity.type == "disease"]
