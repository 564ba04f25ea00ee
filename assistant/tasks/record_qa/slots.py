"""What a question names: tests, drugs, findings, a day, a count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from assistant.calculators.catalogue import named
from assistant.grounding.known_drugs import drug_names
from assistant.tasks.record_qa.abbreviations import written_out
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.asked_day import CHINESE, asked_day
from assistant.tasks.record_qa.drugs import classes, courses, drug_of
from assistant.tasks.record_qa.periods import period_of
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.tests import table, test_of, wordings
from knowledge.text.drugs import DrugNames
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind
from knowledge.text.term_table import shipped_test
from knowledge.text.terms import find_terms

_TERMS = frozenset({TermKind.SYMPTOM, TermKind.SIGN, TermKind.DISEASE, TermKind.PROCEDURE})
_GENE = re.compile(r"突变|基因|外显子|靶向|野生型|egfr.{0,2}[阳阴]性")
_COUNT = re.compile(r"(?:近|最近|前|后)(?:的)?([一二两三四五六七八九十几\d]{1,2})次")
_NTH = re.compile(r"第([二三四五六七八九十2-9])次")
_ASKED_FOR = re.compile(
    r"(?:有没有|有无|是否(?:有|存在)?|提到过?|提过|说过|记载过?|得过|患过|做过|有)(?:没有)?"
    r"(?P<term>[\u4e00-\u9fffA-Za-z0-9]{2,12}?)(?:的?(?:记录|记载|病史|史))?(?:吗|没有|没|过|呢|\?|$)"
)
_STATE = re.compile(r"(?<![最多偏有走])[低高](?:血[糖钾钠钙镁磷脂氨]|[钾钠钙镁磷]血症?)")
"""低血糖 is something that happens, and asks for no value."""

_LOW_OR_HIGH = re.compile(r"[低高]血?[糖钾钠钙镁磷](?:血症)?")
_TURNED = re.compile(r"纠正|恢复|补上|上来|下来|好转|改善")
"""低钠纠正了没 asks how the value went."""

_LEAD = re.compile(r"^(?:用|做|查|打|上|发生|出现|有)过?(?=..)")
_NO_TERM = re.compile(r"哪|什么|啥|多少|问题|几[个次天]|怎么")
GENERIC = re.compile(
    r"抗体|计数|百分比|检[测查]|培养|蛋白|细胞|抗原|阳性|阴性|结果|比值|酸|酶|[高低]"
)
_ALLERGENS = re.compile(
    r"磺胺|青霉素|头孢|碘|链霉素|海鲜|虾|蟹|芒果|破伤风|造影剂|普鲁卡因|鸡蛋|花生|酒精"
)


@cache
def _sections() -> list[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile(words)) for name, words, _ in table("sections.tsv")]


def read_slots(text: str, reading: RecordReading) -> Asked:
    """The slots of a question; its kind is not decided yet."""
    folded = written_out(text)
    calculator = ""
    if not _GENE.search(folded) and (found := named(folded)):
        calculator = found[0].key
        word = max(
            (w for w in found[0].wordings if w.casefold() in folded), key=len, default=""
        ).casefold()
        folded = folded.replace(word, "，" * len(word))
    turned = _TURNED.search(folded) is not None
    matches = [
        m
        for m in find_terms(folded)
        if not (turned and _LOW_OR_HIGH.fullmatch(folded, m.start, m.end))
    ]
    drugs, rest = _drugs(folded, reading)
    for match in matches:
        if match.kind is TermKind.TEST and folded[match.end : match.end + 1] != "药":
            # 促性腺激素 is a test: no steroid is asked for.
            width = match.end - match.start
            rest = rest[: match.start] + "，" * width + rest[match.end :]
    asked_classes = _classes(rest)
    tests = _tests(folded, matches, reading)
    terms = tuple(dict.fromkeys(folded[m.start : m.end] for m in matches if m.kind in _TERMS))
    known = {m.concept for m in matches} | set(terms)
    lay = tuple(term for words, term in _lay() if words.search(folded) and term not in known)
    lay += tuple(h[0] for h in _STATE.finditer(folded) if h[0] not in known and not turned)
    terms = (*terms, *lay)
    if lay:
        tests = tuple(t for t in tests if not _is_of(t, lay))
    if (
        not terms
        and not tests
        and not drugs
        and (hit := _ASKED_FOR.search(folded))
        and (not _NO_TERM.search(hit["term"]))
    ):
        terms = (_LEAD.sub("", hit["term"]),)
    day, bad = asked_day(folded, reading)
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
        period=None if day else period_of(folded, reading),
    )


def _is_of(test: str, terms: tuple[str, ...]) -> bool:
    """Whether a test was only read out of the words of a term: 血压 of 血压高的病史."""
    pairs = {("血压", "高血压"), ("血糖", "糖尿病")}
    return any((test, term) in pairs or (term[0] in "低高" and test == term[1:]) for term in terms)


@cache
def _lay() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(words), term) for words, term, _ in table("lay_terms.tsv")]


_IMAGING = re.compile(
    r"眼底|胃镜|肠镜|病理|培养|药敏|涂片|心电图|超声|造影|(?<![a-z])(?:ct|mri|mr)(?![a-z])|x线|x光|胸片|b超|彩超"
)


def _number(pattern: re.Pattern[str], folded: str) -> int | None:
    hit = pattern.search(folded)
    if hit is None:
        return None
    word = hit[1]
    if word.isdigit():
        return int(word) or None
    return CHINESE.get(word) or None


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
    if not found and not any(c.asked.search(rest) for c in classes()):
        # 氨氯地平 is in no list, and has the ending of a drug.
        for hit in known_drugs().find(rest):
            if shipped_test(rest[hit.start : hit.end]) is not None:
                continue
            found.append(drug_of(rest[hit.start : hit.end]))
            rest = rest[: hit.start] + "，" * (hit.end - hit.start) + rest[hit.end :]
    return tuple(dict.fromkeys(found)), rest


@cache
def known_drugs() -> DrugNames:
    """Drugs by their names and endings."""
    return drug_names(())


def _tests(folded: str, matches: Sequence[Match], reading: RecordReading) -> tuple[str, ...]:
    found: list[tuple[int, str]] = []
    taken = bytearray(len(folded) + 1)

    def claim(start: int, end: int, *names: str) -> None:
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.extend((start, name) for name in names)

    own = {fold(row.name): test_of(row.name) for row in reading.encounter.observations}
    # What is transfused is a product, and no count of cells.
    named: list[tuple[int, int, Sequence[str]]] = [
        (*hit.span("product"), []) for hit in _TRANSFUSED.finditer(folded)
    ]
    for pattern, tests, _ in wordings():
        named += [(hit.start(), hit.end(), tests) for hit in pattern.finditer(folded) if hit[0]]
    for name, test in {**{fold(test): test for test in own.values()}, **own}.items():
        edge = r"(?<![a-z0-9]){}(?![a-z0-9])" if name.isascii() else "{}"
        for hit in re.finditer(edge.format(re.escape(name)), folded) if len(name) >= 2 else ():
            named.append((hit.start(), hit.end(), [test]))
    for match in matches:
        if match.kind is TermKind.TEST:
            test = test_of(folded[match.start : match.end])
            named.append((match.start, match.end, [test]))
        elif match.kind in _TERMS:
            # 血小板减少 is a finding, and asks for no value.
            named.append((match.start, match.end, []))
    # The longest first: 糖化血红蛋白 is asked for, not the 血红蛋白 that its name ends with; of two
    # as long the table of wordings, which says what a group (肾功能) is.
    for start, end, names in sorted(named, key=lambda n: n[0] - n[1]):
        claim(start, end, *names)
    if not found:
        for name, test in own.items():
            common = _common(folded, name)
            at = folded.find(common)
            # 输血小板 is done, and asks for no count of platelets.
            if len(common) >= 3 and GENERIC.sub("", common) and not any(taken[at : at + 3]):
                found.append((at, test))
    return tuple(dict.fromkeys(test for _, test in sorted(found, key=lambda f: f[0])))


_TRANSFUSED = re.compile(
    r"输注?[了过]?[^，。？?]{0,8}?(?P<product>(?:悬浮)?红细胞|血小板|血浆|冷沉淀)"
)


def _common(one: str, two: str) -> str:
    """The longest text that both hold."""
    best = ""
    for start in range(len(two)):
        for end in range(start + len(best) + 1, len(two) + 1):
            if two[start:end] not in one:
                break
            best = two[start:end]
    return best
