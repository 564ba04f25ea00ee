"""Each statement → the sentences that support it, or the reasons why nothing does.

A statement is supported when (1) its wording is covered by at most a few sentences of the sources,
and (2) every hard fact in it, that is every number with its unit, date, drug, side and negation, is
found in a sentence that speaks of the same thing.  The checks are exact; there is no model here.
Sentences about earlier stays can be kept out, so that an old operation does not become part of this
stay's hospital course.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from assistant.chains.facts import (
    Quantity,
    Side,
    WrittenDate,
    bigrams,
    dates,
    negated_phrases,
    quantities,
    sides,
)
from assistant.chains.segments import Scope, Segment
from assistant.draft import Evidence, Problem, ProblemKind, Statement
from knowledge.finding import Finding, Polarity

FindingsOf = Callable[[str, str], list[Finding]]
"""(text, note id) → findings with polarity, as `knowledge.extraction` gives them."""

DrugsOf = Callable[[str], list[str]]
"""text → names of drugs in it."""

COVERAGE = 0.5
"""Share of a statement's bigrams that its supporting sentences must contain."""

MOST_EVIDENCE = 4


@dataclass(frozen=True)
class _Part:
    """A clause of a source: what stands between two commas."""

    text: str
    source: _Source

    @cached_property
    def bigrams(self) -> set[str]:
        return bigrams(self.text)

    @cached_property
    def sides(self) -> list[Side]:
        return sides(self.text)

    @cached_property
    def denied(self) -> set[str]:
        """Bigrams of what the clause denies."""
        return {b for n in negated_phrases(self.text) for b in bigrams(self.text[n.start :])}

    def denies(self, clause: str) -> bool:
        """Whether the beginning of what this clause denies stands in ``clause``."""
        return any(n.phrase[:2] in clause for n in negated_phrases(self.text))


@dataclass(frozen=True)
class _Source:
    segment: Segment
    findings_of: FindingsOf

    @cached_property
    def bigrams(self) -> set[str]:
        return bigrams(self.segment.text)

    @cached_property
    def quantities(self) -> list[Quantity]:
        return quantities(self.segment.text)

    @cached_property
    def findings(self) -> list[Finding]:
        return self.findings_of(self.segment.text, self.segment.note_id)

    @cached_property
    def parts(self) -> list[_Part]:
        return [_Part(t, self) for t in re.split(r"[，,：:]", self.segment.text) if t.strip()]

    @cached_property
    def is_plan(self) -> bool:
        """Whether the sentence says what is to be done, not what is."""
        return self.segment.section == "诊疗计划"

    @cached_property
    def dates(self) -> list[WrittenDate]:
        """Dates in the text, and the day on which it was written."""
        day = self.segment.written_on
        written = [WrittenDate(day.year, day.month, day.day, 0, 0)] if day else []
        return dates(self.segment.text) + written


@dataclass
class _Check:
    """Evidence and problems gathered for one statement."""

    used: list[_Source] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def use(self, source: _Source) -> None:
        if source not in self.used:
            self.used.append(source)

    def problem(self, kind: ProblemKind, text: str) -> None:
        found = Problem(kind=kind, text=text)
        if found not in self.problems:
            self.problems.append(found)


