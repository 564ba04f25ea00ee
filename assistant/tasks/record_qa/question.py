"""A question → what it asks for: a kind of the table of routes, and its slots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache

from assistant.calculators.catalogue import named
from assistant.tasks.record_qa.draft import Focus
from assistant.tasks.record_qa.drugs import classes, courses, drug_of
from assistant.tasks.record_qa.reading import RecordReading, naive
from assistant.tasks.record_qa.tests import table, test_of, wordings
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms
from knowledge.text.times import Anchors, times

MAX_LENGTH = 2_000
_TERMS = frozenset({TermKind.SYMPTOM, TermKind.SIGN, TermKind.DISEASE, TermKind.PROCEDURE})
_GENE = re.compile(r"突变|基因|外显子|靶向|野生型|egfr.{0,2}[阳阴]性")
_CHINESE = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
_COUNT = re.compile(r"(?:近|最近|前|后)(?:的)?([一二两三四五六七八九十几\d]{1,2})次")
_NTH = re.compile(r"第([二三四五六七八九十2-9])次")
_DAY = re.compile(r"(?<!\d)(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})(?:日|号)?(?![\d.]*(?:mg|g|ml|u|mmol))")
_OPERATION_DAY = re.compile(r"术后第?([一二两三四五六七八九十\d]{1,2})[天日]")
_ASKED_FOR = re.compile(
    r"(?:有没有|有无|是否(?:有|存在)?|提到过?|提过|说过|记载过?|得过|患过|做过|有)(?:没有)?"
    r"(?P<term>[\u4e00-\u9fffA-Za-z0-9]{2,12}?)(?:的?(?:记录|记载|病史|史))?(?:吗|没有|没|过|呢|\?|$)"
)
_NO_TERM = re.compile(r"哪|什么|啥|多少|问题|几[个次天]|怎么")
_GENERIC = re.compile(r"抗体|计数|百分比|检[测查]|培养|蛋白|细胞|抗原|阳性|阴性|结果|比值|酸|酶|[高低]")
_ALLERGENS = re.compile(r"磺胺|青霉素|头孢|碘|链霉素|海鲜|虾|蟹|芒果|破伤风|造影剂|普鲁卡因|鸡蛋|花生|酒精")


@dataclass(frozen=True)
class Asked:
    """A question, read."""

    text: str
    kind: str = ""
    tests: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    allergens: tuple[str, ...] = ()
    imaging: tuple[str, ...] = ()
    section: str = ""
    calculator: str = ""
    day: date | None = None
    bad_day: str = ""
    count: int | None = None
    nth: int | None = None
    followed: bool = field(default=False, compare=False)

    @property
    def folded(self) -> str:
        """The text, folded."""
        return fold(self.text)

    def focus(self) -> Focus:
        """What a next question may leave out."""
        return Focus(
            kind=self.kind,
            tests=list(self.tests),
            drugs=[*self.drugs, *self.classes],
            terms=list(self.terms),
            calculator=self.calculator,
            day=self.day.isoformat() if self.day else "",
            count=self.count,
        )


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table of routes."""

    kind: str
    needs: tuple[str, ...]
    words: re.Pattern[str]
    example: str

    def takes(self, asked: Asked) -> bool:
        """Whether the question has the slots and the words."""
        if self.needs and not any(_has(asked, need) for need in self.needs):
            return False
        return self.words.search(asked.folded) is not None


def _has(asked: Asked, need: str) -> bool:
    slots = {
        "test": asked.tests,
        "drug": asked.drugs,
        "class": asked.classes,
        "term": asked.terms,
        "allergen": asked.allergens,
        "imaging": asked.imaging,
        "section": asked.section,
        "calculator": asked.calculator,
        "day": asked.day,
    }
    return all(bool(slots[part]) for part in need.split("+"))


@cache
def routes() -> tuple[Route, ...]:
    """The table, in its order."""
    return tuple(
        Route(kind, () if needs == "-" else tuple(needs.split("|")), re.compile(words), example)
        for kind, needs, words, example in table("routes.tsv")
    )


@cache
def _sections() -> list[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile(words)) for name, words, _ in table("sections.tsv")]


def read_question(text: str, reading: RecordReading, focus: Focus | None = None) -> Asked:
    """The question with its kind and slots; what it leaves out comes from ``focus``.

    ``kind`` is "" where no route takes it.
    """
    text = text.strip()[:MAX_LENGTH]
    asked = _slots(text, reading)
    if focus is not None and focus.kind:
        followed = _followed(asked, focus)
        if followed is not None:
            return followed
    return replace(asked, kind=_kind(asked))


def _kind(asked: Asked) -> str:
    return next((route.kind for route in routes() if route.takes(asked)), "")


