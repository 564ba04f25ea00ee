"""What the entries that ship call for excluding."""

from __future__ import annotations

from functools import lru_cache

import pytest

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.entry import shipped_entries
from knowledge.clinical.ranking import AGES
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
        ("输卵管妊娠", 25, "female", "按胃肠炎治疗：腹痛、腹泻、头晕，月经推迟一周，血压90/50mmHg"),
        ("重度子痫前期", 31, "female", "孕34周，上腹部疼痛以为胃病，血压165/110mmHg"),
        ("胎盘早剥", 30, "female", "孕35周，被车撞后腰痛，少量阴道流血"),
        ("新生儿败血症", 0.03, "male", "生后10天，吃奶差，反应差，体温35.4℃，皮肤花斑"),
        ("百日咳", 0.15, "female", "50天婴儿，咳嗽一阵一阵的，憋得脸发紫，咳完呕吐"),
        ("流行性脑脊髓膜炎", 3, "female", "发热半天，诉腿痛，手脚凉，躯干少许压之不褪色的瘀点"),
        ("坏死性筋膜炎", 58, "male", "糖尿病，小腿红肿，疼痛与体征不相称，血压90/50mmHg"),
        ("骨筋膜室综合征", 25, "male", "小腿被砸，被动伸趾剧痛，足背动脉可触及"),
        ("马尾综合征", 45, "male", "腰痛1周，今会阴部麻木，小便解不出"),
        ("腹主动脉瘤破裂", 72, "male", "突发左腰痛，以肾绞痛收住，晕厥一次，血压85/50mmHg"),
        ("粒细胞缺乏伴发热", 55, "female", "化疗后8天，乏力，发热38.3℃，无其他不适"),
        ("急性会厌炎", 45, "male", "咽痛剧烈，吞咽困难，流口水，咽部检查无明显红肿"),
        ("急性闭角型青光眼", 65, "female", "按偏头痛治疗：右侧头痛伴呕吐，看灯有彩圈，眼红"),
        ("视网膜脱离", 35, "male", "眼前像有黑布遮住，闪光感"),
        ("虐待性头部外伤", 0.4, "male", "呕吐、嗜睡1天，家长说法前后矛盾，眼底视网膜出血"),
        ("婴儿捂热综合征", 0.2, "female", "夜间用厚被蒙住，晨起发现高热、大汗、抽搐"),
        ("上腔静脉综合征", 60, "male", "吸烟，近半月脸肿，衣领觉得紧，早起明显"),
        ("骨盆骨折", 82, "female", "滑倒后耻骨处痛，不能站立，血红蛋白从118降到86g/L"),
        ("眼内异物", 30, "male", "敲打铁器时有东西崩入眼内，稍异物感，视力尚可"),
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
        (30, "female", "孕30周，腰酸，双脚轻度水肿，血压118/72mmHg，尿蛋白阴性"),
        (0.03, "male", "生后10天，皮肤轻度黄染，吃奶好，反应好，体温正常"),
        (45, "male", "腰痛1周，向右下肢放射，大小便正常，无会阴麻木"),
        (50, "male", "服华法林，INR 2.3，无出血，定期复查"),
        (30, "male", "咽痛2天，扁桃体红肿有脓点，发热38.8℃，无张口困难"),
        (60, "female", "飞蚊症，眼前小黑点，无闪光"),
    ],
)
def test_what_is_harmless_calls_for_nothing(age: float, sex: str, text: str) -> None:
    assert not called(text, age, sex)


def test_an_alarm_stands_only_with_what_excludes_it() -> None:
    lacking = [e.name for e in shipped_entries() if e.alarms and not (e.critical and e.exclude)]
    assert lacking == []


def test_an_age_of_the_form_counts_as_an_infant() -> None:
    """Alarms say 婴幼儿 by the word that the form's age stands for."""
    used = {name for entry in shipped_entries() for c in entry.alarms for name in c}
    assert {name for name, _ in AGES} <= used
