"""Replaces what may tell who a patient is: names, dates, ids, phones, addresses and numbers.

Every digit goes; units stay, so that ``体温38.5℃`` reads ``体温[数值]℃``.  Names are found where
the record's own fields give them, behind labels (姓名：), before titles (李医生) and in the usual
opening (患者张三，男).  A name that appears in none of these ways stays: the result is meant for
use inside the hospital, and is not anonymous in the sense of a law.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

NAME, DATE, TIME, NUMBER = "[姓名]", "[日期]", "[时间]", "[数值]"
ID_CARD, PHONE, IDENTIFIER = "[身份证号]", "[电话]", "[编号]"
ADDRESS, PLACE, EMAIL = "[地址]", "[机构]", "[邮箱]"

_HAN = "\u4e00-\u9fff"
_NUMERAL = "〇零○一二三四五六七八九十"
_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|司徒|南宫|"
    "[赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻苏潘葛范彭郎鲁韦马苗"
    "凤花方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕罗毕郝安常于傅齐康伍余顾孟黄穆萧尹姚邵汪祁毛狄臧戴宋庞熊"
    "纪舒屈项祝董梁杜阮蓝闵季贾江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房裘丁邓洪包石崔吉"
    "龚程邢裴陆翁甄曲封储段富焦谷车侯全班仰仲伊宁栾甘厉祖武符刘景龙叶司黎白蒲池乔翟谭申冉牛边燕尚温"
    "庄柴阎向古易廖耿匡寇欧沃聂曾关查游权肖涂岳覃兰闫辛佟代付])"
)
_SEPARATOR = r"\s*[:：]\s*"
_NAME_LABEL = (
    "(?:患者姓名|病人姓名|家属姓名|姓名|名字|联系人|监护人|陪护人|陈述者|供史者|病史叙述者|记录者|签名|签字|"
    "[住主经管上级治诊查房责任手术]{0,4}医[师生]|护士|主任|麻醉师|术者|助手)(?:签[名字])?"
)
_TITLE = "(?:副?主任|副?教授|医生|医师|大夫|护士|先生|女士)"
# In each of these the group "name" is the name.
_NAMES = (
    re.compile(f"{_NAME_LABEL}{_SEPARATOR}(?P<name>[{_HAN}·]{{2,4}})(?![{_HAN}])"),
    re.compile(f"姓名{_SEPARATOR}(?P<name>{_SURNAME}[{_HAN}]{{1,2}})"),
    re.compile(
        rf"(?:患者|病人|患儿|产妇|孕妇|家属|其[妻夫子女父母])\s*[,，]?\s*"
        rf"(?P<name>{_SURNAME}[{_HAN}]{{1,2}}?)"
        rf"(?=\s*[,，、(（]?\s*(?:男|女|系|因|性别|年龄|\d))"
    ),
    re.compile(f"(?P<name>{_SURNAME}(?:某某|某|XX|xx|××))"),
    re.compile(f"(?P<name>{_SURNAME}[{_HAN}]{{0,2}}?)(?={_TITLE})"),
)
# Words before a title that only look like names.
_NOT_NAMES = frozenset(
    ("高年资", "高年", "管床", "全科", "常规", "任何", "查房", "安排", "单位", "时间")
)

_IDENTIFIER_LABEL = (
    "(?:住院|病历|门诊|病案|就诊|登记|医保|社保|检查|标本|条码|影像|病理|护照|证件|床|编|身份证|微信|工)"
    "(?:号码|号)|ID|QQ|MRN"
)
_ADDRESS_LABEL = "(?:家庭住址|现住址|住址|地址|居住地|籍贯|户口|户籍|出生地|工作单位|单位)"

# Applied in this order: what is longer or more certain first, whatever digits are left last.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[A-Za-z\d._+-]{1,64}@(?:[A-Za-z\d-]{1,63}\.){1,8}[A-Za-z]{2,24}"), EMAIL),
    (re.compile(f"(?<![主值]){_SURNAME}(?={_TITLE})"), NAME),
    (re.compile(r"((?:家住|现住(?!院)|居住[于在])[:：]?\s*)[^,，。;；、\n]+"), rf"\1{ADDRESS}"),
    (
        re.compile(rf"({_ADDRESS_LABEL}(?:{_SEPARATOR}|[在于]|\s+))[^,，。;；、\n]+"),
        rf"\1{ADDRESS}",
    ),
    (
        re.compile(
            rf"(?:[{_HAN}]{{2,6}}(?:省|自治区))?[{_HAN}]{{2,6}}[市州盟]?[{_HAN}]{{1,6}}[区县旗镇乡]"
            rf"[{_HAN}A-Za-z\d]{{0,16}}?(?:(?:路|街|弄|巷|村|组|栋|楼|单元|小区)"
            rf"(?:[A-Za-z\d\-{_NUMERAL}]{{0,8}}(?:号|室|栋|单元|楼|组|段|弄))*)"
        ),
        ADDRESS,
    ),
    (
        re.compile(rf"[{_HAN}]{{2,8}}?[省市县区][{_HAN}]{{0,12}}?(?:医院|卫生院|卫生服务中心)"),
        PLACE,
    ),
    (re.compile(r"(?<!\d)(?:\d{17}[\dXx]|\d{15})(?![\dXx])"), ID_CARD),
    (
        re.compile(rf"((?:{_IDENTIFIER_LABEL}){_SEPARATOR}?)[A-Za-z\d][A-Za-z\d\-_/]*"),
        rf"\1{IDENTIFIER}",
    ),
    (re.compile(r"(?<!\d)(?:\+?86[\s-]?)?1[3-9]\d(?:[\s-]?\d{4}){2}(?!\d)"), PHONE),
    (re.compile(r"(?<!\d)\(?0\d{2,3}\)?[\s-]?\d{7,8}(?!\d)"), PHONE),
    (
        re.compile(
            r"(?<!\d)\d{2,4}\s*(?:年|[-/.])\s*\d{1,2}\s*(?:月|[-/.])\s*\d{1,2}\s*[日号]?"
            r"(?:T?\s*\d{1,2}[:：]\d{2}(?:[:：]\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\d)"
        ),
        DATE,
    ),
    (re.compile(r"(?:\d{2,4}年)?\d{1,2}月(?:\d{1,2}[日号])|\d{4}年\d{1,2}月|(?<!\d)\d{4}年"), DATE),
    (re.compile(r"(?<!\d)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"), DATE),
    (
        re.compile(rf"[{_NUMERAL}]{{4}}年(?:[{_NUMERAL}]{{1,3}}月)?(?:[{_NUMERAL}]{{1,3}}[日号])?"),
        DATE,
    ),
    (re.compile(rf"[{_NUMERAL}]{{1,3}}月[{_NUMERAL}]{{1,3}}[日号]"), DATE),
    (re.compile(r"\d{1,2}(?:[:：]\d{2}){1,2}|\d{1,2}[时点]\d{1,2}分?"), TIME),
    (re.compile(r"(?<![A-Za-z\d])[A-Za-z]{1,6}[-_]?\d{5,}"), IDENTIFIER),
    (re.compile(rf"[{_NUMERAL}]{{1,4}}(?=岁|周岁)"), NUMBER),
    (re.compile(rf"[{_NUMERAL}]{{7,}}"), NUMBER),
    (re.compile(r"\d+(?:[.,]\d+)*"), NUMBER),
)


class Deidentifier:
    """Replaces known names and ids, and what `learn` finds, everywhere in a set of texts."""

    def __init__(self, names: Iterable[str] = (), identifiers: Iterable[str] = ()) -> None:
        self._names = {name.strip() for name in names if len(name.strip()) > 1}
        self._identifiers = {text for text in identifiers if len(text) > 1}

    def learn(self, value: Any) -> None:
        """Collect the names in a text, or in every text of a JSON value."""
        self._names.update(_patient_names(value))
        for text in _texts(value):
            for pattern in _NAMES:
                found = (match["name"] for match in pattern.finditer(text))
                self._names.update(name for name in found if _is_name(name))

    def text(self, text: str) -> str:
        """``text`` without names, numbers, dates and ids: no digit is left."""
        for identifier in sorted(self._identifiers, key=len, reverse=True):
            text = text.replace(identifier, IDENTIFIER)
        for name in sorted(self._names, key=len, reverse=True):
            text = text.replace(name, NAME)
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value with every text and number in it replaced, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            result: dict[str, Any] = {}
            for key, item in value.items():
                new_key = self.text(str(key))
                while new_key in result:
                    new_key += "·"
                result[new_key] = self.value(item)
            return result
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return NUMBER
        return value


def _is_name(name: str) -> bool:
    return len(name) > 1 and name not in _NOT_NAMES


def _patient_names(value: Any, in_patient: bool = False) -> Iterator[str]:
    """The names that a record's own fields give: ``patient.name``, ``patient_name``, 姓名."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _patient_names(item, in_patient)
    elif isinstance(value, dict):
        for key, item in value.items():
            named = key in ("patient_name", "姓名", "患者姓名") or (in_patient and key == "name")
            if named and isinstance(item, str):
                yield item
            yield from _patient_names(item, key in ("patient", "患者"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