class Grounder:
    """Grounds statements in one record and, if given, in passages of the knowledge base."""

    def __init__(
        self,
        segments: Sequence[Segment],
        *,
        findings_of: FindingsOf,
        drugs_of: DrugsOf,
        sources: dict[str, str] | None = None,
        patient_names: Collection[str] = (),
    ) -> None:
        self._patient_names = frozenset(name for name in patient_names if name)
        self._sources = [_Source(s, findings_of) for s in segments]
        self._findings_of = findings_of
        self._drugs_of = drugs_of
        self._names = sources or {}

    def ground(
        self,
        statement_id: str,
        text: str,
        *,
        scopes: Collection[Scope] | None = None,
        coverage: float = COVERAGE,
    ) -> Statement:
        """Check one statement against the sentences whose scope is in ``scopes`` (None: all)."""
        allowed = [s for s in self._sources if scopes is None or s.segment.scope in scopes]
        check = self._check(text, allowed, coverage)
        if check.problems and scopes is not None:
            everything = self._check(text, self._sources, coverage)
            if not everything.problems:
                check = everything
                check.problems = [Problem(kind="earlier_stay", text=text)]
        return Statement(
            id=statement_id,
            text=text,
            status="unsupported" if check.problems else "supported",
            evidence=[self._evidence(s) for s in check.used[:MOST_EVIDENCE]],
            problems=check.problems,
        )

    def _evidence(self, source: _Source) -> Evidence:
        segment = source.segment
        if segment.scope is Scope.REFERENCE:
            name = self._names.get(segment.note_id, "")
            return Evidence(
                kind="knowledge", quote=segment.text, passage_id=segment.note_id, source=name
            )
        return Evidence(kind="record", quote=segment.text, span=segment.span)

    def _check(self, text: str, sources: Sequence[_Source], needed: float) -> _Check:
        check = _Check()
        self._check_quantities(text, sources, check)
        self._check_dates(text, sources, check)
        self._check_drugs(text, sources, check)
        self._check_patient(text, check)
        self._check_sides(text, sources, check)
        self._check_findings(text, sources, check)
        self._check_negation(text, sources, check)
        self._check_wording(text, sources, needed, check)
        return check

    def _check_quantities(self, text: str, sources: Sequence[_Source], check: _Check) -> None:
        """Each number must stand, with its unit, beside the same words in some sentence."""
        for quantity in quantities(text):
            clause = _clause(text, quantity.start, quantity.end)
            drugs = self._drugs_of(clause)
            same_value = [
                (s, q) for s in sources for q in s.quantities if _values_agree(quantity, q)
            ]
            same_unit = [(s, q) for s, q in same_value if _units_agree(quantity, q)]
            same = [s for s, q in same_unit if _places_agree(quantity, q)]
            near = _nearest(clause, same)
            written = text[quantity.start : quantity.end]
            if drugs and not any(d in s.segment.text for s in same for d in drugs):
                check.problem("dose", written)
            elif near is not None:
                check.use(near)
            elif same_value and not same_unit:
                check.problem("unit", written)
            else:
                check.problem("number", written)

    def _check_dates(self, text: str, sources: Sequence[_Source], check: _Check) -> None:
        for date in dates(text):
            same = [s for s in sources if any(date.agrees(d) for d in s.dates)]
            near = _nearest(_clause(text, date.start, date.end), same)
            if near is None:
                check.problem("date", text[date.start : date.end])
            else:
                check.use(near)

    def _check_drugs(self, text: str, sources: Sequence[_Source], check: _Check) -> None:
        for drug in self._drugs_of(text):
            holding = [s for s in sources if drug in s.segment.text]
            near = _nearest(text, holding) or (holding[0] if holding else None)
            if near is None:
                check.problem("drug", drug)
            else:
                check.use(near)

    def _check_patient(self, text: str, check: _Check) -> None:
        """A name after 患者 that is not this patient's, where this patient's is known."""
        for match in _NAMED.finditer(text):
            if self._patient_names and match[1] not in self._patient_names:
                check.problem("wrong_patient", match[1])

    def _check_sides(self, text: str, sources: Sequence[_Source], check: _Check) -> None:
        """The clause that is most like the statement's must have the same side of the same part."""
        for side in sides(text):
            clause = _Like(text, _clause(text, side.start, side.end))
            with_part = [
                (part, other)
                for source in sources
                for part in source.parts
                for other in part.sides
                if not side.part or other.part[:1] == side.part[:1]
            ]
            same = [part for part, other in with_part if other.side == side.side]
            opposite = [part for part, other in with_part if other.side != side.side]
            if not same or clause.best(same) < clause.best(opposite):
                check.problem("laterality", text[side.start : side.end])
            else:
                check.use(max(same, key=clause.score).source)

    def _check_findings(self, text: str, sources: Sequence[_Source], check: _Check) -> None:
        """The sentence about the concept that is most like the clause must agree in polarity."""
        for finding in self._findings_of(text, "statement"):
            if finding.experiencer != "patient":
                continue
            wanted = bigrams(_clause(text, finding.span.start, finding.span.end))
            same = [
                (s, f)
                for s in sources
                if not s.is_plan
                for f in s.findings
                if f.concept == finding.concept and f.experiencer == "patient"
            ]
            agreeing = [s for s, f in same if f.polarity is finding.polarity]
            contrary = [s for s, f in same if f.polarity is not finding.polarity]
            if agreeing and _likeness(wanted, agreeing) >= _likeness(wanted, contrary):
                check.use(max(agreeing, key=lambda s: len(wanted & s.bigrams)))
            elif same or finding.polarity is Polarity.ABSENT:
                check.problem("negation", finding.text)

    def _check_negation(self, text: str, sources: Sequence[_Source], check: _Check) -> None:
        """What the statement denies, the clause that is most like it must deny too, and the other
        way round: what that clause denies, the statement must not assert."""
        everything = [part for source in sources for part in source.parts]
        parts = [part for part in everything if not part.source.is_plan]
        for start, end in _clauses(text):
            clause = text[start:end]
            like = _Like(text, clause)
            denied = negated_phrases(clause)
            for negated in denied:
                phrase = bigrams(negated.phrase) or {negated.phrase}
                short = len(negated.phrase) == 1
                about = [
                    part
                    for part in parts
                    if phrase & part.bigrams or (short and negated.phrase in part.text)
                ]
                best = like.best(about)
                denying = [
                    p
                    for p in about
                    if like.score(p) == best
                    and (phrase & p.denied or (short and p.denies(negated.phrase)))
                ]
                if denying:
                    check.use(denying[0].source)
                else:
                    check.problem("negation", clause[negated.start : negated.end])
            if not denied and len(like.clause) > 1:
                best = like.best(everything)
                alike = [p for p in everything if like.score(p) == best]
                if alike and all(p.denies(clause) for p in alike):
                    check.problem("negation", clause)

    def _check_wording(
        self, text: str, sources: Sequence[_Source], needed: float, check: _Check
    ) -> None:
        wanted = bigrams(text)
        if not wanted:
            return
        covered = {b for s in check.used for b in wanted & s.bigrams}
        least = max(2, round(0.08 * len(wanted)))
        while len(check.used) < MOST_EVIDENCE:
            best = max(sources, key=lambda s: len(wanted & s.bigrams - covered), default=None)
            if best is None:
                break
            gain = wanted & best.bigrams - covered
            if len(gain) < min(least, len(wanted)):
                break
            check.use(best)
            covered |= gain
        if len(covered) < needed * len(wanted):
            check.problem("no_evidence", text)


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏"
    "吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严"
    "覃武戴莫孔向汤"
)
_NAMED = re.compile(rf"患[者儿]([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=[，,、（(]|于|因)")


