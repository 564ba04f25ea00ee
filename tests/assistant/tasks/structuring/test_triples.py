from __future__ import annotations

import pytest

from assistant.tasks.structuring.entity import Relation
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.triples import schemas
from knowledge.base import KnowledgeBase


@pytest.fixture(scope="module")
def structurer(knowledge: KnowledgeBase) -> Structurer:
    return Structurer(knowledge)


def triples(structurer: Structurer, text: str) -> dict[tuple[str, str, str], Relation]:
    note = structurer.structure(NoteText("n", text))
    return {
        (r.subject.text, r.predicate, r.object.text): r
        for r in note.relations
        if r.kind == "triple"
    }


def test_the_schemas_are_those_of_cmeie() -> None:
    assert len(schemas()) == len(set(schemas())) == 53
    assert {s.subject for s in schemas()} >= {"疾病", "药物", "部位"}


@pytest.mark.parametrize(
    ("text", "triple", "source"),
    [
        ("肺炎患者有咳嗽。", ("肺炎", "临床表现", "咳嗽"), "knowledge"),
        ("急性阑尾炎主要表现为便秘。", ("急性阑尾炎", "临床表现", "便秘"), "cue"),
        ("糖尿病，口服二甲双胍治疗。", ("糖尿病", "药物治疗", "二甲双胍"), None),
        ("因急性阑尾炎行阑尾切除术。", ("急性阑尾炎", "手术治疗", "阑尾切除术"), None),
        ("直肠癌术后行化疗。", ("直肠癌术后", "化疗", "化疗"), "cue"),
        ("肺炎经胸部CT证实。", ("肺炎", "影像学检查", "胸部CT"), "cue"),
        ("右肺上叶腺癌。", ("右肺上叶腺癌", "发病部位", "右肺上叶"), "form"),
        ("肺炎并发心力衰竭。", ("肺炎", "并发症", "心力衰竭"), "cue"),
        ("肺炎应与肺结核鉴别。", ("肺炎", "鉴别诊断", "肺结核"), None),
    ],
)
def test_a_triple_and_the_sentence_that_says_it(
    structurer: Structurer, text: str, triple: tuple[str, str, str], source: str | None
) -> None:
    found = triples(structurer, "入院时一般情况可。" + text)
    assert triple in found, found.keys()
    relation = found[triple]
    assert relation.evidence.text == text
    assert source in (None, relation.source)
    assert any(s.predicate == relation.predicate for s in schemas())


@pytest.mark.parametrize(
    "text",
    [
        "肺炎。患者有咳嗽。",
        "无肺炎，表现为咳嗽。",
        "父亲患肺炎，表现为咳嗽。",
    ],
)
def test_no_triple_over_sentences_denials_or_persons(structurer: Structurer, text: str) -> None:
    assert not any(p == "临床表现" for _, p, _ in triples(structurer, text))


def test_a_drug_that_is_not_borne_treats_nothing(structurer: Structurer) -> None:
    found = triples(structurer, "肺炎，对青霉素过敏，予阿莫西林治疗。")
    assert not [key for key in found if "青霉素" in key]
