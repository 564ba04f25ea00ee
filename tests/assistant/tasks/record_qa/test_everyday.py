"""Questions in everyday words, over stays of several departments."""

from __future__ import annotations

from functools import cache

import pytest

from assistant.tasks.record_qa.chain import ask
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading
from eval.clinical.fresh import fresh_stays


@cache
def readings() -> dict[str, RecordReading]:
    stays = (known.encounter for known in fresh_stays())
    return {stay.id.removeprefix("enc-"): RecordReading(stay) for stay in stays}


def said(stay: str, question: str) -> RecordAnswer:
    return ask(readings()[stay], question)


@pytest.mark.parametrize(
    ("stay", "question", "kind", "words"),
    [
        ("nephrotic", "穿刺后有并发症吗", "complication", ["血肿", "肉眼血尿"]),
        ("deafness", "听神经瘤排除了没", "ruled_out", ["未见占位", "医师"]),
        ("deafness", "低血糖发生过吗", "mention", ["3.2"]),
        ("subdural", "低钠纠正了没", "change", ["132", "138"]),
        ("ectopic", "术后发过烧没有", "highest", ["38.1"]),
        ("deafness", "内分泌科怎么建议的", "note", ["甘精胰岛素"]),
        ("subdural", "移位多少毫米", "piece", ["9mm", "3mm"]),
        ("abscess", "左氧吃到哪天", "piece", ["2025-12-29"]),
    ],
)
def test_the_record_answers(stay: str, question: str, kind: str, words: list[str]) -> None:
    answer = said(stay, question)
    assert answer.route == kind
    assert [w for w in words if w not in answer.plain_text()] == []
    assert all(s.evidence for s in answer.statements)


def test_a_brothers_illness_is_not_the_patients() -> None:
    answer = said("deafness", "弟弟有什么病")
    assert answer.route == "relative"
    assert "高血压" in answer.plain_text()
    assert "诊断：" not in answer.plain_text()


def test_what_is_not_asked_for_word_for_word_is_not_quoted() -> None:
    answer = said("abscess", "患者的车牌号是多少")
    assert answer.outcome == "not_understood"
    assert answer.statements == []


def test_strength_with_its_sign_is_shown_whole() -> None:
    assert "5-级" in said("subdural", "出院时肌力几级").statements[0].text


def test_a_drug_that_does_not_go_with_another_is_named() -> None:
    answer = said("nephrotic", "能用布洛芬吗")
    assert "利伐沙班" in answer.plain_text()
    assert "由医师" in answer.message
