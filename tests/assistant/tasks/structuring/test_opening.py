from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from assistant.tasks.structuring import opening
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.opening import (
    MODEL,
    RELATIONS,
    open_findings,
    open_ranker,
    open_recognizer,
    open_structurer,
    shipped_model,
)
from assistant.tasks.structuring.pipeline import Structurer
from knowledge.base import KnowledgeBase
from knowledge.coding.normalization import RANKER


def opened(base: KnowledgeBase | None, home: Path) -> Structurer:
    return open_structurer(base, home, open_recognizer(home))


def test_a_diagnosis_gets_a_code_of_the_base(tmp_path: Path, knowledge: KnowledgeBase) -> None:
    note = opened(knowledge, tmp_path).structure(NoteText("n", "诊断：急性阑尾炎。"))
    (entity,) = [e for e in note.entities if e.type == "disease"]
    (code,) = entity.codes
    assert (code.name, code.score) == ("急性阑尾炎", 1.0)
    assert code.code.startswith("K35")


def test_a_short_form_gets_the_code_of_what_it_means(
    tmp_path: Path, knowledge: KnowledgeBase
) -> None:
    note = opened(knowledge, tmp_path).structure(NoteText("n", "诊断：社区获得性肺炎。"))
    (entity,) = [e for e in note.entities if e.type == "disease"]
    assert [code.name for code in entity.codes] == ["肺炎"]


def test_without_anything_installed(tmp_path: Path) -> None:
    note = opened(None, tmp_path).structure(NoteText("n", "无发热。"))
    assert [(e.text, e.polarity) for e in note.entities] == [("发热", "absent")]


def test_what_is_broken_is_said_and_not_used(
    tmp_path: Path, knowledge: KnowledgeBase, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / RANKER).write_text("{}")
    for name in (MODEL, RELATIONS):
        (tmp_path / "models" / name).mkdir(parents=True)
    copytree(shipped_model(), tmp_path / "models" / MODEL, dirs_exist_ok=True)
    config = tmp_path / "models" / MODEL / "config.json"
    config.write_text('{\n"labels": [,\n')
    structurer = opened(knowledge, tmp_path)
    assert structurer.model.startswith("bedside-ner-zh@")
    assert "bedside kb train-coding" in caplog.text
    assert f"{config}, line 2, is not valid JSON" in caplog.text
    assert f"the relation model in {tmp_path / 'models' / RELATIONS} is not used" in caplog.text
    assert open_ranker(tmp_path) is None


def test_without_any_model_it_is_the_lexicon(
    tmp_path: Path, knowledge: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "shipped_model", lambda: tmp_path / "none")
    assert opened(None, tmp_path).model == "lexicon"
    assert open_findings(knowledge, open_recognizer(tmp_path)) is knowledge.extractor


def test_findings_are_those_of_the_lexicon_and_of_the_model(
    tmp_path: Path, knowledge: KnowledgeBase
) -> None:
    text = "发热伴肩胛间区放射痛，无眼睑下垂。"
    reader = open_findings(knowledge, open_recognizer(tmp_path))
    found = {one.text: one for one in reader.extract(text, "n")}
    listed = knowledge.extractor.extract(text, "n")
    assert all(one in found.values() for one in listed)
    assert len(found) > len(listed)
