"""A text with its clauses and facts, read once: a sentence of the record, or a statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from assistant.grounding.dated import Dated, date_groups
from assistant.grounding.denials import Denied, denials
from assistant.grounding.drug_course import with_course
from assistant.grounding.examinations import Result, heading, results
from assistant.grounding.measured import Measured
from assistant.grounding.measuring import measured
from assistant.grounding.opposites import denied_words
from assistant.grounding.segments import Segment
from assistant.grounding.sides import Side, sides
from assistant.grounding.signs import Sign, signs
from assistant.grounding.spelling import spelled
from assistant.grounding.stance import clause_stances, stances, without_stances
from assistant.grounding.trends import Trend, trends
from assistant.grounding.wording import bigrams, pairs_of, runs, telling
from knowledge.text.dates import WrittenDate, dates
from knowledge.text.drugs import DrugNames
from knowledge.text.finding import Finding
from knowledge.text.frequency import Frequency, frequencies
from knowledge.text.regimen import Regimen
from knowledge.text.regimens import regimens
from knowledge.text.route import Route, routes

FindingsOf = Callable[[str, str], list[Finding]]
"""(text, note id) → findings with polarity, as `knowledge.text.extraction` gives them."""

_CLAUSE = re.compile(r"(?:(?<=\d)[,，](?=\d{3}(?!\d))|[^，,。；;：:\n])+")


_ANSWERED = re.compile(r"[：:]\s*(?:无|否|没有|否认|未做|（-）|\(-\))\s*(?=[，,。；;、\n]|$)")


def clause_ranges(text: str) -> list[tuple[int, int]]:
    """Half-open ranges of the clauses of a text; the comma of 12,500 ends none."""
    return [(m.start(), m.end()) for m in _CLAUSE.finditer(text) if m[0].strip()]


def clause_at(text: str, start: int) -> str:
    """The clause that holds the offset ``start``."""
    return next((text[a:b] for a, b in clause_ranges(text) if a <= start < b), text)


_SHORT = "癌瘤痛痒咳喘"
"""Findings of one character: 切缘未见癌."""


@dataclass(frozen=True, eq=False)
class Clause:
    """What stands between two commas, with how it is meant."""

    text: str
    start: int
    stances: frozenset[str]
    source: Reading

    @cached_property
    def own_stances(self) -> frozenset[str]:
        """Those of its own words; `stances` has what reaches it from other clauses as well."""
        return stances(self.text)

    @cached_property
    def bigrams(self) -> set[str]:
        """Pairs of content characters."""
        return bigrams(self.text)

    @cached_property
    def telling(self) -> set[str]:
        """Pairs of content characters without ordinary words."""
        return pairs_of(telling(self.text))

    @cached_property
    def characters(self) -> set[str]:
        """Its content characters."""
        return set("".join(runs(self.text)))

    @cached_property
    def matter(self) -> set[str]:
        """Pairs of content characters without the words of its stances."""
        return pairs_of(telling(without_stances(self.text)))

    @cached_property
    def sides(self) -> list[Side]:
        """Left, right and both."""
        return sides(self.text)

    @cached_property
    def denials(self) -> list[Denied]:
        """What the clause denies; 输血史：无 is answered behind its colon."""
        end = self.start + len(self.text)
        found = [d.within(self.start) for d in self.source.denials if self.start <= d.start < end]
        if not found and _ANSWERED.match(self.source.text, self.start + len(self.text)):
            found = [Denied(self.text, 0, 0, len(self.text))]
        return found

    @cached_property
    def affirmed(self) -> str:
        """The clause with blanks where it denies; the length stays."""
        kept = list(self.text)
        for denied in self.denials:
            begin = min(denied.cue, denied.start)
            kept[begin : denied.end] = " " * (denied.end - begin)
        return "".join(kept)

    @cached_property
    def only_denied(self) -> set[str]:
        """What it denies by its words and in lists: 渗液 of 无渗血渗液, 治愈 of 未治愈."""
        items = {d.text for d in self.denials if len(d.text) > 1}
        halves = {item[-2:] for item in items if len(item) == 2 * len(item[-2:])}
        return items | halves | set(denied_words(self.text))

    @cached_property
    def denied(self) -> set[str]:
        """Bigrams of what the clause denies."""
        return {b for d in self.denials for b in bigrams(d.text)}

    def denies(self, words: str) -> bool:
        """Whether something that this clause denies, and nowhere affirms, stands in ``words``."""
        return any(
            (len(d.text) > 1 or d.text in _SHORT) and d.text[:2] in words
            and d.text not in self.affirmed for d in self.denials
        )  # fmt: skip


class Reading:
    """A text with its clauses and facts, each read when it is first asked for."""

    carried: WrittenDate | None = None
    """The date of a sentence that has none of its own."""

    def __init__(self, text: str, drug_names: DrugNames, findings: Sequence[Finding]) -> None:
        self.text = text
        self._found = findings
        self._drug_names = drug_names

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """Findings with polarity; their offsets are those of the text."""
        return self._found

    @cached_property
    def bigrams(self) -> set[str]:
        """Pairs of content characters."""
        return bigrams(self.text)

    @cached_property
    def clauses(self) -> list[Clause]:
        """The clauses in their order."""
        ranges = clause_ranges(self.text)
        meant = clause_stances(self.text, ranges)
        pairs = zip(ranges, meant, strict=True)
        return [Clause(self.text[a:b], a, found, self) for (a, b), found in pairs]

    @cached_property
    def denials(self) -> list[Denied]:
        """What the text denies, lists over commas included."""
        return denials(self.text)

    def clause_of(self, start: int) -> Clause | None:
        """The clause that holds the offset ``start``."""
        return next((c for c in reversed(self.clauses) if c.start <= start), None)

    def stances_at(self, start: int) -> frozenset[str]:
        """How what stands at ``start`` is meant."""
        clause = self.clause_of(start)
        return clause.stances if clause else frozenset()

    @cached_property
    def regimens(self) -> list[Regimen]:
        """The drugs that are named, each with what is said of it."""
        found = regimens(self.text, self._drug_names.find(self.text))
        return with_course(self.text, found)

    @cached_property
    def measured(self) -> list[Measured]:
        """Every quantity, with what it is of."""
        return measured(self.text)

    @cached_property
    def uses(self) -> set[str]:
        """Every route and frequency, whatever it is of."""
        found: list[Route | Frequency] = [*routes(self.text), *frequencies(self.text)]
        return {use.value for use in found}

    @cached_property
    def trends(self) -> list[Trend]:
        """What rose and what fell."""
        return trends(self.text)

    @cached_property
    def signs(self) -> list[Sign]:
        """What was positive and what negative."""
        return signs(self.text)

    def day_of(self, at: int) -> WrittenDate | None:
        """The date of what stands at ``at``: in its clause, or the last before it."""
        clause = self.clause_of(at)
        found = dates(self.text)
        if clause is not None:
            end = clause.start + len(clause.text)
            own = [d for d in found if clause.start <= d.start < end]
            if own:
                return max((d for d in own if d.start < at), key=lambda d: d.start, default=own[0])
        before = [d for d in found if d.end <= at]
        return before[-1] if before else self.carried

    @cached_property
    def results(self) -> list[Result]:
        """What examinations showed, and what is told without one."""
        return results(self.text)

    @cached_property
    def dated(self) -> list[Dated]:
        """The dates, each with its words."""
        return [Dated(date, words) for group, words in date_groups(self.text) for date in group]


class Source(Reading):
    """One sentence of the record or of a passage, which may support a statement."""

    def __init__(
        self,
        segment: Segment,
        findings_of: FindingsOf,
        drug_names: DrugNames,
        goes_on: str = "",
        carried: WrittenDate | None = None,
    ) -> None:
        """``goes_on`` is the next sentence, where it says more of the same drug; ``carried`` is
        the date that a sentence before it leads with."""
        super().__init__(spelled(segment.text).text, drug_names, [])
        self.carried = carried
        self.segment = segment
        self._findings_of = findings_of
        self._goes_on = spelled(goes_on).text

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """Findings of the sentence, read under its section's heading; offsets are its own."""
        section, text = self.segment.section, self.text
        heading = f"{section}：" if section and not text.startswith(section) else ""
        found = self._findings_of(heading + text, self.segment.note_id)
        shift = len(heading)
        kept = [f for f in found if f.span.start >= shift]
        return [f.model_copy(update={"span": f.span.shifted(-shift)}) for f in kept]

    @cached_property
    def regimens(self) -> list[Regimen]:
        """As `Reading.regimens`, and what the next sentence changes of them."""
        text = f"{self.text}，{self._goes_on}" if self._goes_on else self.text
        found = regimens(text, self._drug_names.find(self.text))
        return with_course(text, found)

    @cached_property
    def results(self) -> list[Result]:
        """As `Reading.results`; what stands in a list of diagnoses is of that list."""
        first = heading(self.segment.section)
        return [replace(r, examinations=r.examinations or first) for r in super().results]

    @cached_property
    def is_plan(self) -> bool:
        """Whether the sentence says what is to be done, not what is."""
        return self.segment.section == "诊疗计划"

    @cached_property
    def dated(self) -> list[Dated]:
        """Dates in the text; where it has none, the one carried to it, else the day on which it
        was written."""
        found, day = super().dated, self.segment.written_on
        if not found and self.carried is not None:
            return [Dated(self.carried, self.bigrams)]
        if not found and day:
            return [Dated(WrittenDate(day.year, day.month, day.day, 0, 0), self.bigrams)]
        return found
