from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.store.deidentify import Deidentifier


def deidentified(text: str) -> str:
    deidentifier = Deidentifier()
    deidentifier.learn(text)
    return deidentifier.text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("患者张三，男，58岁", "患者[姓名]，男，[数值]岁"),
        ("姓名：欧阳娜娜 性别：女", "姓名：[姓名] 性别：女"),
        ("李医生查房", "[姓名]医生查房"),
        ("王建国主任医师查房", "[姓名]主任医师查房"),
        ("主管医师：赵六", "主管医师：[姓名]"),
        ("陈某某，七十二岁", "[姓名]，[数值]岁"),
        ("体温38.5℃，血压120/80mmHg", "体温[数值]℃，血压[数值]/[数值]mmHg"),
        ("头孢曲松2.0g 每日1次", "头孢曲松[数值]g 每日[数值]次"),
        ("2024年3月5日入院", "[日期]入院"),
        ("2024-03-05 08:30:00入院", "[日期]入院"),
        ("2024-03-05T08:30:00+08:00", "[日期]"),
        ("2024/3/5出院", "[日期]出院"),
        ("2024.03.05出院", "[日期]出院"),
        ("20240305入院", "[日期]入院"),
        ("3月5日手术", "[日期]手术"),
        ("2019年起病", "[日期]起病"),
        ("二〇二四年三月五日", "[日期]"),
        ("三月五日手术", "[日期]手术"),
        ("于12:30突发胸痛", "于[时间]突发胸痛"),
        ("５天前发病", "[数值]天前发病"),
        ("身份证510107199001011234", "身份证[身份证号]"),
        ("身份证号：51010719900101123X。", "身份证号：[身份证号]。"),
        ("电话13812345678", "电话[电话]"),
        ("电话138 1234 5678", "电话[电话]"),
        ("座机010-12345678", "座机[电话]"),
        ("住院号：ZY-2024/0012，", "住院号：[编号]，"),
        ("标本ZY20240012", "标本[编号]"),
        ("邮箱a.b@example.com", "邮箱[邮箱]"),
        ("住址：四川省成都市武侯区人民南路。", "住址：[地址]。"),
        ("家住成都市武侯区人民南路四段12号3栋，", "家住[地址]，"),
        ("成都市武侯区人民南路四段12号发生车祸", "[地址]发生车祸"),
        ("曾在成都市第一人民医院治疗", "曾在[机构]治疗"),
    ],
)
def test_what_tells_who_it_is_goes(text: str, expected: str) -> None:
    assert deidentified(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "患者高热，全科医生会诊，值班医生已看过。",
        "请心内科医生会诊，上级医院建议转院。",
        "上腹部压痛，肺门区可见斑片影，一般情况可。",
        "现住院治疗，否认高血压、糖尿病病史。",
        "双肺呼吸音粗，未闻及干湿性啰音。",
    ],
)
def test_clinical_text_stays(text: str) -> None:
    assert deidentified(text) == text


def test_a_name_that_was_learned_goes_everywhere() -> None:
    deidentifier = Deidentifier()
    deidentifier.learn({"note": "姓名：钱小满 性别：女", "plan": "嘱钱小满多饮水"})
    assert deidentifier.text("钱小满已出院") == "[姓名]已出院"


def test_the_records_own_fields_name_the_patient() -> None:
    deidentifier = Deidentifier()
    deidentifier.learn(
        {
            "patient": {"name": "阿依古丽", "sex": "女"},
            "medications": [{"name": "阿司匹林"}],
            "姓名": "才让",
        }
    )
    assert deidentifier.text("阿依古丽与才让服用阿司匹林") == "[姓名]与[姓名]服用阿司匹林"


def test_known_ids_go() -> None:
    assert Deidentifier(identifiers=["病案甲乙丙", ""]).text("见病案甲乙丙。") == "见[编号]。"


def test_numbers_and_keys_of_a_json_value_go() -> None:
    value = {"age": 58, "ok": True, "none": None, "2024-01-01": [1.5, "3天"], "2024-01-02": {}}
    result = Deidentifier().value(value)
    assert result == {
        "age": "[数值]",
        "ok": True,
        "none": None,
        "[日期]": ["[数值]", "[数值]天"],
        "[日期]·": {},
    }


CLINICAL = st.text(alphabet="患者张三男岁年月日号市区路ab-/.:： \n@0123456789０５٣", max_size=120)


@given(st.one_of(CLINICAL, st.text(max_size=80)))
def test_no_digit_survives_in_any_text(text: str) -> None:
    assert re.search(r"\d", deidentified(text)) is None


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), CLINICAL),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(CLINICAL, inner)),
    max_leaves=12,
)


@given(JSON)
def test_no_digit_survives_in_any_json_value(value: Any) -> None:
    deidentifier = Deidentifier()
    deidentifier.learn(value)
    text = json.dumps(deidentifier.value(value), ensure_ascii=False, allow_nan=False)
    assert re.search(r"\d", re.sub(r"\\u[0-9a-f]{4}", "", text)) is None


@given(
    st.sampled_from(["张三", "李小明", "欧阳修文", "王建国"]),
    st.sampled_from(["患者{}，男，58岁", "姓名：{} 性别：男", "{}主任医师", "联系人：{}，"]),
    CLINICAL,
)
def test_a_name_in_a_usual_place_never_survives(name: str, place: str, rest: str) -> None:
    assert name not in deidentified(place.format(name) + "\n" + rest + name)
