"""What a number is of: a test or a sign with its specimen and moment, and the way it went.

A `Measured` is one quantity with the name that it belongs to; a `Trend` says that something rose or
fell.  Both are read from a whole sentence, since 复查升至357 takes its name from the clause before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.grounding.wording import bigrams
from assistant.tasks.structuring.terms import find_terms, shipped_test
from knowledge.text.amount import Quantity
from knowledge.text.changes import changes
from knowledge.text.folding import fold
from knowledge.text.quantity import quantities
from knowledge.text.synonyms import TermKind

_ALSO = {"呼吸": "呼吸频率"}
"""What is no test by that name elsewhere, and is one before a number."""

_END = re.compile(r"[。;!?\n]")
_EDGE = re.compile(r"[,，、:。;\n()]")
_BEHIND = re.compile(r"[,，、:。;\n]")
_FAR = 16
_LINK = re.compile(
    r"(?:[\s,，、:()→~>-]|较前|复[查测]|再次|今[日晨天]|昨[日晚]|次日|当[日时]|入院|出院|术前|术后|治疗|补液|时|后|前|渐|逐渐|明显"
    r"|进行性|最?终?[升降增减](?:[至到为高低少加])?|上升|下降|回[升降落]|恢复|至|到|为|由|从|最[高低]|峰值|波动|于|在|约|均|又|再|随后|目前"
    r"|现|分别|和|及|改善|复|↑|↓)+"
)
_REFERENCE = re.compile(r"(?:参考|正常)(?:值|范围|区间)*(?:为|是)?[\s:]*\Z")
_FIRST = re.compile(
    r"入院(?!后|第|以来)|初诊|首次|术前|(?:治疗|用药|透析|输血)前|起初|最初|初始|发病时|由[^,，]{0,8}\Z|从[^,，]{0,8}\Z"
)
_LAST = re.compile(
    r"出院(?!后)|复[查测]|目前|现(?!病史|象)|术后|(?:治疗|用药|透析|输血)后|末次|最终|最后|今[日晨]|(?:[升降增减涨]|恢复)(?:[高低])?[至到为]"
)
_QUALIFIERS = (
    {"空腹": "空腹", "餐后": "餐后", "随机": "随机", "餐前": "餐前", "睡前": "睡前"},
    {"nt-": "nt", "n末端": "nt"},
    {"白i": "i", "tni": "i", "白t": "t", "tnt": "t"},
    {"收缩压": "收缩", "舒张压": "舒张"},
)
_SPECIMEN = re.compile(
    r"(脑脊液|胸[腔积]*[水液]|腹[腔积]*[水液]|尿|血|粪|大?便|痰|引流液)(?:液|常规|检查|生化|培养|沉渣|中)*"
    r"(?=[:示查]|白细胞|红细胞|蛋白|葡萄糖|糖|肌酐|钠|钾|淀粉酶|酮体|氯)"
)
_UP = re.compile(r"[上回]升|升高|增高|增[加多大]|[升增]至|升到|加重|偏高|↑|高于正常")
_DOWN = re.compile(r"下降|降低|减[少低]|[降减]至|降到|回落|偏低|↓|低于正常")
_DENIED = re.compile(r"(?:无|未|不|没有?|非)(?:见|明显|显著|再|有|继续)*\Z")


@dataclass(frozen=True, slots=True)
class Measured:
    """A quantity with what it is of.

    ``concept`` is the name of the test or sign, "" where no list has it; ``before`` and ``after``
    are the words beside it.  ``moment`` is "first" or "last" where the text says which of several
    values it is.
    """

    quantity: Quantity
    concept: str
    qualifiers: frozenset[str]
    before: frozenset[str]
    after: frozenset[str]
    moment: str
    reference: bool
    name_start: int
    """Where the name of the test begins, else the quantity itself."""

    def is_of(self, other: Measured) -> bool:
        """Whether both are values of one thing, as far as the words tell."""
        if self.concept and other.concept:
            return self.concept == other.concept and self._fits(other)
        if self.before:
            return bool(self.before & (other.before | other.after)) and self._fits(other)
        if self.after:
            return bool(self.after & (other.after | other.before))
        return True

    def _fits(self, other: Measured) -> bool:
        """Whether neither is qualified otherwise: 空腹 and 餐后, 尿 and 血."""
        mine = dict(one.split(":") for one in self.qualifiers)
        theirs = dict(one.split(":") for one in other.qualifiers)
        return all(theirs.get(kind, value) == value for kind, value in mine.items())

    def says_the_same(self, other: Measured) -> bool:
        """Whether the value is that of ``other``, or the part of it that it names."""
        mine, theirs = self.quantity, other.quantity
        if {self.moment, other.moment} == {"first", "last"}:
            return False
        if mine.same(theirs) or _bare(mine, theirs):
            return True
        if mine.shape != "one" or theirs.shape not in ("pair", "size"):
            return False
        if not mine.unit.converts_to(theirs.unit) or mine.comparator != theirs.comparator:
            return False
        parts = theirs.base if len(theirs.base) == len(theirs.numbers) else ()
        if theirs.shape == "size":
            return mine.base[0] in parts
        diastolic = "part:舒张" in self.qualifiers
        return bool(parts) and mine.base[0] == parts[-1 if diastolic else 0]


def _bare(mine: Quantity, theirs: Quantity) -> bool:
    """A number without its unit, where the record has the usual one."""
    usual = {"", "次", "次/分", "/分", "mmHg", "℃"}
    return (
        not mine.unit
        and theirs.unit_text in usual
        and not (mine.ambiguous or theirs.ambiguous)
        and mine.values == theirs.values
        and (mine.shape, mine.comparator, mine.more)
        == (theirs.shape, theirs.comparator, theirs.more)
    )


def measured(text: str, taken: Iterable[tuple[int, int]] = ()) -> list[Measured]:
    """The quantities of ``text`` outside the ranges ``taken``, each with what it is of."""
    folded = fold(text)
    spans = sorted(taken)
    found = [q for q in quantities(text) if not any(a <= q.start < b for a, b in spans)]
    names = [m for m in find_terms(text) if m.kind is TermKind.TEST]
    series = changes(text, found)
    whole = {q.start: q for s in series for q in s.quantities}
    found = [whole.get(q.start, q) for q in found]
    first = {q.start for s in series for q in s.quantities[:-1]}
    last = {s.last.start for s in series}
    result: list[Measured] = []
    for number, quantity in enumerate(found):
        previous = found[number - 1].end if number else 0
        ended = [m.end() for m in _END.finditer(folded, 0, quantity.start)]
        begin = max(previous, ended[-1] if ended else 0)
        ahead = folded[begin : quantity.start]
        name = next(
            (m for m in reversed(names) if begin <= m.start and m.end <= quantity.start), None
        )
        goes_on = number and begin == previous and _LINK.fullmatch(ahead)
        edges = [m.end() for m in _EDGE.finditer(folded, begin, quantity.start)]
        left = max(edges[-1] if edges else begin, quantity.start - _FAR)
        concept, named_at = _other_name(ahead)
        named_at += begin
        if name and (not concept or name.end == quantity.start):
            concept, named_at = name.concept, name.start
        if concept and folded[max(0, named_at - 1) : named_at] == "尿":
            # 尿WBC is 尿白细胞.
            concept = shipped_test(f"尿{concept.removesuffix('计数')}") or concept
        before = frozenset(bigrams(folded[left : quantity.start]))
        qualifiers = _qualified(folded[ended[-1] if ended else 0 : quantity.start])
        if {"part:收缩", "part:舒张"} & qualifiers:
            concept = "血压"
        alike = result and _alike_units(result[-1].quantity, quantity)
        if goes_on and alike and not name:
            concept = result[-1].concept
            before = before | result[-1].before
            qualifiers = qualifiers or result[-1].qualifiers
        following = found[number + 1].start if number + 1 < len(found) else len(folded)
        edge = _BEHIND.search(folded, quantity.end)
        right = min(following, quantity.end + 8, edge.start() if edge else len(folded))
        moment = "first" if quantity.start in first else "last" if quantity.start in last else ""
        result.append(
            Measured(
                quantity,
                concept,
                qualifiers,
                before,
                frozenset(bigrams(folded[quantity.end : right])),
                moment or _moment(folded, ended[-1] if ended else 0, quantity.start),
                _is_reference(folded, quantity, result[-1] if result else None),
                min(named_at, quantity.lead or quantity.start),
            )
        )
    return result


def _alike_units(one: Quantity, other: Quantity) -> bool:
    """Whether both may be of one thing."""
    return not one.unit or not other.unit or one.unit.converts_to(other.unit)


_GLUED = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]*[a-z][+-]?\Z")


def _other_name(ahead: str) -> tuple[str, int]:
    """A name that the list does not find by itself, with its place: WBC13.2, 呼吸20次/分."""
    glued = _GLUED.search(ahead)
    if glued and (concept := shipped_test(glued[0])):
        return concept, glued.start()
    return _ALSO.get(ahead.strip(" ,:、")[-2:], ""), len(ahead)


def _moment(folded: str, begin: int, end: int) -> str:
    """Which of several values it is, by the last word of its sentence that tells."""
    words = folded[begin:end]
    first = max((m.start() for m in _FIRST.finditer(words)), default=-1)
    last = max((m.start() for m in _LAST.finditer(words)), default=-1)
    return "" if first == last else "first" if first > last else "last"


_CLAUSE_MARK = re.compile(r"[,;:，]")


def _qualified(sentence: str) -> frozenset[str]:
    """What the words before a value say of it: in its own clause, or of which fluid it is."""
    found = set()
    ahead = _CLAUSE_MARK.split(sentence)[-1]
    for kind, group in zip(("meal", "form", "isoform", "part"), _QUALIFIERS, strict=True):
        for word, value in group.items():
            if word in ahead:
                found.add(f"{kind}:{value}")
                break
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


@dataclass(frozen=True, slots=True)
class Trend:
    """Something that rose or fell, by the name that the list of tests has for it."""

    concept: str
    up: bool
    start: int
    end: int


def trends(text: str) -> list[Trend]:
    """What rose and fell, by words and by the values themselves."""
    folded = fold(text)
    names = [m for m in find_terms(text) if m.kind is TermKind.TEST]
    found = []
    for pattern, up in ((_UP, True), (_DOWN, False)):
        for match in pattern.finditer(folded):
            ends = [m.end() for m in _END.finditer(folded, 0, match.start())]
            begin = ends[-1] if ends else 0
            if _DENIED.search(folded[max(begin, match.start() - 5) : match.start()]):
                continue
            name = next(
                (m for m in reversed(names) if begin <= m.start and m.end <= match.start()), None
            )
            if name:
                found.append(Trend(name.concept, up, match.start(), match.end()))
    return found


def numeric_trends(values: Sequence[Measured]) -> list[tuple[str, bool]]:
    """(concept, whether it rose) for values of one thing that follow one another."""
    found = []
    for one, two in pairwise(values):
        a, b = one.quantity, two.quantity
        if (
            one.concept
            and one.concept == two.concept
            and a.unit.converts_to(b.unit)
            and a.base != b.base
        ):
            found.append((one.concept, b.base > a.base))
    return found
