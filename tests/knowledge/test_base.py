from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from knowledge_sample import DATA, build_sample, sample_sources

from knowledge.base import KnowledgeBase, KnowledgeMissing
from knowledge.sources import DiseaseRecords, SourceError
from serving.encoder.text_encoder import HashingEncoder, Vectors


class CountingEncoder(HashingEncoder):
    """Counts the passages that it embeds."""

    def __init__(self, dim: int = 64) -> None:
        super().__init__(dim)
        self.embedded = 0

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        return super().passages(texts)


def test_a_built_base_opens_with_what_its_sources_gave(base: KnowledgeBase) -> None:
    assert base.retrieval == "hybrid"
    assert base.notice is None
    assert len(base.graph) == 26
    counts = {source.name: (source.facts > 0, source.passages) for source in base.sources}
    assert counts == {
        "sample-diseases": (True, 26),
        "sample-guidelines": (False, 6),
        "sample-icd10": (True, 0),
    }


def test_no_base_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeMissing, match="bedside kb build"):
        KnowledgeBase.open(tmp_path)


def test_a_damaged_base_is_refused(tmp_path: Path) -> None:
    built = build_sample(tmp_path)
    (built.folder / "diseases.json").write_text("{", encoding="utf-8")
    with pytest.raises(KnowledgeMissing, match="damaged"):
        KnowledgeBase.open(tmp_path)


def test_only_a_whole_base_counts_as_built(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not KnowledgeBase.is_built(tmp_path)
    built = build_sample(tmp_path)
    assert KnowledgeBase.is_built(tmp_path)
    (built.folder / "diseases.json").write_text("{", encoding="utf-8")
    assert not KnowledgeBase.is_built(tmp_path)
    assert caplog.text == ""


def test_a_base_of_another_format_is_refused(tmp_path: Path) -> None:
    built = build_sample(tmp_path)
    manifest = json.loads((built.folder / "manifest.json").read_text(encoding="utf-8"))
    (built.folder / "manifest.json").write_text(
        json.dumps({**manifest, "format": 999}), encoding="utf-8"
    )
    with pytest.raises(KnowledgeMissing, match="another format"):
        KnowledgeBase.open(tmp_path)


def test_without_an_encoder_search_is_lexical_and_says_so(tmp_path: Path) -> None:
    build_sample(tmp_path)
    base = KnowledgeBase.open(tmp_path)
    assert base.retrieval == "lexical"
    assert base.notice is not None
    hits = base.index.search("肺炎", 3)
    assert hits[0].passage.subject == "肺炎"
    assert all(hit.dense_rank is None for hit in hits)


def test_another_encoder_than_at_build_time_is_not_used(tmp_path: Path) -> None:
    build_sample(tmp_path)
    base = KnowledgeBase.open(tmp_path, HashingEncoder(dim=32))
    assert base.retrieval == "lexical"
    assert "hashing-1-512" in str(base.notice)


def test_the_same_sources_are_not_built_twice(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    first = build_sample(tmp_path, encoder)
    embedded = encoder.embedded
    stages: list[str] = []
    second = KnowledgeBase.build(
        sample_sources(), tmp_path, encoder, lambda stage, done, total: stages.append(stage)
    )
    assert embedded > 0
    assert encoder.embedded == embedded
    assert second.version == first.version
    assert stages == []


def test_a_rebuild_embeds_only_what_is_new(tmp_path: Path) -> None:
    records = tmp_path / "diseases.jsonl"
    shutil.copy(DATA / "diseases.jsonl", records)
    encoder = CountingEncoder()
    first = KnowledgeBase.build([DiseaseRecords(records)], tmp_path / "kb", encoder)
    before = encoder.embedded
    with records.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"name": "克山病", "belongs_to_department": ["儿科"]}) + "\n")
    second = KnowledgeBase.build([DiseaseRecords(records)], tmp_path / "kb", encoder)
    assert encoder.embedded == before + 1
    assert second.version != first.version
    assert second.graph.disease("克山病") is not None
    assert not first.folder.exists()


def test_a_failed_build_leaves_the_old_base(tmp_path: Path) -> None:
    first = build_sample(tmp_path / "kb")
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"name": "肺炎"}\nnot json\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"broken.jsonl, line 2"):
        KnowledgeBase.build([DiseaseRecords(broken)], tmp_path / "kb")
    assert KnowledgeBase.open(tmp_path / "kb").version == first.version


def test_a_base_serves_several_threads(base: KnowledgeBase) -> None:
    expected = [hit.passage.id for hit in base.index.search("胸痛 心电图", 5)]
    wrong: list[object] = []

    def search() -> None:
        for _ in range(20):
            found = [hit.passage.id for hit in base.index.search("胸痛 心电图", 5)]
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_sources_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="source"):
        KnowledgeBase.build([], tmp_path)


def test_arrays_of_a_base_are_mapped_not_read(base: KnowledgeBase) -> None:
    assert isinstance(base.index._lexical._impacts, np.memmap)