_LEADS_ON = re.compile(r"^(?:那么?|还有|再看|然后|换成)|呢[?？。]?$|^(?:它|这个)")
_TEST_KINDS = frozenset(
    {"highest", "lowest", "previous", "nth", "first", "normal", "on_day", "trend", "change", "latest"}
)
_DRUG_KINDS = frozenset({"drug", "drug_on", "drugs", "caution"})
_SHORT = 14
_BARE = re.compile(
    r"(?:那么?|呢|吗|的|是|了|又|再|还有|它|这个|这次|那次|上一?次|前一?次|最近|最后|第一?次|第[二三四五六七八九十\d]+次"
    r"|倒数第二次?|最高|最低|峰值?|谷值?|哪[天日]|几号|几点|什么时候|何时|时候|多少|怎么样|怎样|如何|咋样|变化|趋势|正常|高不高"
    r"|低不低|偏高|偏低|升|降|入院时?|出院时?|术后|术前|目前|现在|首次|近|[一二三四五六七八九十两几\d]+次|历次|全部|所有|单位"
    r"|剂量|用法|几天|多久|停|开始|加量|减量|后来|之后|以前|呀|啊|吧|在|有|没有?|到|过|给我|看看|请|[\d年月日号./-]+|昨[天日]"
    r"|今[天日]|前[天日]|第|[天日,，?？。!！\s])+"
)
"""What a question that goes on may hold: anything else is a subject of its own."""


def _leaves_out(asked: Asked) -> bool:
    return _BARE.fullmatch(asked.folded) is not None




def _followed(asked: Asked, focus: Focus) -> Asked | None:
    """The question as it goes on from the one before; None where it stands for itself."""
    empty = not (
        asked.tests or asked.drugs or asked.classes or asked.terms or asked.calculator
        or asked.imaging or asked.section
    )  # fmt: skip
    short = len(asked.text) <= _SHORT
    if empty and short and _leaves_out(asked) and (focus.tests or focus.drugs or focus.terms or focus.calculator):
        filled = replace(
            asked,
            tests=tuple(focus.tests),
            drugs=tuple(d for d in focus.drugs if d not in {c.name for c in classes()}),
            classes=tuple(d for d in focus.drugs if d in {c.name for c in classes()}),
            terms=tuple(focus.terms),
            followed=True,
        )
        kind = _kind(filled)
        # 哪天？ asks for the day of the same; what has words of its own asks for another thing.
        if re.search(r"哪[天日]|什么时候|何时|几点|单位|正常值|参考", asked.folded) and kind in (
            "latest", "drug", "mention", "dates",
        ):  # fmt: skip
            kind = focus.kind
        if _kind(asked) not in ("", "mention"):
            return None
        return replace(filled, kind=kind or focus.kind, calculator=focus.calculator)
    if not _LEADS_ON.search(asked.text) or not short:
        return None
    kind = _kind(asked)
    if asked.tests and kind == "latest" and focus.kind in _TEST_KINDS:
        day = date.fromisoformat(focus.day) if focus.day else None
        return replace(
            asked,
            kind=focus.kind,
            count=asked.count or focus.count,
            day=asked.day or day,
            followed=True,
        )
    if (asked.drugs or asked.classes) and kind in ("drug", "drugs", "") and (
        focus.kind in _DRUG_KINDS
    ):
        return replace(asked, kind="drugs" if asked.classes else focus.kind, followed=True)
    if asked.terms and focus.kind in ("mention", "allergy"):
        return replace(asked, kind="mention", followed=True)
    return None


def _slots(text: str, reading: RecordReading) -> Asked:
    folded = fold(text)
    calculator = ""
    if not _GENE.search(folded) and (found := named(folded)):
        calculator = found[0].key
        word = max(
            (w for w in found[0].wordings if w.casefold() in folded), key=len, default=""
        ).casefold()
        folded = folded.replace(word, "，" * len(word))
    matches = find_terms(folded)
    drugs, rest = _drugs(folded, reading)
    for match in matches:
        if match.kind is TermKind.TEST:
            # 促性腺激素 is a test: no steroid is asked for.
            width = match.end - match.start
            rest = rest[: match.start] + "，" * width + rest[match.end :]
    asked_classes = _classes(rest)
    tests = _tests(folded, matches, reading)
    terms = tuple(dict.fromkeys(folded[m.start : m.end] for m in matches if m.kind in _TERMS))
    lay = tuple(term for words, term in _lay() if words.search(folded) and term not in terms)
    terms = (*terms, *lay)
    if lay:
        tests = tuple(t for t in tests if not _is_of(t, lay))
    if not terms and not tests and not drugs and (hit := _ASKED_FOR.search(folded)) and (
        not _NO_TERM.search(hit["term"])
    ):
        terms = (hit["term"],)
    day, bad = _day(folded, reading)
    return Asked(
        text=text,
        tests=tests,
        drugs=drugs,
        classes=asked_classes,
        terms=terms,
        allergens=tuple(dict.fromkeys(_ALLERGENS.findall(folded))),
        imaging=tuple(
            dict.fromkeys(folded[m.start : m.end] for m in matches if m.kind is TermKind.IMAGING)
        )
        or tuple(_IMAGING.findall(folded)),
        section=next((name for name, words in _sections() if words.search(folded)), ""),
        calculator=calculator,
        day=day,
        bad_day=bad,
        count=_number(_COUNT, folded),
        nth=_number(_NTH, folded),
    )


