"""Every rule has its example; names of all kinds go, and clinical text stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.store import identifying_text, person_names
from assistant.store.deidentify import Deidentifier

RULES = [*person_names.rules(), *identifying_text.rules()]

DATA = Path(__file__).parent.parent.parent / "data" / "deidentify"
NAMES = (DATA / "names.txt").read_text("utf-8").splitlines()
CLINICAL = (DATA / "clinical_lines.txt").read_text("utf-8").splitlines()
LATIN_NAMES = ("John Smith", "JOHN SMITH", "Anna Müller", "Maria del Carmen", "Jean-Pierre O'Neil")

ABOUT_THE_PATIENT = (
    "患者{}，男，58岁，因胸痛入院。",
    "患者{}，女，32岁，藏族。",
    "姓名：{} 性别：女",
    "患者姓名:{}，住院期间体温正常。",
    "联系人：{}，与患者关系：父子。",
    "患者签名：{}",
)
ABOUT_OTHERS = (
    "由其子{}代诉。",
    "由其女{}陪同来院。",
    "妻子：{}，体健。",
    "患者由儿子{}护送入院。",
    "其妻{}表示理解并同意手术。",
    "主治医师：{}",
    "记录者：{} 审核者：{}",
    "术者：{}，助手：{}。",
    "家属{}签字。",
    "邻居{}发现后拨打120。",
    "{}主任医师查房。",
    "{}先生今日出院。",
)


def deidentified(text: str) -> str:
    deidentifier = Deidentifier()
    deidentifier.learn(text)
    return deidentifier.text(text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.example)
def test_every_rule_replaces_its_example(
    rule: person_names.NameRule | identifying_text.IdentifierRule,
) -> None:
    assert rule.pattern.search(rule.example)
    assert deidentified(rule.example) == rule.expected


@given(
    st.sampled_from(NAMES),
    st.sampled_from(ABOUT_THE_PATIENT + ABOUT_OTHERS),
    st.sampled_from(CLINICAL),
)
@settings(max_examples=300, deadline=None)
def test_a_name_in_a_usual_place_goes_and_the_rest_stays(name: str, place: str, line: str) -> None:
    text = deidentified(f"{line}\n{place.format(name, name)}\n{line}{name}")
    assert name not in text
    assert text.startswith(f"{line}\n")
    assert text.endswith(f"\n{line}[姓名]")


@settings(deadline=None)
@given(st.sampled_from(LATIN_NAMES), st.sampled_from(ABOUT_THE_PATIENT[:1] + ABOUT_THE_PATIENT[2:]))
def test_latin_names_go(name: str, place: str) -> None:
    assert name.split()[0] not in deidentified(place.format(name))


@pytest.mark.parametrize("line", CLINICAL)
def test_clinical_lines_stay_as_they_are(line: str) -> None:
    assert deidentified(line) == line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "患者张某，由其子张伟代诉，邻居老刘陪同。",
            "患者[姓名]，由其子[姓名]代诉，邻居[姓名]陪同。",
        ),
        (
            "患者阿依古丽·买买提，维吾尔族，男；患者扎西顿珠，藏族。",
            "患者[姓名]，维吾尔族，男；患者[姓名]，藏族。",
        ),
        ("就诊于南京鼓楼医院心内科。", "就诊于[机构]心内科。"),
        ("曾在北京大学第三医院行支架植入。", "曾在[机构]行支架植入。"),
        ("转至湘雅二院，后至四川省自贡市第一人民医院。", "转至[机构]，后至[机构]。"),
        ("于鼓楼区江东社区卫生服务中心随访", "于[机构]随访"),
        ("就职于南京熊猫电子集团，平素体健", "就职于[机构]，平素体健"),
        ("就读于南京市第三中学，未婚", "就读于[机构]，未婚"),
        ("工作单位：南京市地铁公司", "工作单位：[地址]"),
        ("微信zhang_wei88，邮箱 li.lei@163.com", "微信[编号]，邮箱 [邮箱]"),
        ("护照E12345678，车牌川A·12345", "护照[编号]，车牌[车牌]"),
        (
            "出生日期：1968年2月3日，床号：12，病案号：00123456",
            "出生日期：[日期]，床号：[编号]，病案号：[编号]",
        ),
        ("医师签名：王建国/李红 2024-01-02", "医师签名：[姓名]/[姓名] [日期]"),
        ("Dr. Lee saw Mr. John Smith on March 5, 1990.", "Dr. [姓名] saw Mr. [姓名] on [日期]."),
    ],
)
def test_kinds_of_names_and_numbers(text: str, expected: str) -> None:
    assert deidentified(text) == expected


def test_a_name_that_begins_a_clinical_word_leaves_the_word() -> None:
    text = "患者张力，男，40岁，张力性气胸。张力已出院。"
    assert deidentified(text) == "患者[姓名]，男，[数值]岁，张力性气胸。[姓名]已出院。"
