"""The graph that the page's script draws."""

from __future__ import annotations

import html
import json
import re

from structured_sample import ATTACK, argument, entity, note, relation, words

from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.span import EntityType
from assistant.tasks.structuring.ui.relation_graph import graph_html, graph_of
from assistant.tasks.structuring.ui.relation_list import relations_html
from assistant.ui.strings import Text
from knowledge.text.finding import Polarity

ZH = Text("zh")
TEXT = "肺炎予头孢呋辛1.5g，无胸痛"


def sample() -> StructuredNote:
    disease = entity(TEXT, "肺炎", EntityType.DISEASE)
    drug = entity(TEXT, "头孢呋辛", EntityType.DRUG, 2)
    pain = entity(TEXT, "胸痛", EntityType.SYMPTOM, 3, polarity=Polarity.ABSENT)
    dose = words(TEXT, "1.5g", "dose")
    made: StructuredNote = note(
        TEXT,
        [disease, drug, pain],
        [
            relation(TEXT, argument(drug), "剂量", dose),
            relation(TEXT, argument(disease), "药物治疗", argument(drug), "triple"),
            relation(TEXT, argument(disease), "药物治疗", argument(drug), "triple"),
            relation(TEXT, argument(disease), "临床表现", argument(pain), "triple"),
        ],
    )
    return made


def test_nodes_are_entities_and_attributes_in_the_order_of_the_text() -> None:
    graph = graph_of(sample(), ZH)
    assert [(n.text, n.type) for n in graph.nodes] == [
        ("肺炎", "disease"),
        ("头孢呋辛", "drug"),
        ("1.5g", "dose"),
        ("胸痛", "symptom"),
    ]
    for node in graph.nodes:
        name, start, end = node.to.split()
        assert (name, TEXT[int(start) : int(end)]) == ("n1", node.text)
    named = [
        (graph.nodes[e.source].text, e.predicate, graph.nodes[e.target].text) for e in graph.edges
    ]
    assert named == [
        ("肺炎", "药物治疗", "头孢呋辛"),
        ("肺炎", "临床表现", "胸痛"),
        ("头孢呋辛", "剂量", "1.5g"),
    ]
    assert graph.nodes[3].mark == "否"
    assert graph.nodes[3].label == "症状 胸痛，否认，1 条关系"
    assert graph.nodes[0].label == "疾病 肺炎，2 条关系"


def test_relations_of_the_same_ends_share_an_edge() -> None:
    made = sample()
    disease, drug = made.entities[0], made.entities[1]
    made.relations.append(relation(TEXT, argument(disease), "辅助治疗", argument(drug)))
    graph = graph_of(made, ZH)
    assert [e.predicate for e in graph.edges] == ["药物治疗、辅助治疗", "临床表现", "剂量"]
    assert (graph.shown, graph.left_out) == (4, 0)


def test_what_is_left_out_of_a_large_picture_is_said() -> None:
    graph = graph_of(sample(), ZH, most=2)
    assert [e.kind for e in graph.edges] == ["triple", "triple"]
    assert graph.left_out == 1
    assert len(graph.nodes) == 3


def test_the_page_gets_the_graph_as_data() -> None:
    shown = graph_html(sample(), ZH)
    (found,) = re.findall(r'data-graph="([^"]*)"', shown)
    data = json.loads(html.unescape(found))
    assert [n["text"] for n in data["nodes"]] == ["肺炎", "头孢呋辛", "1.5g", "胸痛"]
    assert 'data-zoom="in"' in shown
    assert graph_html(note(TEXT, []), ZH) == ""


def test_the_list_has_every_relation_with_its_sentence() -> None:
    shown = relations_html([sample()], ZH)
    assert "概念关系（3）" in shown
    assert "属性关系（1）" in shown
    assert shown.count(f'data-to="n1 0 {len(TEXT)}"') == 4
    assert "没有识别到关系" in relations_html([note(TEXT, [])], ZH)


def test_many_relations_are_folded_and_none_is_lost() -> None:
    many = sample()
    many.relations = [many.relations[0]] * 250
    shown = relations_html([many], ZH)
    assert shown.count("剂量</span>") == 250
    assert shown.count('<details class="rest"') == 2
    assert "其余 50 条 (201–250)" in shown


def test_words_of_a_note_are_escaped() -> None:
    text = f"肺炎{ATTACK}"
    disease = entity(text, "肺炎", EntityType.DISEASE)
    drug = entity(text, ATTACK, EntityType.DRUG, 2)
    made = note(
        text, [disease, drug], [relation(text, argument(disease), ATTACK, argument(drug), "triple")]
    )
    shown = relations_html([made], ZH)
    assert "<script" not in shown
    assert "<img" not in shown
