"""A relation model's triples in a structured note."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.tasks.structuring.model_triples import together
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.relation_decoding import FoundTriple
from knowledge.base import KnowledgeBase

TEXT = "肺炎多见于老年人，可有咳嗽，无胸痛。\r\n其父曾患糖尿病。"


class Reader:
    """Gives triples by their words, where they stand first."""

    name = "told"

    def __init__(self, triples: Sequence[tuple[str, str, str]]) -> None:
        self._triples = triples

    def read(self, text: str) -> list[FoundTriple]:
        def place(words: str) -> tuple[int, int]:
            return text.index(words), text.index(words) + len(words)

        return [FoundTriple(place(s), p, place(o), 0.8) for s, p, o in self._triples]


def test_ends_are_entities_or_words_and_the_sentence_stands_beside(
    knowledge: KnowledgeBase,
) -> None:
    reader = Reader([("肺炎", "多发群体", "老年人"), ("肺炎", "临床表现", "咳嗽")])
    note = Structurer(knowledge, reader=reader).structure(NoteText("n", TEXT))
    found = {r.predicate: r for r in note.relations if r.kind == "triple"}
    group = found["多发群体"]
    subject = note.entity(group.subject.entity or "")
    assert subject is not None
    assert subject.text == "肺炎"
    assert (group.object.type, group.object.entity) == ("other", None)
    assert TEXT[group.object.start : group.object.end] == group.object.text == "老年人"
    assert TEXT[group.evidence.start : group.evidence.end] == group.evidence.text
    assert group.evidence.text == "肺炎多见于老年人，可有咳嗽，无胸痛。"
    assert (group.source, group.score) == ("told", 0.8)
    assert note.entity(found["临床表现"].object.entity or "") is not None


def test_what_is_denied_or_somebody_elses_is_no_triple(knowledge: KnowledgeBase) -> None:
    reader = Reader([("肺炎", "临床表现", "胸痛"), ("糖尿病", "多发群体", "老年人")])
    note = Structurer(knowledge, reader=reader).structure(NoteText("n", TEXT))
    assert not [r for r in note.relations if r.source == "told"]


def test_a_drug_that_the_patient_does_not_bear_is_no_treatment(knowledge: KnowledgeBase) -> None:
    text = "肺炎，青霉素过敏，予头孢曲松治疗。"
    reader = Reader([("肺炎", "药物治疗", "青霉素"), ("肺炎", "药物治疗", "头孢曲松")])
    note = Structurer(knowledge, reader=reader).structure(NoteText("n", text))
    drugs = [r.object.text for r in note.relations if r.predicate == "药物治疗"]
    assert drugs == ["头孢曲松"]


def test_what_the_rules_say_too_is_said_once(knowledge: KnowledgeBase) -> None:
    plain = Structurer(knowledge).structure(NoteText("n", TEXT))
    stated = [r for r in plain.relations if r.kind == "triple"]
    assert [(r.subject.text, r.object.text) for r in stated] == [("肺炎", "咳嗽")]
    assert together(stated, stated) == stated
    reader = Reader([("肺炎", stated[0].predicate, "咳嗽")])
    both = Structurer(knowledge, reader=reader).structure(NoteText("n", TEXT))
    assert [r.source for r in both.relations if r.kind == "triple"] == [stated[0].source]
