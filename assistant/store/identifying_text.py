"""Replaces ids, phones, addresses, dates and whatever else has a digit, by a table of rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from assistant.store.rule_table import HAN, any_of, expand, rows, words

_MACROS = {
    "HAN": HAN,
    "NUMERAL": "〇零○一二三四五六七八九十",
    "PROVINCE": (
        "(?:北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|"
        "青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门)"
    ),
    "ADDRESS_LABEL": (
        "(?:家庭住址|现住址|住址|地址|居住地|籍贯|户口|户籍|户口所在地|户籍地|出生地)"
    ),
    "IDENTIFIER_LABEL": (
        "(?:住院|病历|门诊|病案|就诊|登记|医保|社保|检查|标本|条码|影像|病理|护照|证件|床|编|身份证|微信|工|学|卡|账|车牌|准考证|保单|"
        "合同|军官证|军人证|驾驶证|受试者|筛选|入组|手环|腕带|流水|申请单|申请|报告)"
        r"(?:号码|号)|(?<![A-Za-z])(?:ID|QQ|MRN)"
    ),
}


@dataclass(frozen=True, slots=True)
class IdentifierRule:
    """What is replaced by what."""

    pattern: re.Pattern[str]
    replacement: str
    example: str
    expected: str


@cache
def rules() -> tuple[IdentifierRule, ...]:
    """The table of rules, in the order in which they are applied."""
    # 那边医生, 正常医生: these are oftener the end of another word.
    clear = set(words("surnames")) - set(words("doubtful_surnames")) - set("班边车常童方")
    macros = {
        **_MACROS,
        "TITLE": f"(?:{any_of(words('titles'))})",
        "CLEAR_SURNAME": f"(?:{any_of(words('double_surnames'))}|[{''.join(sorted(clear))}])",
    }
    return tuple(
        IdentifierRule(re.compile(expand(pattern, macros)), *others)
        for pattern, *others in rows("identifier_rules.tsv")
    )


def replace_identifying(text: str) -> str:
    """``text`` with every rule of the table applied; no digit is left."""
    for rule in rules():
        text = rule.pattern.sub(rule.replacement, text)
    return text
