"""What the comparison of finding readers counts."""

from __future__ import annotations

from pathlib import Path

from knowledge_sample import build_sample

from assistant.training.dataset import Example, Label
from bench.findings import checking, extraction
from eval.clinical.checker.record import sample_records
from knowledge.text.extraction import FindingExtractor
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind

TEXT = "反复头痛，伴视物模糊，服阿司匹林。"


def reader(*terms: str) -> FindingExtractor:
    lexicon = Lexicon()
    for term in terms:
        lexicon.add(term, term, TermKind.SYMPTOM)
    return FindingExtractor(lexicon)


def test_places_are_counted_exactly_and_by_touch() -> None:
    labels = (Label(2, 4, "症状"), Label(6, 10, "症状"), Label(12, 16, "药物"))
    example = Example(TEXT, labels, frozenset({"症状", "药物"}))
    found = extraction([example], reader("头痛", "模糊", "反复"))
    assert (found["marked"], found["found"]) == (2, 3), "a drug is no finding"
    assert (found["recall"], found["touched_recall"]) == (0.5, 1.0)
    assert (found["precision"], found["touched_precision"]) == (0.3333, 0.6667)


def test_a_reader_that_sees_nothing_doubts_no_more_statements(tmp_path: Path) -> None:
    knowledge = build_sample(tmp_path)
    records = sample_records()[:4]
    seeing, blind = (
        checking(records, knowledge, one) for one in (knowledge.extractor, reader("头痛"))
    )
    assert seeing["errors"] == blind["errors"] > 10
    # The checker reads the shipped findings whatever the reader sees.
    assert seeing["truths_refused"] >= blind["truths_refused"]
    assert blind["errors_found"] <= seeing["errors_found"] <= 100
