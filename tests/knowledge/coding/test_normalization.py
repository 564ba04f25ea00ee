"""Diagnoses as written → standard terms."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from knowledge.coding.coding import Code, plain, plain_all
from knowledge.coding.memory import CodingMemory, Example
from knowledge.coding.normalization import Normalizer, Ranker, RankerError, parts_of
from knowledge.coding.normalization_training import (
    CodedDiagnosis,
    ExamplesError,
    evaluate,
    read_examples,
    train,
)
from knowledge.coding.term_index import TermIndex
from knowledge.ranking.boosted_trees import BoostedTrees, Growth, grow
from knowledge.sources import Icd10Table

SHARED = Path(__file__).parents[3] / "../shared/data"
NAMES = (
    "高血压", "冠状动脉粥样硬化性心脏病", "2型糖尿病", "糖尿病性肾病", "肺炎", "支气管肺炎",
    "急性阑尾炎", "慢性阑尾炎", "脑梗死", "腔隙性脑梗死", "肺恶性肿瘤", "右肺上叶恶性肿瘤",
    "胃溃疡", "十二指肠溃疡", "胆囊结石", "慢性胆囊炎", "肾结石", "贫血", "缺铁性贫血", "腺癌",
)  # fmt: skip
CODES = [Code(f"A{number:02}.000", name, "table") for number, name in enumerate(NAMES)]


@pytest.fixture(scope="module")
def normalizer() -> Normalizer:
    return Normalizer(CODES)


@pytest.mark.parametrize(
    ("written", "terms"),
    [
        ("高血压", ["高血压"]),
        ("急性阑尾炎", ["急性阑尾炎"]),
        ("缺铁性贫血？", ["缺铁性贫血"]),
        ("胃溃疡、胆囊结石", ["胃溃疡", "胆囊结石"]),
        ("脑梗塞", ["脑梗死"]),
    ],
)
def test_terms_by_the_rule(normalizer: Normalizer, written: str, terms: list[str]) -> None:
    assert sorted(t.name for t in normalizer.terms(written)) == sorted(terms)


def test_an_exact_name_is_certain_and_nothing_alike_is_nothing(normalizer: Normalizer) -> None:
    (same,) = normalizer.terms("肺炎")
    assert (same.score, same.code, same.system) == (1.0, "A04.000", "table")
    for nothing in ("", "  ", "😷", "xyz", "\x00"):
        assert normalizer.terms(nothing) == []


def test_parts_of_a_compound() -> None:
    assert parts_of("冠心病、高血压3级;糖尿病") == ["冠心病", "高血压3级", "糖尿病"]
    assert parts_of("肺炎伴贫血") == ["肺炎", "贫血"]
    assert len(parts_of("、".join(["肺炎1号"] * 3 + [f"病{n}症" for n in range(50)]))) <= 8


def test_an_empty_table() -> None:
    assert Normalizer([]).terms("肺炎") == []


def examples() -> list[CodedDiagnosis]:
    """Wordings of our own whose terms share no character with them, or only some."""
    pairs = [
        ("冠心病", ("冠状动脉粥样硬化性心脏病",)),
        ("心血管狭窄", ("冠状动脉粥样硬化性心脏病",)),
        ("血压偏高", ("高血压",)),
        ("DN", ("糖尿病性肾病",)),
        ("右上肺ca", ("右肺上叶恶性肿瘤", "腺癌")),
        ("消渴", ("2型糖尿病",)),
        ("腔梗", ("腔隙性脑梗死",)),
        ("胆石症", ("胆囊结石",)),
        ("小细胞低色素", ("缺铁性贫血",)),
        ("球溃", ("十二指肠溃疡",)),
    ]
    tails = ("", "待查", "入院", "复查", "史", "随诊", "术后", "1", "2", "待排", "可能", "急")
    return [CodedDiagnosis(text + tail, terms) for tail in tails for text, terms in pairs]


SMALL = Growth(rounds=30, depth=3)


def test_training_learns_what_the_names_do_not_tell(tmp_path: Path) -> None:
    ranker, scores, rule = train(examples(), CODES, growth=SMALL)
    assert scores.f1 > rule.f1 + 0.2
    trained = Normalizer(CODES, ranker)
    assert [t.name for t in trained.terms("腔梗复查")] == ["腔隙性脑梗死"]
    assert {t.name for t in trained.terms("右上肺ca史")} == {"右肺上叶恶性肿瘤", "腺癌"}
    path = tmp_path / "home" / "ranker.json"
    ranker.save(path)
    again = Normalizer(CODES, Ranker.load(path))
    for example in examples():
        assert [t.name for t in again.terms(example.text)] == [
            t.name for t in trained.terms(example.text)
        ]


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"format": 9}', "[1]", '{"format":1,"threshold":0.5,"ranker":{"bias":0,"trees":'
     '[{"features":[0],"thresholds":[],"leaves":[1]}]},"examples":[]}'],
)  # fmt: skip
def test_a_broken_ranker_says_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ranker.json"
    path.write_text(content)
    with pytest.raises(RankerError, match=r"ranker\.json.*bedside kb train-coding"):
        Ranker.load(path)


def test_examples_out_of_a_file(tmp_path: Path) -> None:
    record = {"text": "冠心病高血压", "normalized_result": '高血压##"冠状动脉,病"##高血压'}
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress((json.dumps(record) + "\n\n").encode()))
    assert read_examples(path) == [CodedDiagnosis("冠心病高血压", ("高血压", "冠状动脉,病"))]
    bad = tmp_path / "b.jsonl"
    bad.write_text(json.dumps(record) + '\n{"text": "张三"}\n')
    with pytest.raises(ExamplesError, match=r"b\.jsonl, line 2") as caught:
        read_examples(bad)
    assert "张三" not in str(caught.value)
    with pytest.raises(ExamplesError, match="too few"):
        train(examples()[:10], CODES)


def test_an_example_does_not_recall_itself() -> None:
    memory = CodingMemory([Example("腔梗", frozenset({1})), Example("球溃", frozenset({2}))])
    assert memory.recall("腔梗").nearest[1] == pytest.approx(1.0)
    without = memory.recall("腔梗", without=0)
    assert 1 not in without.nearest
    assert not without.linked.get(1)
    assert without.prior.get(1, 0) == 0


def test_overlap_is_one_for_the_same_and_none_for_nothing() -> None:
    overlap = TermIndex(["肺炎", "胃溃疡"]).overlap("肺炎")
    assert overlap.dice[0] == pytest.approx(1.0)
    assert overlap.dice[1] == 0.0
    assert overlap.held[0] == pytest.approx(1.0)


def test_overlap_counts_each_ngram_of_up_to_three_characters_once_by_its_rarity() -> None:
    index = TermIndex(["肺炎肺炎", "", "肺气肿"])
    overlap = index.overlap("肺炎")
    rare, common = np.log(1 + 3 / 1), np.log(1 + 3 / 2)
    # 肺 is in two texts; 炎 and 肺炎 in one, where 炎肺, 肺炎肺 and 炎肺炎 are too.
    assert index.weights == pytest.approx([common + 5 * rare, 0.0, common + 5 * rare], abs=1e-6)
    assert overlap.explained == pytest.approx([1.0, 0.0, common / (common + 2 * rare)])
    assert TermIndex([]).overlap("肺炎").dice.shape == (0,)


def test_names_in_plain_form_are_the_same_one_by_one_and_together() -> None:
    names = ["2型糖尿病（待查）", "Ⅱ期 肝恶性肿瘤", "", "脑梗塞\n", "a\0b"]
    assert plain_all(names) == [plain(name) for name in names]
    assert plain_all(names[:4]) == [plain(name) for name in names[:4]]
    assert plain_all([]) == []


def test_trees_learn_an_exclusive_or() -> None:
    rng = np.random.default_rng(0)
    rows = rng.random((4000, 3)).astype(np.float32)
    labels = (rows[:, 0] > 0.5) != (rows[:, 1] > 0.5)
    model = grow(rows, labels, Growth(rounds=60, depth=3))
    fresh = rng.random((1000, 3)).astype(np.float32)
    wanted = (fresh[:, 0] > 0.5) != (fresh[:, 1] > 0.5)
    assert ((model.probabilities(fresh) > 0.5) == wanted).mean() > 0.95
    again = BoostedTrees.from_record(json.loads(json.dumps(model.as_record())))
    np.testing.assert_allclose(again.probabilities(fresh), model.probabilities(fresh), atol=0.02)
    assert len(model.probabilities(fresh[:0])) == 0


def test_trees_of_one_answer_give_it() -> None:
    rows = np.zeros((20, 2), np.float32)
    assert grow(rows, np.zeros(20, bool), SMALL).probabilities(rows).max() < 0.01


@pytest.mark.shared
def test_coded_diagnoses_of_others() -> None:
    """A quarter of the records, for time; the whole is `bedside kb train-coding`."""
    table = SHARED / "kb/icd10_beijing_clinical_v601.tsv"
    path = SHARED / "normalization/chip_cdn_train.jsonl.gz"
    if not table.exists() or not path.exists():
        pytest.skip("no coded diagnoses beside the checkout")
    codes = [Code(f.object, f.subject, "icd10") for f in Icd10Table(table).facts()]
    records = read_examples(path)
    assert len(records) == 6_000
    rule = evaluate(Normalizer(codes), records[-300:])
    _, scores, _ = train(records[-1_500:], codes, growth=Growth(rounds=40, depth=4))
    assert scores.f1 > rule.f1
    assert scores.f1 > 0.4
