"""A question in words → the query language, by rules: EGFR 阳性且无胸腔积液，近一年.

Nothing is guessed: what no rule knows is named in an error.  The query is shown before it runs.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

from assistant.record_index.conditions import LONGEST_NAME
from assistant.record_index.errors import SearchRefused
from assistant.record_index.language import parse
from assistant.record_index.vocabulary import statuses

LONGEST = 500
"""Characters of a question."""

_NUMERALS = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8}
_NUMERALS |= {"九": 9, "十": 10, "半": 0}
_COUNT = r"(?P<count>\d{1,4}|[一二两三四五六七八九十半])"
_ASKED = re.compile(
    r"^(?:请)?(?:帮我)?(?:查找|查询|查一下|查|找出|找一下|找|检索|搜索|筛选|列出|统计)?(?:所有|全部)?(?:的)?"
)
_WHO = re.compile(r"(?:的)?(?:患者|病人|病例|病历)(?:有哪些|有多少|名单)?[?？。]*$")
_PART = re.compile(r"(?P<mark>[,，;；。、]|并且|而且|同时|以及|或者|且|并|或|和|但是|但)")
_NOT = r"(?:没有|未见|未出现|未合并|不伴有?|不合并|无|排除|不含|除外)"
_NAME = rf"(?P<name>[^<>=≥≤:：()（）\"“”]{{1,{LONGEST_NAME}}}?)"
_NUMBER = r"(?P<number>\d[\d.,]*\s*[^\s以之]*?)"
_OUTCOMES = "阳性|阴性|升高|增高|偏高|降低|减低|偏低|正常|异常"
_SIGNS = {"大于等于": ">=", "不低于": ">=", "不小于": ">=", "至少": ">=", "不高于": "<="}
_SIGNS |= {"小于等于": "<=", "不超过": "<=", "不大于": "<=", "大于": ">", "高于": ">", "超过": ">"}
_SIGNS |= {"小于": "<", "低于": "<", "等于": "=", ">=": ">=", "≥": ">=", "<=": "<=", "≤": "<="}
_SIGNS |= {">": ">", "＞": ">", "<": "<", "＜": "<", "=": "="}
_SIGN = "|".join(map(re.escape, sorted(_SIGNS, key=len, reverse=True)))

_LIST = re.compile(r"、|和|以及|或者?")
_NAME_ALONE = re.compile(r"[^:<>=\s]+")
_LATIN = re.compile(r"[A-Za-z0-9/-]+")
_HAS_OUTCOME = re.compile(rf":(?:{_OUTCOMES})\Z")
_NO_NAMES = frozenset(("无", "有", "否认", "没有", "未见", "可疑", "阳性", "阴性"))
_TOO_SHORT = re.compile(r"[\W_]*|[0-9]")
_TIME = re.compile(
    r"(?:最近|近|过去|前)(?:\d{1,4}|[一二两三四五六七八九十半])(?:年|个月|月|周|星期|天|日)(?:内|以来|里)?"
    r"|今年|去年|前年"
    r"|(?:自|从)?\d{4}(?:年(?:\d{1,2}月(?:\d{1,2}日)?)?|[-/]\d{1,2}(?:[-/]\d{1,2})?)"
    r"(?:以来|以后|之后|后|起|以前|之前|前|止)?"
)
_TIME_FIRST = re.compile(rf"(?P<time>{_TIME.pattern})(?P<rest>.+)")
_TIME_LAST = re.compile(rf"(?P<rest>.+?)(?P<time>{_TIME.pattern})")

_Rule = tuple[re.Pattern[str], Callable[["re.Match[str]", date], str]]


def translate(words: str, today: date | None = None) -> str:
    """The query that ``words`` ask for.  Raises `SearchRefused` naming what is not understood."""
    if len(words) > LONGEST:
        raise SearchRefused(f"问题有 {len(words)} 个字符，最多 {LONGEST} 个。(Ask in fewer words.)")
    asked = _WHO.sub("", _ASKED.sub("", words.strip()))
    if not asked:
        raise SearchRefused(
            "请写出要找什么，如“EGFR 阳性且无胸腔积液，近一年”。(Say what to find.)"
        )
    parts, marks = _parts(asked)
    day = today or date.today()
    terms: list[str] = []
    joints: list[str] = []
    for part, mark in zip(parts, ["", *marks], strict=True):
        for number, made in enumerate(_terms(part, day)):
            terms.append(made)
            joints.append("OR" if mark.startswith("或") and not number else "AND")
            if not number:
                _carry(terms, joints, mark)
    query = _bracketed(terms, joints[1:])
    parse(query)
    return query


def _carry(terms: list[str], joints: list[str], mark: str) -> None:
    """In a list the denial of the first is that of all (无发热、咳嗽), and the outcome of the last
    (EGFR或ALK阳性)."""
    if len(terms) < 2 or not _LIST.fullmatch(mark):
        return
    before, last = terms[-2:]
    if _NAME_ALONE.fullmatch(last) and (before.startswith("NOT ") or before.endswith(":无")):
        # 无甲或乙 is neither.
        terms[-1] = f"NOT {last}" if before.startswith("NOT ") else f"{last}:无"
        joints[-1] = "AND"
    elif _LATIN.fullmatch(before) and (outcome := _HAS_OUTCOME.search(last)):
        terms[-2] = before + outcome[0]


def _bracketed(terms: list[str], joints: list[str]) -> str:
    """或 joins its two neighbours, so that 近一年 behind it is of both."""
    groups: list[list[str]] = [[terms[0]]]
    for joint, term in zip(joints, terms[1:], strict=True):
        if joint == "OR":
            groups[-1].append(term)
        else:
            groups.append([term])
    several = len(groups) > 1
    return " AND ".join(
        f"({' OR '.join(group)})" if several and len(group) > 1 else " OR ".join(group)
        for group in groups
    )


def _parts(asked: str) -> tuple[list[str], list[str]]:
    """The parts of a question, and the marks between them."""
    parts: list[str] = []
    marks: list[str] = []
    at = 0
    for mark in _PART.finditer(asked):
        part = asked[at : mark.start()].strip()
        if part and _whole(part):
            parts.append(part)
            marks.append(mark["mark"])
            at = mark.end()
        elif not part:
            # 、或者: the later word joins.
            if marks:
                marks[-1] = mark["mark"]
            at = mark.end()
    if last := asked[at:].strip():
        parts.append(last)
    if not parts:
        raise SearchRefused("请写出要找什么。(Say what to find.)")
    return parts, marks[: len(parts) - 1]


def _whole(part: str) -> bool:
    """Whether brackets are closed in a part."""
    return part.count("(") + part.count("（") == part.count(")") + part.count("）")


def _terms(part: str, today: date) -> list[str]:
    """The terms of a part: what it names, and the time before or behind that."""
    plain = re.sub(r"^(?:并|且|的|在|均|患者)+", "", _WHO.sub("", part)).strip()
    if _TIME.fullmatch(plain):
        return [_term(plain, part, today)]
    for pattern in (_TIME_FIRST, _TIME_LAST):
        if (match := pattern.fullmatch(plain)) and match["rest"].strip():
            rest = match["rest"].strip()
            return [_term(rest, part, today), _term(match["time"], part, today)]
    return [_term(plain, part, today)]


def _term(plain: str, part: str, today: date) -> str:
    if plain not in _NO_NAMES and not _TOO_SHORT.fullmatch(plain):
        for pattern, made in _RULES:
            if match := pattern.fullmatch(plain):
                return made(match, today)
    raise SearchRefused(f"不明白“{part}”，请改写，或直接写检索式。(Not understood: {part})")


def _since(match: re.Match[str], today: date) -> str:
    said = match["count"]
    count = int(said) if said.isdecimal() else _NUMERALS[said]
    unit = match["unit"]
    if said == "半":
        first = _months_before(today, 6) if unit == "年" else today - timedelta(days=15)
    elif unit == "年":
        first = _months_before(today, 12 * count)
    elif unit in ("个月", "月"):
        first = _months_before(today, count)
    else:
        first = today - timedelta(days=count * (7 if unit in ("周", "星期") else 1))
    return f"日期>={first.isoformat()}"


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    year, month = max(1, number // 12), number % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _day(match: re.Match[str]) -> str:
    parts = [part for part in (match["year"], match["month"], match["day"]) if part]
    return "-".join([parts[0], *(part.zfill(2) for part in parts[1:])])


def _year_words(match: re.Match[str], today: date) -> str:
    years = {"今年": today.year, "去年": today.year - 1, "前年": today.year - 2}
    return f"日期={years[match['which']]}"


def _dated(match: re.Match[str], today: date) -> str:
    sign = {"以来": ">=", "后": ">=", "起": ">=", "前": "<", "止": "<="}
    after = (match["after"] or "").removeprefix("以").removeprefix("之")
    return f"日期{sign.get(match['after'] or '', sign.get(after, '='))}{_day(match)}"


def _name(text: str) -> str:
    """A name as it stands in a query."""
    name = text.strip().removesuffix("的").strip()
    # Quotation marks would ask for the very name; a space is no part of a Chinese one.
    return re.sub(r"\s+", "", name)


def _plain(field: str = "", status: str = "", *, denied: bool = False) -> Callable[..., str]:
    def made(match: re.Match[str], today: date) -> str:
        name = _name(match["name"])
        term = f"{field}:{name}" if field else name
        term = f"{term}:{status}" if status else term
        return f"NOT {term}" if denied else term

    return made


def _outcome(match: re.Match[str], today: date) -> str:
    status = statuses()[match["outcome"]].name
    return f"{_name(match['name'])}:{status}"


def _compared(match: re.Match[str], today: date) -> str:
    number = re.sub(r"[\s,]", "", match["number"])
    return f"{_name(match['name'])}{_SIGNS[match['sign']]}{number}"


def _from_level(match: re.Match[str], today: date) -> str:
    number = re.sub(r"[\s,]", "", match["number"])
    return f"{_name(match['name'])}{'>=' if match['way'] == '上' else '<='}{number}"


_DAY = r"(?P<year>\d{4})(?:年|[-/.])?(?:(?P<month>\d{1,2})(?:月|[-/.])?(?:(?P<day>\d{1,2})日?)?)?"
_RULES: tuple[_Rule, ...] = tuple(
    (re.compile(pattern), made)
    for pattern, made in (
        (rf"(?:最近|近|过去|前){_COUNT}(?P<unit>年|个月|月|周|星期|天|日)(?:内|以来|里)?", _since),
        (r"(?P<which>今年|去年|前年)", _year_words),
        (rf"(?:自|从)?{_DAY}(?P<after>以来|以后|之后|后|起|以前|之前|前|止)?", _dated),
        (rf"{_NAME}\s*(?P<sign>{_SIGN})\s*{_NUMBER}", _compared),
        (rf"{_NAME}\s*{_NUMBER}(?:以|之)(?P<way>[上下])", _from_level),
        (rf"{_NAME}\s*(?:为|是|呈|结果)?\s*(?P<outcome>{_OUTCOMES})", _outcome),
        (rf"(?:否认|明确否认){_NAME}", _plain(status="无")),
        (rf"(?:有)?{_NAME}家族史", _plain(status="家族")),
        (rf"(?:对)?{_NAME}过敏(?:史)?", _plain(status="过敏")),
        (rf"(?:既往|曾患|曾有|既往有){_NAME}(?:史)?", _plain(status="既往")),
        (rf"(?:怀疑|疑似|可疑|考虑){_NAME}", _plain(status="可疑")),
        (rf"(?:没有|未)(?:用过|使用|服用){_NAME}", _plain("药物", denied=True)),
        (rf"(?:没有|未)(?:做过|行){_NAME}", _plain("手术", denied=True)),
        (rf"{_NOT}{_NAME}", _plain(denied=True)),
        (rf"(?:诊断为|诊断|确诊为?|患有?){_NAME}", _plain("诊断")),
        (rf"(?:用过|使用过?|服用过?|口服|使用了){_NAME}", _plain("药物")),
        (rf"(?:做过|行|接受过?){_NAME}", _plain("手术")),
        (rf"(?:有|出现|伴有?|合并)?{_NAME}", _plain()),
    )
)
