"""Findings by the lexicon and by a model."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.structuring.findings import EntityFindings
from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.extraction import FindingExtractor
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind


class Told:
    """Finds the words that it is told, each with its type and score, wherever they stand."""

    name = "told"

    def __init__(self, *words: tuple[str, EntityType, float]) -> None:
        self._words = words

    def recognise(self, text: str) -> list[TypedSpan]:
        found = []
        for words, kind, score in self._words:
            place = text.find(words)
            while place >= 0:
                found.append(TypedSpan(place, place + len(words), kind, score))
                place = text.find(words, place + 1)
        return sorted(found, key=lambda span: (span.start, -span.end))


def lexicon() -> FindingExtractor:
    terms = Lexicon()
    terms.add("头疼", "头痛", TermKind.SYMPTOM)
    terms.add("肺炎", "肺炎", TermKind.DISEASE)
    return FindingExtractor(terms)


def read(text: str, *words: tuple[str, EntityType, float]) -> Sequence[tuple[str, str]]:
    found = EntityFindings(lexicon(), Told(*words)).extract(text, "n")
    assert all(text[f.span.start : f.span.end] == f.text for f in found)
    assert [f.span.start for f in found] == sorted(f.span.start for f in found)
    return [(f.text, f.concept) for f in found]


def test_the_lexicon_names_the_concept_and_the_model_adds_beside_it() -> None:
    sign = EntityType.SIGN
    found = read("\r\n头疼，眼睑下垂。", ("眼睑下垂", sign, 0.9), ("头疼", sign, 0.99))
    assert found == [("头疼", "头痛"), ("眼睑下垂", "眼睑下垂")]


def test_what_is_no_finding_or_crosses_one_is_left_out() -> None:
    found = read(
        "间质性肺炎，服泼尼松，肌阵挛发作。",
        ("间质性肺炎", EntityType.DISEASE, 0.99),
        ("泼尼松", EntityType.DRUG, 0.9),
        ("肌阵挛", EntityType.SYMPTOM, 0.6),
        ("阵挛发作", EntityType.SYMPTOM, 0.8),
    )
    assert found == [("肺炎", "肺炎"), ("阵挛发作", "阵挛发作")]


def test_a_vaccine_is_no_disease() -> None:
    assert read("接种带状疱疹疫苗。", ("带状疱疹", EntityType.DISEASE, 0.9)) == []


def test_what_the_model_adds_is_denied_doubted_past_or_somebody_elses() -> None:
    words = ("眼睑下垂", EntityType.SIGN, 0.9)
    for text, expected in (
        ("无眼睑下垂。", (Polarity.ABSENT, Certainty.CERTAIN)),
        ("可疑眼睑下垂。", (Polarity.PRESENT, Certainty.UNCERTAIN)),
    ):
        (found,) = EntityFindings(lexicon(), Told(words)).extract(text, "n")
        assert (found.polarity, found.certainty) == expected
    (past,) = EntityFindings(lexicon(), Told(words)).extract("既往史：眼睑下垂。", "n")
    assert past.temporality is Temporality.PAST
    (father,) = EntityFindings(lexicon(), Told(words)).extract("其父眼睑下垂。", "n")
    assert father.experiencer is Experiencer.FAMILY


@given(st.text(alphabet="头疼眼睑下垂无，。\r\n😷", max_size=40))
def test_any_text_keeps_its_places_and_no_two_findings_share_one(text: str) -> None:
    words = (("眼睑下垂", EntityType.SIGN, 0.9), ("疼眼", EntityType.SYMPTOM, 0.7))
    found = EntityFindings(lexicon(), Told(*words)).extract(text, "n")
    places = [place for f in found for place in range(f.span.start, f.span.end)]
    assert len(places) == len(set(places))
    assert all(text[f.span.start : f.span.end] == f.text for f in found)
