"""Which samples are about one text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.errors import InputError
from eval.promptcblue.document import document_of, documents
from eval.promptcblue.sample import Sample, read_samples

TEXT = "患儿三天前受凉后出现发热、咳嗽，体温最高三十九度二，口服退热药后可降。"
OTHER = "查体见咽部充血，双侧扁桃体二度肿大，表面可见少许黄白色分泌物附着。"
CHOICES = ("疾病", "临床表现", "药物")


def sample(text: str, name: str = "s1", **more: object) -> Sample:
    given = {"answer_choices": CHOICES} | more
    return Sample(name, "CMeEE-V2", text, "", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (
            f"找出句子中的疾病，药物实体：\n{TEXT}\n答：",
            f"实体抽取：\n{TEXT}\n选项：疾病，药物",
            True,
        ),
        (f"找出句子中的疾病，药物实体：\n{TEXT}", f"找出句子中的疾病，药物实体：\n{OTHER}", False),
        (
            "标准化：\n主诉腹痛\n说明：从候选的若干个诊断名称中选择出与原诊断描述匹配的词",
            "标准化：\n主诉头痛\n说明：从候选的若干个诊断名称中选择出与原诊断描述匹配的词",
            False,
        ),
        ("糖尿病能吃西瓜吗\n选项：疾病，药物", "高血压能吃西瓜吗\n选项：疾病，药物", False),
        (
            "下一句：\n患者：孩子拉肚子三天了，一天六七次。\n医生：有发热吗\n答：",
            "患者：孩子拉肚子三天了，一天六七次。\n医生：有发热吗\n患者：没有\n医生的下一句：",
            True,
        ),
        (f"患者：你好\n医生：{TEXT}", f"患者：您好医生，我想咨询一下孩子\n医生：{TEXT}", False),
        ("患者：你好\n医生：你好\n答：", "患者：你好\n医生：你好\n患者：在吗\n答：", False),
    ],
)
def test_the_text_counts_and_not_the_wording(first: str, second: str, same: bool) -> None:
    found = documents([sample(first, "s1"), sample(second, "s2")])
    assert found.tolist() == ([0, 0] if same else [0, 1])


def test_a_document_that_is_named_counts_alone() -> None:
    named = [sample(TEXT, "s1", document="甲"), sample(OTHER, "s2", document="甲")]
    assert documents([*named, sample(TEXT, "s3")]).tolist() == [0, 0, 1]


@given(st.text(), st.text())
def test_every_sample_has_a_document(text: str, document: str) -> None:
    assert document_of(sample(text, document=document))


def test_a_file_may_name_documents(tmp_path: Path) -> None:
    row = sample(TEXT, document="入院记录-7").to_json()
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    (read,) = read_samples(path)
    assert read.document == "入院记录-7"
    assert "document" not in sample(TEXT).to_json()
    path.write_text(json.dumps(row | {"document": 7}) + "\n", "utf-8")
    with pytest.raises(InputError, match="document"):
        read_samples(path)
