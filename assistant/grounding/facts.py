"""Facts that must agree: dates, laterality, negation, and how a thing is meant.

Everything here works on one text and gives offsets into it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.grounding.wording import fold


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date as written; the parts that are not written are None."""

    year: int | None
    month: int
    day: int | None
    start: int
    end: int

    def agrees(self, other: WrittenDate) -> bool:
        """True when no part that both write differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(a == b for a, b in pairs if a is not None and b is not None)


_DATE = re.compile(
    r"(?P<y>(?:19|20)\d{2})\s*[年\-/.]\s*(?P<m>\d{1,2})(?:\s*[月\-/.]\s*(?P<d>\d{1,2})\s*日?|\s*月)"
    r"|(?P<m2>\d{1,2})\s*月\s*(?P<d2>\d{1,2})\s*日"
)


def dates(text: str) -> list[WrittenDate]:
    """Dates with a year and a month at least, or with a month and a day."""
    found = []
    for match in _DATE.finditer(fold(text)):
        month = int(match["m"] or match["m2"])
        day = match["d"] or match["d2"]
        if not 1 <= month <= 12 or (day and not 1 <= int(day) <= 31):
            continue
        found.append(
            WrittenDate(
                year=int(match["y"]) if match["y"] else None,
                month=month,
                day=int(day) if day else None,
                start=match.start(),
                end=match.end(),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Side:
    """左, 右 or 双 with the body part after it (up to 3 code points, 侧 dropped)."""

    side: str
    part: str
    start: int
    end: int


_SIDE = re.compile(
    r"(?P<side>双|左(?!右|旋|氧|卡|西|甲|炔|乙|布|洛|奥)|(?<!左)右(?!旋|美|佐|雷|丙|酮|酰))"
    r"(?:侧|边)?(?P<part>(?:(?![左右双])[\u4e00-\u9fff]){0,3})"
)
_NOT_SIDES = re.compile(r"双(?:氯|歧|黄|胍|嘧|相|层|重|膦|肽|抗|联|向|酚)")


def sides(text: str) -> list[Side]:
    """Laterality words; drug names such as 左氧氟沙星 and 双氯芬酸 are not laterality."""
    return [
        Side(match["side"], match["part"], match.start(), match.end())
        for match in _SIDE.finditer(text)
        if not _NOT_SIDES.match(text, match.start())
    ]


_CUE = re.compile(
    r"否认|未见|未及|未闻|未触及|未诉|未发现|未查见|未出现|未行|未予|未使用|没有(?!明显诱因)|不伴|阴性|排除|(?<![如若])无"
    r"(?!力|尿|菌|痛性|创|线|明显诱因|名|机|水|神|关|效)"
)
_BEFORE = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]{2,6}$")
_AFTER = re.compile(r"(?:明显|任何)?([\u4e00-\u9fffA-Za-z]{1,6})")


@dataclass(frozen=True, slots=True)
class NegatedPhrase:
    """What follows a negation cue, up to 6 code points or the next punctuation."""

    cue: str
    phrase: str
    start: int
    end: int


def negated_phrases(text: str) -> list[NegatedPhrase]:
    """Phrases after a negation cue; 阴性 takes what stands before it."""
    found = []
    for match in _CUE.finditer(text):
        if match[0] == "阴性":
            before = _BEFORE.search(text[max(0, match.start() - 8) : match.start()])
            if before:
                start = match.start() - len(before[0])
                found.append(NegatedPhrase(match[0], before[0], start, match.end()))
            continue
        after = _AFTER.match(text, match.end(), match.end() + 10)
        if after:
            found.append(NegatedPhrase(match[0], after[1], match.start(), after.end()))
    return found


_MODES = {
    "refused": re.compile(r"拒绝|不同意|未同意|放弃|谢绝|婉拒"),
    "stopped": re.compile(
        r"停用|停服|停药|停止|暂停|中止|撤除|停(?=[\u4e00-\u9fff]{2,5}(?:片|素|林|胶囊))"
    ),
    "planned": re.compile(
        r"(?<!模)拟(?!杆|诊)|建议|计划|预约|择期|准备|待(?:行|查|完善|排)|必要时|下一步|明日行|考虑行|可予|可考虑"
    ),
    "thought": re.compile(
        r"(?<![例诸比譬])如(?:果|有|再|出现|发生)|若(?!干)|一旦|倘若|警惕|预防|防止|可致|可引起|可有|可出现|告知|交代|注意有无"
    ),
    "allergy": re.compile(r"过敏"),
    "doubted": re.compile(
        r"(?<!不)可能|可疑|疑似|疑为|疑诊|考虑|待排|待查|待除外|不除外|不能除外|不能排除|未除外|[?？]"
    ),
    "family": re.compile(
        r"父亲|母亲|父母|[之其][父母兄弟姐妹祖]|哥哥|弟弟|姐姐|妹妹|祖父|祖母|爷爷|奶奶|外公|外婆|家族|家人"
    ),
}


def modes(text: str) -> frozenset[str]:
    """How the text means its matter: refused, stopped, planned, thought of, doubted, of whom."""
    return frozenset(name for name, pattern in _MODES.items() if pattern.search(text))


_OPPOSITES = [
    ("愈合良好", "愈合不良|愈合欠佳"),
    ("良好|尚可|(?<!不)佳", "不良|欠佳|不佳|较差"),
    ("上升|升高|增高|增加|增多", "下降|降低|减低|减少"),
    ("好转|减轻|缓解|改善|消退", "加重|恶化|未缓解|无缓解|进展"),
    ("(?<!未)阳性", "阴性"),
    ("增大|肿大", "缩小"),
    ("(?<!不)规则", "不规则"),
    ("(?<!不)清楚|清晰|神清", "不清|模糊"),
    ("(?<!不)正常", "异常|不正常"),
    ("(?<!不)通畅", "不畅|不通|梗阻"),
    ("大出血|大量", "少量|少许"),
]
_OPPOSED = [(re.compile(a), re.compile(b)) for a, b in _OPPOSITES]


def opposed(text: str, other: str) -> bool:
    """True when one says 上升 where the other says 下降, and the like."""
    pairs = [pair for one, two in _OPPOSED for pair in ((one, two), (two, one))]
    return any(
        first.search(text)
        and not second.search(text)
        and second.search(other)
        and not first.search(other)
        for first, second in pairs
    )


_MARK = re.compile(
    r"(?P<name>[A-Za-z0-9\u4e00-\u9fff/.-]{1,10})\s?[(（]\s?(?P<sign>[-+±－＋]{1,4})\s?[)）]"
)


def marks(text: str) -> dict[str, str]:
    """Signs of named markers: ``ER（+），HER2（-）`` → ``{"ER": "+", "HER2": "-"}``."""
    found = {}
    for match in _MARK.finditer(text):
        sign = match["sign"].replace("＋", "+").replace("－", "-")[0]
        found[match["name"].upper()] = sign
    return found
