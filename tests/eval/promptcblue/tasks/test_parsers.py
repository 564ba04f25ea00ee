"""Each kind of target by hand, and no text that a parser does not survive."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from promptcblue_sets import gold

from eval.promptcblue.task import Flaw, OddLine
from eval.promptcblue.tasks.decision_tree import NO_TREE, Node
from eval.promptcblue.tracks import CCKS2023, CHIP2023

TASKS = CHIP2023.tasks


def read(task: str, text: str, choices: list[str] | None = None) -> Any:
    return TASKS[task].parse(text, choices).answer


def flaws(task: str, text: str, choices: list[str] | None = None) -> set[Flaw]:
    return set(TASKS[task].parse(text, choices).flaws)


def test_entities() -> None:
    kinds = ["疾病", "药物"]
    text = "实体如下：\n疾病实体：痛风， 哮喘 ，\n药物实体：\n疾病实体： 痛风\n其他：甲"
    assert read("CMeEE-V2", text, kinds) == {("痛风", "疾病"), ("哮喘", "疾病")}
    assert flaws("CMeEE-V2", text, kinds) == {Flaw.DROPPED_LINE}
    assert read("CMeEE-V2", "疾病实体:痛风", kinds) == {("疾病实体:痛风", "疾病")}
    assert flaws("CMeEE-V2", "没有", kinds) == {Flaw.NO_ITEMS}
    with pytest.raises(OddLine):
        read("CMeEE-V2", text)


def test_relations() -> None:
    start = "具有病因关系的头尾实体对如下："
    text = f"{start}头实体为甲，尾实体为乙。头实体为丙，尾实体为丁，尾实体为戊。半句"
    assert read("CMeIE-V2", text, ["病因"]) == {("甲", "病因", "乙"), ("丙", "病因", "丁")}
    assert flaws("CMeIE-V2", text, ["病因"]) == {Flaw.DROPPED_LINE}
    assert flaws("CMeIE-V2", text.replace("半句", ""), ["并发症"]) == {Flaw.UNKNOWN_LABEL}
    # Without the mark, what stands after the first two characters is the relation.
    assert read("CMeIE-V2", "甲，尾实体为乙", []) == {("甲", "尾实体为乙", "乙")}


def test_normalization() -> None:
    offered = ["贫血", "缺铁性贫血"]
    assert read("CHIP-CDN", "答案是：\n贫血， 贫血，肺炎", offered) == {"贫血"}
    assert flaws("CHIP-CDN", "贫血，肺炎", offered) == {Flaw.NOT_A_CANDIDATE}
    assert read("CHIP-CDN", "贫血\n", offered) == set()
    assert flaws("CHIP-CDN", "没有对应的标准化实体", offered) == set()


def test_events() -> None:
    text = "如下：\n主体词：疼痛；描述词：隐痛，，持续 ；解剖部位：腹\n\n胡言"
    nothing = ("", "", (), ())
    assert read("CHIP-CDEE", text) == {("疼痛", "", ("隐痛", "持续"), ("腹",)), nothing}
    assert read("CHIP-CDEE", "主体词：疼痛") == set()
    assert flaws("CHIP-CDEE", "主体词：疼痛") == {Flaw.NO_ITEMS}
    inside = "x\n主体词：发生状态：否定；描述词：解剖部位：头"
    assert read("CHIP-CDEE", inside) == {("发生状态：否定", "否定", ("解剖部位：头",), ("头",))}


@pytest.mark.parametrize(
    ("tasks", "task", "unknown"),
    [
        (TASKS, "CHIP-MDCFNPC", "不标注"),
        (CCKS2023.tasks, "CHIP-MDCFNPC", "无实际意义的不标注或者和病人当前的状态独立不标注"),
        (TASKS, "IMCS-V2-SR", "无法根据上下文确定病人是否患有该症状"),
    ],
)
def test_attributes(tasks: Any, task: str, unknown: str) -> None:
    text = "如下：\n咳嗽 ：有\n发烧：无\n呕吐：：有\n没有冒号\n腹泻：有 "
    parsed = tasks[task].parse(text, ["有"])
    assert parsed.answer == {("咳嗽", "有"), ("发烧", unknown), ("腹泻", unknown)}
    assert parsed.flaws == {Flaw.UNKNOWN_LABEL, Flaw.DROPPED_LINE}


def test_causes() -> None:
    text = (
        "头实体：零；尾实体：一\n"
        "根据给定的文本抽取的因果关系三元组如下：\n 头实体：甲；尾实体：乙 \n"
        "根据给定的文本抽取的条件关系三元组如下：\n"
        "头实体：丙；尾三元组：头实体：甲；尾实体：乙；关系：因果关系\n"
        "上下位关系\n头实体：丁；尾实体：戊\n给定的文本没有指定关系的三元组\n这里不再读"
    )
    assert read("CMedCausal", text) == {
        (None, "零", "一"),
        ("因果关系", "甲", "乙"),
        ("条件关系", "丙；尾三元组：", ("因果关系", "甲", "乙")),
        ("上下位关系", "丁", "戊"),
    }
    assert flaws("CMedCausal", text) == {Flaw.NO_ITEMS}
    for odd in ("甲导致乙", "头实体：甲", "条件关系三元组\n头实体：甲；尾实体：乙"):
        with pytest.raises(OddLine):
            read("CMedCausal", odd)


def test_labels() -> None:
    assert read("CHIP-STS", " 相同\n") == "是的"
    assert read("CHIP-STS", "不同") == "不是"
    assert read("CHIP-STS", "") == "是的"
    assert read("KUAKE-QIC", "") == "非上述类型"
    assert read("KUAKE-QTR", "\n") == "完全不匹配或者没有参考价值"
    assert read("KUAKE-IR", "是相关的", ["相关"]) == "是相关的"
    assert flaws("KUAKE-IR", "是相关的", ["相关"]) == {Flaw.UNKNOWN_LABEL}
    assert flaws("KUAKE-QIC", "非上述类型", ["治疗方案"]) == set()


def test_visit_report() -> None:
    text = "报告\n主诉：咳嗽\n诊断： 支气管炎；诊断：哮喘\n主诉：发烧\n体检：可\n 建议：多饮水"
    assert read("IMCS-V2-MRG", text) == {"主诉": "发烧", "诊断": "哮喘"}
    assert flaws("IMCS-V2-MRG", text) == {Flaw.DROPPED_LINE}
    assert read("IMCS-V2-MRG", "主诉：咳嗽") == {}


def test_decision_trees() -> None:
    text = (
        "根据给定的指南文本抽取的诊疗决策树如下：\n"
        '节点0：role=C；logical_rel=or；triples=[["A", "b", "c"], ["x", "y"], "XYZ"]\n'
        "节点1：role=D；triples=[[1, 2]]\n"
        "节点2：role=D；logical_rel=null；triples=nonsense"
    )
    nodes = (
        Node("C", "or", frozenset({("a", "b", "c"), ("x", "y", "z")})),
        Node("D；triples=[[1, 2]]", "null", frozenset()),
        Node("D", "null", frozenset()),
    )
    assert read("Text2DT", text) == nodes
    assert flaws("Text2DT", text) == {Flaw.DROPPED_LINE}
    assert read("Text2DT", "") == NO_TREE
    for odd in ("无", "节点0：role=D；logical_rel=null；triples=[[None, 'b', 'c']]"):
        with pytest.raises(OddLine):
            read("Text2DT", odd)


def test_what_stands_in_triples_is_never_run(tmp_path: Any) -> None:
    made = tmp_path / "made"
    code = f"__import__('pathlib').Path({str(made)!r}).touch()"
    for body in (f"[{code}]", f"[[{code}, 'b', 'c']]", f"[x for x in [{code}]]"):
        (node,) = read("Text2DT", f"节点0：role=D；logical_rel=null；triples={body}")
        assert not node.triples
    assert not made.exists()
    assert read("Text2DT", "节点0：role=D；logical_rel=null；triples=" + "[" * 5000)


def test_the_distance_of_trees() -> None:
    triple = json.dumps([["患者", "治疗药物", "甲"]], ensure_ascii=False)
    leaf = f"role=D；logical_rel=null；triples={triple}"
    branch = leaf.replace("role=D", "role=C")
    whole = "\n".join(f"节点{i}：{node}" for i, node in enumerate((branch, leaf, leaf)))
    task = TASKS["Text2DT"]
    one, three = read("Text2DT", f"节点0：{leaf}"), read("Text2DT", whole)
    # The root differs in its role (1); two children that have no partner weigh 2 each.  At most:
    # one triple and one or three filled nodes, each of weight 2, on either side.
    assert task.tally([three], [one]).score() == pytest.approx(1 - 5 / ((1 + 2) + (1 + 6)))
    assert task.tally([three], [three]).score() == 1
    # Two conditions without enough children: the first node stands alone.
    broken = read("Text2DT", f"节点0：{branch}\n节点1：{leaf}")
    assert task.tally([three], [broken]).score() == pytest.approx(1 - 4 / ((1 + 6) + (1 + 4)))


SAMPLES = gold(CHIP2023)
WORDS = sorted({piece for sample in SAMPLES for piece in sample.target.split("：")})
TEXT = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from([*WORDS, "：", "；", "，", "。", "\n", " ", "实体"])).map("".join),
)


@given(st.sampled_from(SAMPLES), TEXT)
@settings(max_examples=400)
def test_any_text_is_read_or_is_an_odd_line(sample: Any, text: str) -> None:
    task = TASKS[sample.task_dataset]
    reference = task.parse(sample.target, sample.answer_choices).answer
    with contextlib.suppress(OddLine):
        parsed = task.parse(text, sample.answer_choices)
        tally = task.tally([reference, reference], [parsed.answer, None])
        assert tally.score() <= 1
        assert tally.each.shape == (2,)
        assert tally.each[1] == 0 or task.metric == "micro-F1"
        assert task.parse(text, sample.answer_choices) == parsed
