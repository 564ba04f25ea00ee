"""Reads what the numbers of a sentence are of: 血小板238，复查升至357 are two of one test."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from assistant.grounding.measured import Measured
from assistant.grounding.wording import bigrams
from knowledge.text.amount import Quantity
from knowledge.text.changes import changes
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.quantity import quantities
from knowledge.text.synonyms import TermKind
from knowledge.text.term_table import shipped_test
from knowledge.text.terms import find_terms

_ALSO = {"呼吸": "呼吸频率"}
"""What is no test by that name elsewhere, and is one before a number."""

_END = re.compile(r"[。;!?\n]")
_EDGE = re.compile(r"[,，、:。;\n()]")
_BEHIND = re.compile(r"[,，、:。;\n]")
_FAR = 16
_LINK = re.compile(
    r"(?:[\s,，、:()→~>-]|(?:发?病|孕)前|较前|复[查测]|再次|今[日晨天]|昨[日晚]|次日|当[日时]|入院|出院|术前|术后|治疗|补液|时|后|前|渐|逐渐|明显"
    r"|进行性|最?终?[升降增减](?:[至到为高低少加])?|上升|下降|回[升降落]|恢复|至|到|为|由|从|最[高低]|峰值|波动|于|在|约|均|又|再|随后|目前"
    r"|现|分别|和|及|改善|复|↑|↓)+"
)
_OTHER_SIDE = re.compile(r"[,，;；、]?[左右](?:[侧边膝髋肩肘腕踝眼耳肾肺])?(?:为)?")
_REFERENCE = re.compile(
    r"(?:(?:参考|正常)(?:值|范围|区间)*(?:[上下]限)?|[上下]限)(?:为|是)?[\s:]*\Z"
)
_FIRST = re.compile(
    r"入院(?!后|第|以来)|初诊|首次|术前|(?:治疗|用药|透析|输血)前|起初|最初|初始|发病时|峰值|最[高低]|曾"
)
_LAST = re.compile(
    r"出院(?!后)|复[查测]|目前|现(?!病史|象)|术后|(?:治疗|用药|透析|输血)后|末次|最终|最后|今[日晨]|(?:[升降增减涨]|恢复)(?:[高低])?[至到为]"
)
_EARLIER = re.compile(r"[\d一二两三四五六七八九十半数几]+余?个?[年月]前|去年|前年|上次|既往")
_QUALIFIERS = (
    {"空腹": "空腹", "餐后": "餐后", "随机": "随机", "餐前": "餐前", "睡前": "睡前"},
    {"nt-": "nt", "n末端": "nt", "probnp": "nt", "钠肽前体": "nt"},
    {"白i": "i", "tni": "i", "白t": "t", "tnt": "t"},
    {"收缩压": "收缩", "舒张压": "舒张"},
    {"出生": "出生", "现": "现", "目前": "现", "入院": "现", "病前": "病前", "孕前": "病前"},
    {
        "昨日": "昨",
        "昨天": "昨",
        "昨晚": "昨",
        "今日": "今",
        "今天": "今",
        "今晨": "今",
        "前天": "前",
    },
    {"夜间": "夜", "日间": "日", "白天": "日", "清晨": "晨", "平均": "平均"},
)
_SPECIMEN = re.compile(
    r"(脑脊液|胸[腔积]*[水液]|腹[腔积]*[水液]|尿|血|粪|大?便|痰|引流液)(?:液|清|浆|常规|检查|生化|培养|沉渣|中)*"
    r"(?=[:示查]|白细胞|红细胞|蛋白|葡萄糖|糖|肌酐|钠|钾|淀粉酶|酮体|氯)"
)
_WHO = re.compile(r"双胎之[大小]|(?:大|小)(?=(?:胎|双))|[供受](?=[者体])")
CALENDAR = frozenset({"a", "mo", "wk", "d"})
_WINDOW = 200
"""Characters before a number that may say what it is of."""


def measured(text: str) -> list[Measured]:
    """The quantities of ``text``, each with what it is of."""
    return _Reader(text).read()


def tests_of(text: str) -> list[Match]:
    """The names of tests and signs in ``text``, in its order."""
    return [m for m in find_terms(text) if m.kind is TermKind.TEST]


class Sentences:
    """Where the sentences of a folded text begin."""

    def __init__(self, folded: str) -> None:
        self._starts = [m.end() for m in _END.finditer(folded)]

    def begin(self, at: int) -> int:
        """Where the sentence that holds ``at`` begins; not far before it."""
        number = bisect_right(self._starts, at)
        return max(self._starts[number - 1] if number else 0, at - _WINDOW)


class Names:
    """The last of some names before a place."""

    def __init__(self, names: Sequence[Match]) -> None:
        self._names = names
        self._ends = [name.end for name in names]

    def last(self, begin: int, end: int) -> Match | None:
        """The last name that stands in ``[begin, end)``."""
        number = bisect_right(self._ends, end)
        found = self._names[number - 1] if number else None
        return found if found and found.start >= begin else None


class _Reader:
    """One pass over the quantities of one text."""

    def __init__(self, text: str) -> None:
        self._folded = fold(text)
        found = quantities(text)
        series = changes(text, found)
        whole = {q.start: q for s in series for q in s.quantities}
        self._found = [whole.get(q.start, q) for q in found]
        self._moments = {q.start: "left" for s in series for q in s.quantities[:-1]}
        self._moments |= {s.last.start: "last" for s in series}
        self._sentences = Sentences(self._folded)
        self._names = Names(tests_of(text))

    def read(self) -> list[Measured]:
        """The quantities in their order."""
        result: list[Measured] = []
        for number in range(len(self._found)):
            result.append(self._one(number, result))
        return result

    def _one(self, number: int, result: Sequence[Measured]) -> Measured:
        quantity, folded = self._found[number], self._folded
        before = result[-1] if result else None
        sentence = self._sentences.begin(quantity.start)
        begin = max(before.quantity.end if before else 0, sentence)
        ahead = folded[begin : quantity.start]
        concept, named_at, name_end = self._name(begin, quantity.start)
        if quantity.unit.code in CALENDAR:
            # 甲状腺功能减退症病史5年 is no value of 甲状腺功能.
            concept = ""
        if quantity.unit_text == "%" and _SOLUTION.match(folded, quantity.end):
            # 低血糖经50%葡萄糖静推: how strong the solution is, and no value of 血糖.
            concept = ""
        words = frozenset(bigrams(ahead[_edge(ahead) :][-_FAR:]))
        if not words and not quantity.unit:
            # 孕2产1, HER-2（0）: what is all the name that a number has.
            words = frozenset(_NAMED.findall(ahead[-8:])[-1:])
        if (
            not words
            and before
            and begin == quantity.start
            and before.quantity.unit.code in _GRADES
        ):
            # 深Ⅱ度20%: of the degree that it stands behind.
            words = frozenset({folded[before.quantity.start : before.quantity.end]})
        if not words and quantity.unit.code in ("{期}", "{stage}"):
            # 右乳癌pT2N1M0，ⅡB期: of what the clause before it names.
            words = frozenset(bigrams(folded[sentence : quantity.start][-_FAR:]))
        qualifiers = _qualified(folded[sentence : quantity.start])
        if {"part:收缩", "part:舒张"} & qualifiers:
            concept = "血压"
        if not concept and (known := self._named_before(ahead, sentence, quantity, result)):
            concept = known.concept
            qualifiers |= {one for one in known.qualifiers if one.startswith(_OF_TEST)}
        elif not concept and before is not None and self._goes_on(before, begin, quantity):
            concept = before.concept
            words |= before.before
            qualifiers = qualifiers or before.qualifiers
        return Measured(
            quantity=quantity,
            concept=concept,
            qualifiers=qualifiers,
            before=words,
            after=self._after(number),
            moment=self._moment(sentence, quantity),
            reference=_is_reference(folded, quantity, before),
            name_start=min(named_at, quantity.lead or quantity.start),
            name_end=name_end,
        )

    def _name(self, begin: int, end: int) -> tuple[str, int, int]:
        """The name before a number, and where it stands: the last listed, or WBC of WBC13.2."""
        ahead = self._folded[begin:end]
        listed = self._names.last(begin, end)
        glued = _GLUED.search(ahead)
        concept = shipped_test(glued[0]) if glued else None
        if glued and concept and not (listed and listed.end == end):
            place, stop = begin + glued.start(), end
        elif listed:
            concept, place, stop = listed.concept, listed.start, listed.end
        else:
            concept, place, stop = _ALSO.get(ahead.strip(" ,:、")[-2:], ""), end, end
        if concept and self._folded[max(0, place - 1) : place] == "尿":
            # 尿WBC is 尿白细胞.
            concept = shipped_test(f"尿{concept.removesuffix('计数')}") or concept
        return "体重" if (concept or "").endswith("体重") else concept or "", place, stop

    def _named_before(
        self, ahead: str, sentence: int, quantity: Quantity, result: Sequence[Measured]
    ) -> Measured | None:
        """The last value of a test in the sentence, where this one is said to be what it became."""
        on_day = bool(result) and result[-1].quantity.unit.code in CALENDAR
        if not _BECOMES.search(ahead) and not (on_day and _IS.fullmatch(ahead)):
            return None
        for other in reversed(result):
            if other.quantity.start < sentence:
                break
            if other.concept and (
                other.quantity.unit.converts_to(quantity.unit) or not quantity.unit
            ):
                return other
        return None

    def _goes_on(self, before: Measured, begin: int, quantity: Quantity) -> bool:
        """Whether the value is another one of what the last was of."""
        one = before.quantity
        alike = not one.unit or not quantity.unit or one.unit.converts_to(quantity.unit)
        between = self._folded[begin : quantity.start]
        linked = _LINK.fullmatch(between) or _OTHER_SIDE.fullmatch(between)
        return alike and begin == one.end and linked is not None

    def _moment(self, sentence: int, quantity: Quantity) -> str:
        """Which of several values it is: by the words, or by what it went on to."""
        by_words = _moment(self._folded, sentence, quantity.start)
        found = self._moments.get(quantity.start, "")
        return by_words if not found or (found, by_words) == ("left", "first") else found

    def _after(self, number: int) -> frozenset[str]:
        """The words right behind a number."""
        end = self._found[number].end
        right = min(len(self._folded), end + 8)
        if number + 1 < len(self._found):
            right = min(right, self._found[number + 1].start)
        edge = _BEHIND.search(self._folded, end, right)
        return frozenset(bigrams(self._folded[end : edge.start() if edge else right]))


_GRADES = ("{度}", "{级}", "{期}", "{stage}")
_OF_TEST = ("form:", "isoform:", "meal:", "specimen:")
_IS = re.compile(r"后?[为是]")
"""What stands between a day and the value on it: 第5天为180U/L."""

_SOLUTION = re.compile(r"[ ]?的?(?:葡萄糖|氯化钠|碳酸氢钠|甘露醇)")
_NAMED = re.compile(r"([a-z0-9-]*[a-z][a-z0-9-]*|[\u4e00-\u9fff])[\s(:]*\Z")
_BECOMES = re.compile(
    r"(?:(?:[升降增减](?:高|低|少|多)?|恢复|回落|回升|回降|下降|上升|改善|变|[上下]调|调整)[至到为]|复查)[:约为\s]*\Z"
)
_GLUED = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]*[a-z][+-]?\Z")


def _edge(ahead: str) -> int:
    """Where the last part of the words before a number begins."""
    return max((m.end() for m in _EDGE.finditer(ahead)), default=0)


def _moment(folded: str, begin: int, end: int) -> str:
    """Which of several values it is, by the last word of its sentence that tells."""
    words = folded[begin:end]
    ways = (("first", _FIRST), ("last", _LAST), ("earlier", _EARLIER))
    told = [(m.start(), name) for name, pattern in ways for m in pattern.finditer(words)]
    return max(told)[1] if told else ""


_CLAUSE_MARK = re.compile(r"[,;:，]")


def _qualified(sentence: str) -> frozenset[str]:
    """What the words before a value say of it: in its own clause, or of which fluid it is."""
    found = set()
    ahead = _CLAUSE_MARK.split(sentence)[-1]
    for kind, group in zip(
        ("meal", "form", "isoform", "part", "age", "date", "day"), _QUALIFIERS, strict=True
    ):
        told = [(ahead.rfind(word), value) for word, value in group.items() if word in ahead]
        if told:
            # 昨日6分，今日2分: the last before the value.
            found.add(f"{kind}:{max(told)[1]}")
    who = list(_WHO.finditer(sentence))
    if who:
        found.add(f"who:{who[-1][0][-1:]}")
    specimens = list(_SPECIMEN.finditer(sentence))
    if specimens:
        found.add(f"specimen:{specimens[-1][1][0]}")
    return frozenset(found)


def _is_reference(folded: str, quantity: Quantity, previous: Measured | None) -> bool:
    """Whether it is the range that a laboratory gives beside a value."""
    ahead = folded[max(0, quantity.lead - 10) : quantity.lead or quantity.start]
    if _REFERENCE.search(ahead):
        return True
    if previous is None or quantity.shape != "range":
        return False
    between = folded[previous.quantity.end : quantity.start]
    return re.fullmatch(r"[\s↑↓a-z0-9/^*]*\(\s*", between) is not None
