"""Replaces the names of hospitals; 当地医院 and 上级医院 name none."""

from __future__ import annotations

import re
from collections.abc import Iterator

PLACE = "[机构]"
_HAN = "\u4e00-\u9fff"
_NUMERALS = "一二三四五六七八九十"

_HOSPITAL = re.compile(
    rf"(?P<before>[{_HAN}A-Za-z\d*＊〇]{{1,24}}?)"
    r"(?:医院|卫生院|卫生服务[中站]心?|保健院|疗养院|诊所|门诊部|卫生所|卫生室|急救中心|体检中心|防治[院所]|"
    rf"(?<=[{_HAN}])[{_NUMERALS}]院(?![内外感区后前]))"
    r"(?!获得|内?感染|相关|性|焦虑|信息)"
)
# What stands before a name; the last of them is where the name begins.
_LEAD = re.compile(
    r"于(?!都|田|洪)|在|至|到|往|赴|从(?!化)|经(?!开)|由|入|去|来(?!宾|凤|安)|回(?!民|龙)|与|(?<!协)和(?!平|田|县|顺|龙|政|静)|及|因|被|曾|"
    r"后|前(?!海|卫|郭|进|锋)|遂|就诊|住院|治疗|诊治|诊断|复查|检查|手术|患[者儿]|附近|建议|急诊|联系|呼叫|拨打|救护车|送|"
    r"(?<=[今昨次近当前同\d])日|(?<=\d)天|(?<=\d)月|(?<=\d)年|(?<=\d)周|今|昨|并|再|又|先|多次|反复|是|为(?!民)|的|位于|家属|"
    r"了|过|[这那哪两一几多]个|个(?!旧)|什么|需要|很多|[我你他咱]们|[有还只没]有|有|如果|正规|换|时候?|找|跑|看|让(?!胡)|问|就|要|最好|楼下|等|"
    r"上(?!级|海|饶|虞|杭|高|思|林|蔡|犹|栗|街)|除|报告|组织|国[内外]|[今昨明每当]天|这里|这边|可以|应该|赶紧|及时|"
    r"转|自(?!贡)|院外|外院|当地|我院|上级|向|对|请|叫|拨|告知|要求|通知|选择|更换|考虑|离开|此|该|系|称|示|据"
)
# A name made of these alone could be any hospital's.
_GENERIC = re.compile(
    r"(?:当地|本地|外地|老家|就近|校|镇上|[市县镇]里|国营|私人|正规|普通|[男妇产]科|最好|外省|外市|外县|异地|上级|下级|同级|某|多家|各大?|几家|[一二两三数多]家|\d+家|[\d三二一]级?甲?等?|甲等|专科|综合性?|社区|"
    r"乡镇?|基层|附近|私[立人]|公立|民营|大型?|小|定点|本|我|贵|其[他它]|另一?|外|院|省级?|市级?|县级?|区级?|镇|村|地区|人民|中心|中医|"
    r"中西医结合|西医|妇幼|妇产|儿童|肿瘤|胸科|口腔|眼科|牙科|精神|传染病?|结核病?|骨科|骨伤|康复|老年|皮肤病?|"
    rf"第?[{_NUMERALS}\d]+|附属|原|住|出|专家|家|个体|农村|城市|城区|厂矿|职工|个人|不详|具体|不明|上述|国内|国外|[A-Za-z]+|[*＊]+)*"
)
# What is longer begins with words that are no part of the name.
_LONGEST = 14


def replace_institutions(text: str) -> str:
    """``text`` with [机构] for every hospital that it names."""
    for start, end in reversed(list(places(text))):
        text = text[:start] + PLACE + text[end:]
    return text


def places(text: str) -> Iterator[tuple[int, int]]:
    """``[start, end)`` of every hospital that ``text`` names."""
    for match in _HOSPITAL.finditer(text):
        start = _start(match)
        if start is not None:
            yield start, match.end()


def _start(match: re.Match[str]) -> int | None:
    """Where the name begins; None where it is no name."""
    before = match["before"]
    start = max((lead.end() for lead in _LEAD.finditer(before)), default=0)
    name = before[start:]
    kind = match[0][len(before) :]
    # 301医院 is a name, and so is 湘雅二院.
    numbered = name.isdigit() and len(name) > 2
    generic = _GENERIC.fullmatch(name) and kind[0] not in _NUMERALS and not numbered
    if generic or len(name) > _LONGEST or (not numbered and _GENERIC.fullmatch(name + kind[:-1])):
        return None
    return match.start() + start
