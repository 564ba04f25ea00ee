"""Names of procedures, names in Latin letters, what is called normal: as the record has them."""

from __future__ import annotations

import re
from itertools import pairwise

from assistant.grounding.check import Check
from assistant.grounding.measuring import tests_of
from assistant.grounding.wording import bigrams, pairs_of, telling
from knowledge.text.dates import dates
from knowledge.text.folding import fold
from knowledge.text.frequency import frequencies
from knowledge.text.route import routes
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms

_NAME = re.compile(r"(?<![a-z0-9])[a-z][a-z-]*[a-z](?![a-z])")
_SHORTEST = 3
_MOST = 0.6
"""Share of the words of a procedure's name that one sentence must have."""
_NORMAL_BEHIND = re.compile(r"(?:复查|水平|结果){0,2}(?:均|都|大致|基本|已|恢复|在|为|示){0,3}正常")
_SAYS_NORMAL = re.compile(r"正常|未见异常|无异常|阴性|[（(]-[)）]")
_ALL_NORMAL = re.compile(r"(?:均|都|皆|其余|余)[^，,。]{0,4}正常")


def check_latin_names(check: Check) -> None:
    """PTCD后好转 is not told by ERCP后好转: a name in letters must stand in the record, be it by
    another wording of the same term.  Units, routes and frequencies are for their own checks."""
    folded = fold(check.text)
    known = [(m.name_start, m.quantity.tail or m.quantity.end) for m in check.said.measured]
    known += [(often.start, often.end) for often in frequencies(check.text)]
    known += [(way.start, way.end) for way in routes(check.text)]
    known += [(date.start, date.end) for date in dates(check.text)]
    known += [*check.taken, *check.verified, *check.named]
    written = fold("\n".join(s.text for s in check.sources))
    for name in _NAME.finditer(folded):
        if name.end() - name.start() < _SHORTEST or name[0] in written:
            continue
        if any(a <= name.start() < b for a, b in known):
            continue
        if not _is_known_otherwise(check, name.start(), name.end()):
            check.problem("no_evidence", check.text[name.start() : name.end()])


def check_procedures(check: Check) -> None:
    """腹腔镜胆囊切除术 is not told by 腹腔镜阑尾切除术 and another sentence's 胆囊: the name of a
    procedure must stand in one sentence, by most of its words or by another wording."""
    # 雾化吸入 is the route of a drug, which has a check of its own.
    ways = [(way.start, way.end) for way in routes(check.text)]
    for term in find_terms(check.text):
        if any(a < term.end and term.start < b for a, b in ways):
            continue
        # 根治手术后 is 根治术后.
        named = check.text[term.start : term.end].replace("手术", "术")
        words = pairs_of(telling(named))
        if term.kind is not TermKind.PROCEDURE or len(words) < _SHORTEST:
            continue
        best = max((len(words & s.bigrams) for s in check.sources), default=0)
        if best < _MOST * len(words) and term.concept not in _concepts(check):
            check.problem("no_evidence", check.text[term.start : term.end])


def check_normal(check: Check) -> None:
    """甲胎蛋白正常 must be said of it, not of what stands beside it."""
    folded = fold(check.text)
    for test in tests_of(check.text):
        if not _NORMAL_BEHIND.match(folded, test.end) or check.is_computed(test.start):
            continue
        told = [
            (s, s.clause_of(t.start))
            for s in check.sources
            for t in tests_of(s.text)
            if t.concept == test.concept
        ]
        if told and not any(
            (clause and _SAYS_NORMAL.search(clause.text)) or _ALL_NORMAL.search(source.text)
            for source, clause in told
        ):
            check.problem("no_evidence", check.text[test.start : test.end])


def _is_known_otherwise(check: Check, start: int, end: int) -> bool:
    """Whether the record has the term that the name is of, by another wording, or writes it out as
    the words that abbreviations stand for do."""
    concepts = {t.concept for t in find_terms(check.text) if t.start < end and start < t.end}
    concepts |= {
        f.concept for f in check.said.findings if f.span.start < end and start < f.span.end
    }
    if concepts & _concepts(check):
        return True
    meant = bigrams(check.text[start:end])
    plain = {pair for pair in meant if not pair.isascii()}
    return bool(plain) and any(plain <= c.bigrams for c in check.clauses)


def _concepts(check: Check) -> set[str]:
    found = {t.concept for s in check.sources for t in find_terms(s.text)}
    return found | {f.concept for s in check.sources for f in s.findings}


_BOUND = (
    re.compile(r"(?<![a-z])(?:ab|[abo])型(?!肝炎|流感|主动脉|夹层|性格)"),
    re.compile(r"[深浅]?[Ⅰ-Ⅳⅰ-ⅳ]度"),
)


def check_bound_grades(check: Check) -> None:
    """A blood group or a degree of a burn must stand in the clause of the record that is most like
    the statement's: 供者A型，受者AB型."""
    for clause in check.said.clauses:
        for pattern in _BOUND:
            hit = pattern.search(fold(clause.text))
            if hit is None:
                continue
            # 面部为深Ⅱ度烧伤: what stands before the grade says of what it is.
            words = _pairs(clause.text[: hit.start()]) or _pairs(clause.text.replace(hit[0], ""))
            told = [(c, m[0]) for c in check.clauses if (m := pattern.search(fold(c.text)))]
            alike = max((len(words & _pairs(c.text)) for c, _ in told), default=0)
            if not any(g == hit[0] and len(words & _pairs(c.text)) == alike for c, g in told):
                check.problem("no_evidence", clause.text)


_LEVEL = re.compile(
    r"(?<![a-z0-9])[ctl]\d{1,2}(?:[-~/][ctls]?\d{1,2})?(?![\dh]|细胞|加权|信号|[高低等]信号)"
)
_SPINE = re.compile(r"椎|髓核|骨折|突出|膨出|压缩|滑脱|节段|棘突")
_PART = re.compile(r"[^，,。；;\n]+")


def is_level(text: str, at: int) -> bool:
    """Whether the number at ``at`` is of a level of the spine: L4/5髓核摘除."""
    hit = _LEVEL.match(fold(text), max(0, at - 1))
    return hit is not None and _SPINE.search(text, hit.end(), hit.end() + 8) is not None


def check_levels(check: Check) -> None:
    """L1压缩性骨折，T12正常 tells of no fracture of T12: a level of the spine must stand in the
    part of the record that is most like the statement's."""
    if not _LEVEL.search(fold(check.text)):
        return
    parts = [p for s in check.sources for p in _PART.findall(s.text) if _LEVEL.search(fold(p))]
    if not parts:
        return
    for said in _PART.findall(check.text):
        if not _SPINE.search(said) or not (levels := set(_LEVEL.findall(fold(said)))):
            continue
        words = _pairs(said)
        alike = max(len(words & _pairs(p)) for p in parts)
        told = {
            level
            for p in parts
            if len(words & _pairs(p)) == alike
            for level in _LEVEL.findall(fold(p))
        }
        if not levels <= told:
            check.problem("no_evidence", said)


def _pairs(text: str) -> set[str]:
    """All pairs of Chinese characters: 受者 and 供者 count here."""
    return {a + b for a, b in pairwise(text) if min(a, b) >= "\u4e00"}
