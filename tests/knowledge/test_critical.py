"""What the list of diagnoses that must not be missed is called by."""

from __future__ import annotations

import pytest

from knowledge.ranking.critical import critical_diagnoses, critical_diseases
from knowledge.shipped import shipped_lexicon
from knowledge.text.extraction import FindingExtractor
from knowledge.text.synonyms import load_synonyms


@pytest.fixture(scope="module")
def extractor() -> FindingExtractor:
    return FindingExtractor(shipped_lexicon())


def called(extractor: FindingExtractor, text: str) -> set[str]:
    found = extractor.extract(text, "n")
    return {one.name for one in critical_diagnoses(found, None, None, load_synonyms(), {})}


def test_a_note_that_names_a_trigger_calls_its_disease(extractor: FindingExtractor) -> None:
    silent = [
        f"{entry.name}: {sorted(trigger)}"
        for entry in critical_diseases()
        for trigger in entry.triggers
        if entry.name not in called(extractor, f"患者{'，'.join(sorted(trigger))}。")
    ]
    assert not silent


def test_a_note_that_denies_a_trigger_calls_nothing(extractor: FindingExtractor) -> None:
    loud = [
        f"{entry.name}: {sorted(trigger)}"
        for entry in critical_diseases()
        for trigger in entry.triggers
        if called(extractor, f"患者否认{'、'.join(sorted(trigger))}。")
    ]
    assert not loud