def _is_of(test: str, terms: tuple[str, ...]) -> bool:
    """Whether a test was only read out of the words of a term: 血压 of 血压高的病史."""
    return (test, terms[0]) in {("血压", "高血压"), ("血糖", "糖尿病")}


@cache
def _lay() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(words), term) for words, term, _ in table("lay_terms.tsv")]


_IMAGING = re.compile(r"眼底|胃镜|肠镜|病理|心电图|超声|造影|(?<![a-z])(?:ct|mri|mr)(?![a-z])|x线|x光|胸片|b超|彩超")


def _number(pattern: re.Pattern[str], folded: str) -> int | None:
    hit = pattern.search(folded)
    if hit is None:
        return None
    word = hit[1]
    if word.isdigit():
        return int(word) or None
    return _CHINESE.get(word) or None


def _classes(rest: str) -> tuple[str, ...]:
    """The classes of drugs that a question names."""
    found: list[str] = []
    for one in classes():
        if hit := one.asked.search(rest):
            found.append(one.name)
            rest = rest[: hit.start()] + "，" * len(hit[0]) + rest[hit.end() :]
    return tuple(found)


def _drugs(folded: str, reading: RecordReading) -> tuple[tuple[str, ...], str]:
    """The drugs that a question names, and the text without their names."""
    found: list[str] = []
    rest = folded
    own = sorted({c.drug for c in courses(reading)}, key=len, reverse=True)
    for drug in own:
        name = fold(drug)
        if len(name) >= 2 and name in rest and not any(c.asked.fullmatch(name) for c in classes()):
            found.append(drug)
            rest = rest.replace(name, "，" * len(name))
    for match in find_terms(rest):
        word = rest[match.start : match.end]
        if match.kind is TermKind.DRUG and not any(c.asked.search(word) for c in classes()):
            found.append(drug_of(word))
    return tuple(dict.fromkeys(found)), rest


def _tests(folded: str, matches: Sequence[Match], reading: RecordReading) -> tuple[str, ...]:
    found: list[tuple[int, str]] = []
    taken = bytearray(len(folded) + 1)

    def claim(start: int, end: int, *names: str) -> None:
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.extend((start, name) for name in names)

    own = {fold(row.name): test_of(row.name) for row in reading.encounter.observations}
    named: list[tuple[int, int, str]] = []
    for name, test in own.items():
        if len(name) >= 2 and (at := folded.find(name)) >= 0:
            named.append((at, at + len(name), test))
    for match in matches:
        if match.kind is TermKind.TEST:
            test = test_of(folded[match.start : match.end])
            named.append((match.start, match.end, test))
        elif match.kind in _TERMS:
            # 血小板减少 is a finding, and asks for no value.
            named.append((match.start, match.end, ""))
    # The longest first: 糖化血红蛋白 is asked for, not the 血红蛋白 that its name ends with.
    for start, end, test in sorted(named, key=lambda n: n[0] - n[1]):
        claim(start, end, *([test] if test else []))
    for pattern, tests, _ in wordings():
        for hit in pattern.finditer(folded):
            if hit.end() > hit.start():
                claim(hit.start(), hit.end(), *tests)
    if not found:
        for name, test in own.items():
            common = _common(folded, name)
            if len(common) >= 3 and _GENERIC.sub("", common):
                found.append((folded.find(common), test))
    return tuple(dict.fromkeys(test for _, test in sorted(found, key=lambda f: f[0])))


def _common(one: str, two: str) -> str:
    """The longest text that both hold."""
    best = ""
    for start in range(len(two)):
        for end in range(start + len(best) + 1, len(two) + 1):
            if two[start:end] not in one:
                break
            best = two[start:end]
    return best


def _day(folded: str, reading: RecordReading) -> tuple[date | None, str]:
    """The day that a question names, or the words of one that there is not."""
    admitted = reading.admitted.date() if reading.admitted else None
    if hit := _OPERATION_DAY.search(folded):
        days = _CHINESE.get(hit[1]) or (int(hit[1]) if hit[1].isdigit() else 0)
        first = next((naive(o.at) for o in reading.encounter.operations if o.at), None)
        if first is not None and days:
            return (first + timedelta(days=days)).date(), ""
    if hit := _DAY.search(folded):
        year = int(hit[1]) if hit[1] else _year(reading, int(hit[2]))
        try:
            return date(year, int(hit[2]), int(hit[3])), ""
        except ValueError:
            return None, hit[0]
    anchors = Anchors(admission=admitted, note=reading.last_day)
    for time in times(folded, anchors):
        if len(time.value) == 10 and not time.value.startswith("-") and time.exact:
            try:
                return date.fromisoformat(time.value), ""
            except ValueError:
                return None, folded[time.start : time.end]
    return None, ""


def _year(reading: RecordReading, month: int) -> int:
    """The year of a day that names none: that of the stay."""
    last = reading.last_day or datetime.now().date()
    first = reading.admitted.date() if reading.admitted else last
    return first.year if month >= first.month or first.year == last.year else last.year
