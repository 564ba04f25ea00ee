"""What the entries that ship call for excluding."""

from __future__ import annotations

from functools import lru_cache

import pytest

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.entry import shipped_entries
from knowledge.clinical.vocabulary import vocabulary


@lru_cache(maxsize=1)
def shipped() -> ClinicalBase:
    return ClinicalBase(shipped_entries(), vocabulary())


def called(text: str, age: float, sex: str) -> set[str]:
    case = shipped().evidence({"n": text}, age_years=age, sex=sex)  # type: ignore[arg-type]
    return {alarm.entry.name for alarm in shipped().differential(case).alarms()}


@pytest.mark.parametrize(
    ("disease", "age", "sex", "text"),
    [
        ("急性心肌梗死", 68, "male", "有糖尿病15年，上腹部闷痛3小时，恶心呕吐，冷汗直冒"),
        ("急性正后壁心肌梗死", 62, "male", "后背酸痛伴大汗，心电图V1-V3导联ST段压低"),
        ("三度房室传导阻滞", 70, "male", "恶心呕吐当胃肠炎治疗，脉搏34次/分，P波与QRS波无关"),
        ("急性肺栓塞", 30, "female", "口服避孕药，突发右侧胸膜性胸痛，气短"),
        ("脑梗死", 70, "male", "房颤病史，家属发现突然答非所问，以谵妄送诊"),
        ("颅内静脉窦血栓形成", 27, "female", "产后10天，头痛逐渐加重，呕吐，今日抽搐一次"),
        ("慢性硬膜下血肿", 78, "male", "服华法林，近一月反应迟钝、走路不稳"),
        ("小儿急性阑尾炎", 4, "male", "发热、腹泻、呕吐1天，拒绝走路，右下腹压痛"),
        ("急性肠系膜上动脉栓塞", 72, "male", "房颤病史，突发脐周剧痛3小时，腹软压痛不明显"),
        ("糖尿病酮症酸中毒", 50, "male", "服达格列净，恶心呕吐，血糖11mmol/L，血酮5mmol/L"),
        ("重症哮喘急性发作", 40, "female", "哮喘史，说话不成句，双肺几乎听不到呼吸音"),
        ("肉毒中毒", 0.4, "male", "5个月婴儿喂过蜂蜜，便秘5天，哭声弱"),
    ],
)
def test_what_hides_is_called_for(disease: str, age: float, sex: str, text: str) -> None:
    assert disease in called(text, age, sex)


@pytest.mark.parametrize(
    ("age", "sex", "text"),
    [
        (25, "male", "流涕、鼻塞、咽痛2天，低热37.8℃，无咳嗽"),
        (30, "female", "腹泻水样便4次，恶心，轻度腹痛，无发热"),
        (40, "male", "搬重物后腰部肌肉扭伤疼痛，无下肢麻木，大小便正常"),
        (62, "female", "反酸、烧心1月，平卧加重，服奥美拉唑缓解，心电图正常"),
        (40, "female", "翻身时天旋地转，数秒缓解，反复发作，无复视、言语不清"),
        (65, "male", "高血压10年，头晕2天，血压158/92mmHg，无肢体无力"),
    ],
)
def test_what_is_harmless_calls_for_nothing(age: float, sex: str, text: str) -> None:
    assert not called(text, age, sex)


def test_an_alarm_stands_only_with_what_excludes_it() -> None:
    lacking = [e.name for e in shipped_entries() if e.alarms and not (e.critical and e.exclude)]
    assert lacking == []
