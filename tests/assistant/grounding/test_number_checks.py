"""Numbers beside their words, doses beside their drugs, in statements that join or reword."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.draft import Statement
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import segment_note
from assistant.record.note import Note
from knowledge.base import KnowledgeBase

Ground = Callable[[str, str], Statement]


@pytest.fixture
def ground(knowledge: KnowledgeBase) -> Ground:
    def check(record: str, statement: str) -> Statement:
        grounder = Grounder(
            segment_note(Note(id="n", text=record)),
            findings_of=knowledge.extractor.extract,
            drugs_of=drug_names(),
        )
        return grounder.ground("s", statement)

    return check


@pytest.mark.parametrize(
    ("record", "statement"),
    [
        (
            "术前30分钟静脉滴注头孢呋辛钠1.5g。右膝切口长约4cm，术中出血约150ml。",
            "术前30分钟静脉滴注头孢呋辛钠1.5g，右膝切口长约4cm，术中出血约150ml。",
        ),
        ("自服布洛芬0.3g后热退。复查血钾3.9mmol/L。", "自服布洛芬0.3g后热退，复查血钾3.9mmol/L。"),
        ("胆总管内径6mm，未见结石。肝内脂肪沉积。", "胆总管内径6mm，未见结石，肝内脂肪沉积。"),
        (
            "双侧扁桃体肿大，未见脓点。双肺可闻及哮鸣音。",
            "双肺可闻及哮鸣音，双侧扁桃体肿大，未见脓点。",
        ),
        ("查体：SpO2 94%，双下肢水肿。", "血氧饱和度94%，双下肢浮肿。"),
        ("今晨BP 112/68mmHg，血红蛋白84g/L。", "今晨血压112/68毫米汞柱，Hb84g/L。"),
        ("头孢呋辛每次1.5g静脉滴注每8小时1次，共6天。", "头孢呋辛每次1.5g静滴q8h，共6天。"),
        ("依诺肝素0.4ml/支 每次4000AxaIU 皮下注射。", "依诺肝素 每次4000AxaIU 皮下注射。"),
        ("2014-01-10，肠镜示直肠癌。", "2014年1月10日，肠镜示直肠癌。"),
        ("3天前无明显诱因发热。", "3天前没有明显诱因发热。"),
        ("入院前咳嗽5天，发热3天。", "病人咳嗽5天，发烧3天。"),
    ],
)
def test_joined_and_reworded_statements_are_supported(
    ground: Ground, record: str, statement: str
) -> None:
    checked = ground(record, statement)
    assert checked.status == "supported", checked.problems


@pytest.mark.parametrize(
    ("record", "statement", "problem"),
    [
        ("术后第1天切口干燥。1周后门诊拆线。", "1天后门诊拆线。", "number"),
        ("白细胞计数: 4.65X10^9/L。", "白细胞计数: 4.65X10^12/L。", "unit"),
        ("疼痛向左肩及左上臂放射。", "疼痛向左肩及右上臂放射。", "laterality"),
        (
            "予头孢呋辛1.5g静脉滴注，术中出血约150ml。",
            "予头孢呋辛2.5g静脉滴注，术中出血约150ml。",
            "dose",
        ),
        (
            "予头孢呋辛1.5g静脉滴注，术中出血约150ml。",
            "予头孢呋辛1.5g静脉滴注，术中出血约250ml。",
            "number",
        ),
        ("予地塞米松5mg静脉注射。", "予氢化可的松5mg静脉注射。", "drug"),
        ("未吸氧SpO2 93%。", "未吸氧SpO2 83%。", "number"),
        ("2014-01-10，肠镜示直肠癌。", "2014年1月11日，肠镜示直肠癌。", "date"),
    ],
)
def test_what_is_wrong_is_still_found(
    ground: Ground, record: str, statement: str, problem: str
) -> None:
    checked = ground(record, statement)
    assert checked.status == "unsupported"
    assert problem in {p.kind for p in checked.problems}, checked.problems
