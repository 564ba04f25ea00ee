"""Where the list of a denial goes on and ends, and when a note comes back from a relative."""

from __future__ import annotations

import pytest

from knowledge.text.assertion.engine import assert_terms
from tests.knowledge.text.test_rules import marks_of, read_example


def check(example: str) -> None:
    """Every term of ``example`` is read with the marks that stand behind it (as in the rules)."""
    text, matches, wanted = read_example(example)
    assert [marks_of(said) for said in assert_terms(text, matches)] == wanted


@pytest.mark.parametrize(
    "example",
    [
        "没有{头痛-}，{恶心-}，{呕吐-}。",
        "没有{肚子痛-}，{拉肚子-}，{呕吐-}这些症状，就是{嗓子疼}。",
        "未见{红肿-}，{渗液-}，{硬结-}。",
        "未见{溃疡-}，{糜烂-}及{新生物-}。",
        "否认{头部外伤-}，{D:胸部外伤-}，{D:腹部外伤-}。",
        "{头痛-}，{呕吐-}，{抽搐-}均无。",
        "{发热-}，{皮疹-}，{关节痛-}：均否认，{乏力}2月。",
        "no {nausea-}, {vomiting-} or {diarrhea-}.",
        "未闻及{杂音-}，{奔马律-}，{心包摩擦音-}，心界不大",
        "无{咳嗽-}，{咳痰-}。",
        "无{恶心-}，{呕吐-}，但有{嗳气}。",
    ],
)
def test_lists_by_commas_are_denied(example: str) -> None:
    check(example)


@pytest.mark.parametrize(
    "example",
    [
        "没有{咳血-}，{嗓子哑?}。",
        "未见{皮疹-}，{黄疸?}。",
        "无{寒战-}，无{惊厥-}，{皮疹?}，{腰痛?}。",
        "无{脓血-}，{尿量减少}，{前囟凹陷?}。",
        "无{窒息-}，{呻吟?}，{三凹征阳性}。",
        "{肌紧张-}(-) {压痛?}明显 {浊音-}(-)",
    ],
)
def test_what_may_be_either_is_uncertain(example: str) -> None:
    check(example)


@pytest.mark.parametrize(
    "example",
    [
        "否认{D:糖尿病-}{D:冠心病-}有{D:高血压}",
        "无{头痛-}饮食可{便秘}3天",
        "无{胸痛-}给予吸氧后{气促}好转",
        "无{反跳痛-}移动性浊音阴性{腹胀}",
        "{SOB}+ {N-}/{V-}-",
        "无{鼻衄-}、{牙龈出血-}及{瘀斑-}，{月经量多}。",
        "{头晕} 150/90",
        "未见{气胸-}及{血胸-}，{D:肺挫伤}。",
        "未引出{幻觉-}、{妄想-}，{情绪低落}。",
        "否认{幻听-}，存在{妄想}，{情感平淡}。",
        "无{痛经-}，{经量多}，{贫血?}。",
    ],
)
def test_what_stands_behind_a_list_is_not_denied(example: str) -> None:
    check(example)


@pytest.mark.parametrize(
    "example",
    [
        "爷爷患{D:肺结核@}，胸片示{斑片影}，无{咯血-}。",
        "其弟有{D:癫痫@}，入院查体：{嗜睡}，无{颈强直-}。",
        "丈夫去世后突发{胸痛}。",
        "坚信妻子有外遇，{失眠}。",
        "与母亲争执后{割腕}。",
        "照顾{D:偏瘫@}的老伴时{扭伤}。",
        "同宿舍两人患{D:水痘@}，患者{丘疱疹}。",
        "父亲{D:肺癌@}去世后{失眠}。",
    ],
)
def test_the_patient_comes_back_behind_a_relative(example: str) -> None:
    check(example)


@pytest.mark.parametrize(
    "example",
    [
        "父亲因{腹痛@}就诊，胃镜示{D:胃癌@}。",
        "母亲体检发现{D:肺结节@}。",
        "去世的父亲有{D:肺癌@}，母亲患{D:糖尿病@}。",
    ],
)
def test_a_relatives_own_course_stays_the_relatives(example: str) -> None:
    check(example)


@pytest.mark.parametrize(
    "example",
    [
        "曾疑{D:肺结核-<}，后排除；现诊断{D:肺脓肿}。",
        "请删除“{D:心力衰竭-}”诊断。",
        "{D:脑梗死-}诊断撤销，改诊为{D:脑膜瘤}。",
        "{D:癫痫-}：不支持。",
        "{D:结核-}证据缺乏，{D:肿瘤?}待排。",
    ],
)
def test_what_was_struck_or_excluded_is_denied(example: str) -> None:
    check(example)


@pytest.mark.parametrize(
    "example",
    [
        "{皮疹消退<}，{呼吸音消失}，{水肿明显消退}。",
        "{D:高血压}、{D:肝炎<}已痊愈。",
        "{腹痛}可自行缓解。",
        "{D:骨髓抑制<}，升白治疗后恢复正常，{乏力}。",
        "{腹泻<}，吃了药好了。",
    ],
)
def test_what_ended_is_past(example: str) -> None:
    check(example)
