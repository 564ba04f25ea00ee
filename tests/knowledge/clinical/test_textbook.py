"""Cases as textbooks tell them: the disease is among the first five, whichever way it is named."""

from __future__ import annotations

from functools import lru_cache

import pytest

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.entry import shipped_entries
from knowledge.clinical.vocabulary import vocabulary

FIRST = 5


@lru_cache(maxsize=1)
def shipped() -> ClinicalBase:
    return ClinicalBase(shipped_entries(), vocabulary())


def first(text: str, age: float, sex: str) -> list[str]:
    case = shipped().evidence({"n": text}, age_years=age, sex=sex)  # type: ignore[arg-type]
    return [one.entry.name for one in shipped().differential(case).candidates(FIRST)]


@pytest.mark.parametrize(
    ("diseases", "age", "sex", "text"),
    [
        (
            {"急性下壁心肌梗死", "急性心肌梗死", "急性ST段抬高型心肌梗死"},
            58,
            "male",
            "持续胸骨后压榨性疼痛2小时，大汗。心电图Ⅱ、Ⅲ、aVF导联ST段抬高，肌钙蛋白I 5.2 ng/ml。",
        ),
        (
            {"强直性脊柱炎"},
            24,
            "male",
            "下腰痛伴晨僵1年，活动后减轻，夜间痛醒，HLA-B27阳性，骶髂关节CT示双侧骶髂关节面模糊。",
        ),
        (
            {"霍乱"},
            35,
            "male",
            "无痛性剧烈腹泻，米泔水样便每日十余次，继之呕吐，眼窝凹陷，皮肤弹性差。",
        ),
        ({"膀胱癌"}, 66, "male", "间歇性无痛性全程肉眼血尿1月，膀胱镜见右侧壁乳头状新生物。"),
        (
            {"葡萄胎"},
            27,
            "female",
            "停经12周，阴道流血，子宫大于孕周，B超宫腔内落雪状回声，血hCG明显升高。",
        ),
        (
            {"类风湿关节炎"},
            45,
            "female",
            "双手近端指间关节、掌指关节对称性肿痛半年，晨僵2小时，类风湿因子阳性，抗CCP抗体阳性。",
        ),
        (
            {"系统性红斑狼疮"},
            26,
            "female",
            "面部蝶形红斑，光过敏，关节痛，尿蛋白++，抗核抗体1:640阳性，抗dsDNA抗体阳性，补体C3降低。",
        ),
        (
            {"急性胃十二指肠溃疡穿孔", "消化道穿孔"},
            40,
            "male",
            "突发上腹刀割样剧痛，板状腹，肝浊音界消失，立位腹平片膈下游离气体，有十二指肠溃疡史。",
        ),
        (
            {"急性阑尾炎"},
            22,
            "male",
            "转移性右下腹痛10小时，麦氏点压痛反跳痛，体温38℃，白细胞15×10^9/L。",
        ),
        (
            {"自身免疫性溶血性贫血"},
            38,
            "female",
            "乏力、黄疸、脾大，血红蛋白65g/L，网织红细胞12%，直接Coombs试验阳性，间接胆红素升高。",
        ),
        (
            {"蛛网膜下腔出血"},
            50,
            "female",
            "突发剧烈头痛如炸裂，呕吐，颈项强直，Kernig征阳性，头颅CT示脑池高密度影。",
        ),
        (
            {"甲状腺功能亢进症", "Graves病"},
            32,
            "female",
            "怕热多汗，心悸，消瘦，甲状腺弥漫性肿大伴血管杂音，突眼，TSH降低，FT4升高。",
        ),
        ({"肠套叠"}, 0.7, "male", "阵发性哭闹，呕吐，果酱样大便，右上腹腊肠样包块。"),
        (
            {"慢性髓系白血病"},
            45,
            "male",
            "乏力、左上腹胀，巨脾，白细胞180×10^9/L，可见各阶段粒细胞，Ph染色体阳性。",
        ),
        (
            {"重症肌无力"},
            30,
            "female",
            "眼睑下垂、复视，晨轻暮重，疲劳试验阳性，新斯的明试验阳性，乙酰胆碱受体抗体阳性。",
        ),
        (
            {"气胸", "自发性气胸"},
            21,
            "male",
            "瘦高体型，突发右侧胸痛、呼吸困难，右胸叩诊鼓音，呼吸音消失。",
        ),
    ],
)
def test_a_textbook_case_is_among_the_first(
    diseases: set[str], age: float, sex: str, text: str
) -> None:
    assert diseases & set(first(text, age, sex))


def test_what_is_said_decides() -> None:
    """The same patient without the telling finding has another first diagnosis."""
    told = "突发头痛，呕吐，颈项强直，头颅CT示脑池高密度影。"
    assert first(told, 50, "female")[0] == "蛛网膜下腔出血"
    assert first("发热3天，头痛，呕吐，颈项强直，脑脊液浑浊。", 50, "female")[0] != "蛛网膜下腔出血"
