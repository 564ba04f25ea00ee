"""A small stay, and its answers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from assistant.record.encounter import Encounter
from assistant.tasks.record_qa.chain import ask
from assistant.tasks.record_qa.draft import Focus, RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading

Ask = Callable[..., RecordAnswer]

STAY: dict[str, Any] = {
    "id": "enc-qa",
    "patient": {"id": "pat-qa", "name": "沈怀谨", "sex": "male", "birth_date": "1960-04-02"},
    "bed": "08床",
    "admitted_at": "2026-03-02T09:00:00",
    "discharged_at": "2026-03-10T10:00:00",
    "diagnoses": [{"kind": "discharge", "name": "急性肾盂肾炎", "primary": True}],
    "notes": [
        {
            "id": "n1",
            "kind": "admission",
            "title": "入院记录",
            "written_at": "2026-03-02T10:30:00",
            "author": "宗明达",
            "text": "主诉：发热、腰痛3天。"
            "\n现病史：患者3天前发热，体温最高39.4℃，伴腰痛，无胸痛、咯血。"
            "\n既往史：高血压病史6年。否认糖尿病史。2021年因“胆囊结石”行胆囊切除术。"
            "否认药物、食物过敏史。\n家族史：母亲患乳腺癌。"
            "\n体格检查：T 38.6℃，P 102次/分，R 20次/分，BP 128/76mmHg。",
        },
        {
            "id": "n2",
            "kind": "progress",
            "title": "日常病程记录",
            "written_at": "2026-03-05T09:00:00",
            "author": "殷若谷",
            "text": "患者体温36.8℃，腰痛减轻。邻床患者马德福血钾6.9mmol/L。拟行泌尿系CT检查。",
        },
    ],
    "observations": [
        {"id": "o1", "name": "肌酐", "value": "132", "unit": "μmol/L", "reference": "57-111",
         "flag": "high", "at": "2026-03-02T11:00:00"},
        {"id": "o2", "name": "肌酐", "value": "96", "unit": "μmol/L", "reference": "57-111",
         "flag": "normal", "at": "2026-03-06T07:00:00"},
        {"id": "o3", "name": "血钾", "value": "3.2", "unit": "mmol/L", "reference": "3.5-5.3",
         "flag": "low", "at": "2026-03-02T11:00:00"},
        {"id": "o4", "name": "血钾", "value": "4.4", "unit": "mmol/L", "reference": "3.5-5.3",
         "flag": "normal", "at": "2026-03-04T07:00:00"},
        {"id": "o5", "name": "血钾", "value": "3.9", "unit": "mmol/L", "reference": "3.5-5.3",
         "flag": "normal", "at": "2026-03-06T07:00:00"},
        {"id": "o6", "name": "尿培养", "status": "pending", "at": "2026-03-09T07:00:00"},
    ],
    "medications": [
        {"id": "m1", "name": "注射用头孢曲松钠", "dose": "2.0g", "route": "静脉滴注",
         "frequency": "每日1次", "days": 6, "start": "2026-03-02", "stop": "2026-03-07"},
        {"id": "m2", "name": "左氧氟沙星片", "dose": "0.5g", "route": "口服",
         "frequency": "每日1次", "days": 7, "start": "2026-03-10", "stop": "2026-03-16",
         "discharge": True},
    ],
}  # fmt: skip


@pytest.fixture
def stay() -> dict[str, Any]:
    return copy.deepcopy(STAY)


@pytest.fixture
def said(stay: dict[str, Any]) -> Ask:
    """Ask the stay, or another one."""

    def run(
        question: str, focus: Focus | None = None, data: dict[str, Any] | None = None
    ) -> RecordAnswer:
        return ask(RecordReading(Encounter.model_validate(data or stay)), question, focus)

    return run
