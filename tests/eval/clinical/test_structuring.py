"""Labelled texts, what was read from them, and the scores."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.clinical.structuring.document import (
    Document,
    What,
    entity,
    read_gold,
    read_predictions,
    term,
    triple,
)
from eval.clinical.structuring.evaluation import Labelled, evaluate, labelled, score_names
from eval.clinical.structuring.micro import measure
from eval.clinical.structuring.product import open_reader, read_all
from eval.clinical.structuring.types import TypeNames, read_types
from eval.errors import EvalError, InputError
from knowledge.base import KnowledgeBase
from knowledge.coding.normalization import RANKER, Ranker
from knowledge.ranking.boosted_trees import BoostedTrees

COLD = {
    "id": "a",
    "text": "咳嗽三天，考虑肺炎。",
    "entities": [{"start": 0, "end": 2, "type": "sym"}, {"start": 7, "end": 9, "type": "dis"}],
}
GERMS = {
    "id": "b",
    "text": "肺炎链球菌阴性。",
    "entities": [{"start": 0, "end": 5, "type": "mic"}],
}
TYPES = ("dis", "sym", "mic", "disease", "drug", "科室")


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    return path


def test_the_forms_of_the_sets(tmp_path: Path) -> None:
    relation = {
        "text": "肺炎可有发热。",
        "spo_list": [
            {"subject": "肺炎", "predicate": "临床表现", "object": {"@value": "发热"}},
            {"subject": " 肺炎", "predicate": "临床表现", "object": "发热"},
        ],
    }
    own = {"text": "x", "triples": []}
    first, second = read_gold(lines(tmp_path / "r.jsonl", relation, own), What.TRIPLES)
    assert first.items == {triple("肺炎", "临床表现", "发热")}
    assert (second.id, second.items) == ("r-2", frozenset())

    packed = tmp_path / "t.jsonl.gz"
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        for result in ("肺炎##高血压", '"脓毒症"', ["胃炎"], ""):
            file.write(json.dumps({"text": "x", "normalized_result": result}) + "\n")
    found = [document.items for document in read_gold(packed, What.TERMS)]
    assert found == [{term("肺炎"), term("高血压")}, {term("脓毒症")}, {term("胃炎")}, frozenset()]


def test_counts_by_hand() -> None:
    gold = [{entity(0, 2, "dis"), entity(3, 5, "sym")}, {entity(0, 1, "dis")}]
    found = [{entity(0, 2, "dis"), entity(3, 5, "dis")}, set[Any]()]
    overall, (dis, sym) = measure(
        [frozenset(g) for g in gold], [frozenset(f) for f in found], ["dis", "sym"]
    )
    assert (overall.right, overall.predicted, overall.gold) == (1, 2, 3)
    f1 = overall.f1("F1")
    assert (f1.value, f1.n) == (40, 3)
    assert f1.low is not None
    assert f1.high is not None
    assert f1.low <= 40 <= f1.high
    assert (overall.precision("p").value, overall.recall("r").value) == (50, 33.3333)
    assert (dis.f1("F1").value, sym.f1("F1").value, sym.precision("p").n) == (50, 0, 0)


def test_the_interval_is_over_documents() -> None:
    """Many items in one document say no more about other documents than one item does."""
    items = frozenset(term(str(n)) for n in range(50))
    overall, _ = measure([items, items], [items, frozenset()], [""])
    recall = overall.recall("r")
    assert (recall.low, recall.value, recall.high) == (0, 50, 100)
    alone, _ = measure([items], [items], [""])
    assert (alone.f1("F1").value, alone.f1("F1").low) == (100, None)


def spans() -> st.SearchStrategy[Any]:
    one = st.builds(
        lambda start, length, kind: entity(start, start + length, kind),
        st.integers(0, 20),
        st.integers(1, 9),
        st.sampled_from(TYPES),
    )
    return st.frozensets(one, max_size=6)


@given(st.lists(spans(), min_size=1, max_size=6).filter(any), st.data())
def test_gold_as_prediction_scores_100(items: list[Any], data: st.DataObject) -> None:
    documents = [Document(str(n), "甲" * 40, each) for n, each in enumerate(items)]
    gold = labelled(What.ENTITIES, documents, TypeNames(), recogniser_only=False)
    result = evaluate(What.ENTITIES, gold, items)
    assert set(result.scores) == set(score_names(What.ENTITIES, gold))
    assert set(result.scores.values()) == {100.0}
    assert result.cases == []
    lost = data.draw(st.sampled_from(sorted(n for n, each in enumerate(items) if each)))
    short = [frozenset() if n == lost else each for n, each in enumerate(items)]
    worse = evaluate(What.ENTITIES, gold, short)
    assert worse.scores["entities"] < 100
    assert [case.id for case in worse.cases] == [str(lost)]


def test_types_that_nobody_knows_are_counted_apart(tmp_path: Path) -> None:
    documents = read_gold(lines(tmp_path / "g.jsonl", COLD, GERMS), What.ENTITIES)
    gold = labelled(What.ENTITIES, documents, TypeNames(), recogniser_only=True)
    assert gold.apart == {"mic": 1}
    found = [frozenset({entity(0, 2, "symptom"), entity(7, 9, "disease")}), frozenset()]
    result = evaluate(What.ENTITIES, gold, found)
    assert result.scores["entities"] == 100
    assert any("mic (1)" in note for note in result.notes)
    assert result.tables[1].rows == [["mic", "1"]]

    mapped = read_types(_yaml(tmp_path, "mic: test\nimaging: null\n"))
    gold = labelled(What.ENTITIES, documents, mapped, recogniser_only=True)
    assert gold.apart == {}
    found = [found[0] | {entity(3, 4, "imaging")}, frozenset({entity(0, 5, "test")})]
    assert evaluate(What.ENTITIES, gold, found, names=mapped).scores["entities"] == 100
    strict = evaluate(What.ENTITIES, gold, found)
    assert strict.scores["entities.precision"] == 75
    assert any("imaging (1)" in note for note in strict.notes)


def _yaml(folder: Path, text: str) -> Path:
    path = folder / "types.yaml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("mic: test\ndep: clinic\n", 2, "dep"),
        ("mic: test\nmic: drug\n", 2, "mic"),
        ("mic: [test]\n", 1, "mic"),
        ("- mic\n", 1, ""),
        ("mic: 'test\n", 2, ""),
    ],
)
def test_a_wrong_file_of_types(tmp_path: Path, text: str, line: int, field: str) -> None:
    with pytest.raises(InputError) as caught:
        read_types(_yaml(tmp_path, text))
    assert (caught.value.line, caught.value.field) == (line, field)


@pytest.mark.parametrize(
    ("what", "row", "field"),
    [
        ("entities", {"text": "x"}, "entities"),
        ("entities", {"entities": []}, "text"),
        ("entities", {"text": 3, "entities": []}, "text"),
        ("entities", {"text": "x", "entities": [], "id": "a"}, "id"),
        ("entities", {"text": "x", "entities": [3]}, "entities[0]"),
        ("entities", {"text": "x", "entities": [{"start": -1}]}, "entities[0].start"),
        (
            "entities",
            {"text": "x", "entities": [{"start": 1, "end": 0, "type": "dis"}]},
            "entities[0].end",
        ),
        ("entities", {"text": "x", "entities": [{"start": 0, "end": 1}]}, "entities[0].type"),
        ("triples", {"text": "x"}, "spo_list"),
        (
            "triples",
            {"text": "x", "triples": [{"subject": "a", "predicate": "b", "object": {}}]},
            "triples[0].object",
        ),
        ("terms", {"text": "x"}, "normalized_result"),
        ("terms", {"text": "x", "normalized_result": [3]}, "normalized_result"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, what: str, row: dict[str, Any], field: str
) -> None:
    good = {"id": "a", "text": "x", "entities": [], "triples": [], "normalized_result": "肺炎"}
    with pytest.raises(InputError) as caught:
        read_gold(lines(tmp_path / "g.jsonl", good, row), What(what))
    assert (caught.value.line, caught.value.field) == (2, field)


def test_a_gold_without_labels(tmp_path: Path) -> None:
    path = lines(tmp_path / "g.jsonl", {"text": "x", "entities": []})
    with pytest.raises(InputError, match="labelled with entities"):
        read_gold(path, What.ENTITIES)


def test_entities_that_stand_nowhere_are_told(tmp_path: Path) -> None:
    odd = [{"start": 1, "end": 1, "type": "dis"}, {"start": 0, "end": 99, "type": "dis"}]
    path = lines(tmp_path / "g.jsonl", COLD, GERMS | {"entities": odd})
    gold = labelled(
        What.ENTITIES, read_gold(path, What.ENTITIES), TypeNames(), recogniser_only=True
    )
    notes = evaluate(What.ENTITIES, gold, [frozenset(), frozenset()]).notes
    assert any("2 entities of the gold" in note for note in notes)


def test_predictions_by_id_and_by_place(tmp_path: Path) -> None:
    gold = read_gold(lines(tmp_path / "g.jsonl", COLD, GERMS), What.ENTITIES)
    by_id = lines(tmp_path / "i.jsonl", {"id": "b", "entities": []}, COLD)
    assert read_predictions(by_id, What.ENTITIES, gold) == [gold[0].items, frozenset()]
    by_place = lines(tmp_path / "p.jsonl", {"entities": COLD["entities"]}, {"entities": []})
    assert read_predictions(by_place, What.ENTITIES, gold) == [gold[0].items, frozenset()]
    assert read_predictions(by_id, What.ENTITIES, gold, 1) == [gold[0].items]


@pytest.mark.parametrize(
    ("rows", "line", "field"),
    [
        ([COLD], 0, ""),
        ([COLD, GERMS | {"id": "c"}], 2, "id"),
        ([{"entities": []}] * 3, 3, ""),
        ([{"entities": []}, {"text": "别的", "entities": []}], 2, "text"),
    ],
)
def test_predictions_of_something_else(
    tmp_path: Path, rows: list[Any], line: int, field: str
) -> None:
    gold = read_gold(lines(tmp_path / "g.jsonl", COLD, GERMS), What.ENTITIES)
    with pytest.raises(InputError) as caught:
        read_predictions(lines(tmp_path / "p.jsonl", *rows), What.ENTITIES, gold)
    assert (caught.value.line, caught.value.field) == (line, field)


def test_the_worst_come_first() -> None:
    documents = [
        Document("good", "肺炎", frozenset({term("肺炎")})),
        Document("half", "肺炎", frozenset({term("肺炎"), term("胃炎")})),
        Document("none", "肺炎", frozenset({term("肺炎")})),
    ]
    found = [{"肺炎"}, {"肺炎"}, {"胃炎", "肝炎"}]
    result = evaluate(
        What.TERMS, Labelled(documents), [frozenset(map(term, names)) for names in found]
    )
    assert [case.id for case in result.cases] == ["none", "half"]
    assert result.cases[1].expected.splitlines() == ["肺炎", "✗ 胃炎"]
    assert result.cases[1].answer == "肺炎"
    assert result.scores["terms.exact"] == pytest.approx(100 / 3, abs=1e-3)
    assert result.tables == []


def test_the_product_reads(base: KnowledgeBase, tmp_path: Path) -> None:
    text = "诊断：急性阑尾炎，表现为发热。"
    document = Document("d", text, frozenset())

    def read(what: What) -> Any:
        return read_all(open_reader(what, base, tmp_path), [document])[0]

    start = text.index("急性")
    assert entity(start, start + 5, "disease") in read(What.ENTITIES)
    assert triple("急性阑尾炎", "临床表现", "发热") in read(What.TRIPLES)
    reader = open_reader(What.TERMS, base, tmp_path)
    assert reader.read("急性阑尾炎") == {term("急性阑尾炎")}
    assert str(reader.identity["name"]).startswith("rule")
    (tmp_path / "models" / "structuring").mkdir(parents=True)
    broken = open_reader(What.ENTITIES, None, tmp_path)
    assert str(broken.identity["name"]).startswith("bedside-ner-zh@")
    assert len(broken.notes) == 2


def test_the_ranker_knows_its_examples(base: KnowledgeBase, tmp_path: Path) -> None:
    ranker = Ranker(BoostedTrees(), 0.5, (("阑尾发炎", ("急性阑尾炎",)),))
    ranker.save(tmp_path / "knowledge" / RANKER)
    reader = open_reader(What.TERMS, base, tmp_path)
    assert reader.trained_on == {"阑尾发炎"}
    assert str(reader.identity["name"]).startswith("ranker")


def test_terms_need_codes(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="codes"):
        open_reader(What.TERMS, None, tmp_path)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("ner/cmeee_v1_train.jsonl.gz", What.ENTITIES),
        ("ner/yidu_s4k_train.jsonl.gz", What.ENTITIES),
        ("relation/cmeie_v1_dev.jsonl.gz", What.TRIPLES),
        ("normalization/chip_cdn_train.jsonl.gz", What.TERMS),
    ],
)
def test_real_sets_read(shared_data: Path, name: str, what: What) -> None:
    documents = read_gold(shared_data / name, what)
    assert len(documents) >= 1000
    gold = labelled(what, documents[:300], TypeNames(), recogniser_only=False)
    result = evaluate(what, gold, [document.items for document in documents[:300]])
    assert set(result.scores.values()) == {100.0}