class _Like:
    """How like a clause of a source is to a clause of a statement.

    Shared bigrams with the clause count once, and those of its sentence with the statement's whole
    sentence again, so that the same finding in another examination does not win.
    """

    def __init__(self, text: str, clause: str) -> None:
        self.sentence = bigrams(text)
        self.clause = bigrams(clause)

    def score(self, part: _Part) -> int:
        return len(self.clause & part.bigrams) + len(self.sentence & part.source.bigrams)

    def best(self, parts: Sequence[_Part]) -> int:
        return max((self.score(part) for part in parts), default=-1)


def _clauses(text: str) -> list[tuple[int, int]]:
    return [(m.start(), m.end()) for m in re.finditer(r"[^，,。；;：:\n]+", text)]


def _likeness(wanted: set[str], sources: Sequence[_Source]) -> int:
    """Bigrams of ``wanted`` in the source that has most of them; -1 without sources."""
    return max((len(wanted & s.bigrams) for s in sources), default=-1)


def _clause(text: str, start: int, end: int) -> str:
    """The part of the sentence between the commas around ``[start, end)``."""
    left = max(text.rfind(mark, 0, start) for mark in "，。；;\n")
    rights = [text.find(mark, end) for mark in "，。；;\n"]
    right = min((r for r in rights if r >= 0), default=len(text))
    return text[left + 1 : right]


def _values_agree(wanted: Quantity, written: Quantity) -> bool:
    """The same number, or one number of a compound (160 of 160/95)."""
    return wanted.value == written.value or (
        len(wanted.parts) == 1 and wanted.value in written.parts
    )


def _places_agree(wanted: Quantity, written: Quantity) -> bool:
    """Whether both numbers stand beside a word that they share; a number alone stands anywhere."""
    return not wanted.near or not written.near or bool(wanted.near & written.near)


def _units_agree(wanted: Quantity, written: Quantity) -> bool:
    if wanted.unit == written.unit:
        return True
    return not wanted.unit and written.unit in {"", "次", "次/分", "mmHg"}


def _nearest(text: str, sources: Sequence[_Source]) -> _Source | None:
    """The source that shares most wording with ``text``; None when none shares any.

    A clause with no content of its own (a bare number) is satisfied by any source.
    """
    wanted = bigrams(text)
    if not sources:
        return None
    best = max(sources, key=lambda s: len(wanted & s.bigrams))
    if wanted and not wanted & best.bigrams:
        return None
    return best
