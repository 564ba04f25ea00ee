"""Each statement → the sentences that support it, or the reasons why nothing does.

A statement is supported when every clause of it is covered by the wording of some sentence, and
every hard fact in it (numbers with units, dates, drugs with dose, route and frequency, sides,
negation, signs of markers) stands in a sentence that speaks of the same thing and means it the same
way: not denied, doubted, planned, refused, of a relative, or of an earlier stay.  The checks are
exact; there is no model here.  Where they cannot tell, the statement is unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from assistant.draft import Problem, Statement
from assistant.grounding.carried import carried
from assistant.grounding.check import Check
from assistant.grounding.checks import CHECKS
from assistant.grounding.clauses import Time, Writing, timed_parts
from assistant.grounding.known_findings import with_shipped
from assistant.grounding.segments import Scope, Segment
from assistant.grounding.source import FindingsOf, Reading, Source
from assistant.grounding.spelling import spelled
from assistant.record.evidence import CitedPassage, Evidence, TextSpan
from knowledge.text.drugs import DrugNames
from knowledge.text.regimen_tokens import cue_rows

COVERAGE = 0.5
"""Share of a clause's bigrams that the supporting sentences must contain, at least."""

MOST_EVIDENCE = 5


_OF_STAY = re.compile(
    r"[本此这]次(?!发病|起病|加重|症状|(?:入院|住院|就诊|来院)(?:前|以来))|住院期间|入院后"
)
"""A statement that says so is not told by an earlier stay."""

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}年")
_CHANGES = re.compile(
    r"[^，,。；;]{0,8}(?:"
    + "|".join(row[1] for row in cue_rows() if row[0] in ("change", "stop"))
    + ")"
)


class Grounder:
    """Grounds statements in one record and, if given, in passages of the knowledge base."""

    def __init__(
        self,
        segments: Sequence[Segment],
        *,
        findings_of: FindingsOf,
        drugs_of: DrugNames,
        sources: dict[str, str] | None = None,
        patient_names: Collection[str] = (),
        patient_sex: str | None = None,
    ) -> None:
        """``sources`` names the source of each passage id; the patient's name and sex, where they
        are known, let a statement about somebody else be recognised."""
        findings_of = with_shipped(findings_of)
        self._sources = [
            Source(segment, findings_of, drugs_of, _goes_on(segments, number, drugs_of), day)
            for number, (segment, day) in enumerate(zip(segments, carried(segments), strict=True))
        ]
        self._findings_of = findings_of
        self._drugs = drugs_of
        self._names = sources or {}
        self._patient_names = frozenset(name for name in patient_names if name)
        self._patient_sex = patient_sex

    def ground(
        self,
        statement_id: str,
        text: str,
        *,
        scopes: Collection[Scope] | None = None,
        coverage: float = COVERAGE,
    ) -> Statement:
        """Check one statement against the sentences whose scope is in ``scopes`` (None: all)."""
        one = spelled(text)
        said = Reading(one.text, self._drugs, self._findings_of(one.text, "statement"))
        if scopes is None and _OF_STAY.search(text) and not _tells_of_earlier(text):
            scopes = set(Scope) - {Scope.PRIOR}
        allowed = [s for s in self._sources if scopes is None or s.segment.scope in scopes]
        check = self._check(said, allowed, coverage)
        if check.problems and len(allowed) < len(self._sources):
            everything = self._check(said, self._sources, coverage)
            if not everything.problems:
                check = everything
                check.problems = [Problem(kind="earlier_stay", text=text)]
        return Statement(
            id=statement_id,
            text=text,
            status="unsupported" if check.problems else "supported",
            evidence=[self._evidence(s) for s in check.used[:MOST_EVIDENCE]],
            problems=[p.model_copy(update={"text": one.written(p.text)}) for p in check.problems],
        )

    def _check(self, said: Reading, sources: Sequence[Source], coverage: float) -> Check:
        check = Check(
            said=said,
            sources=sources,
            coverage=coverage,
            patient_names=self._patient_names,
            patient_sex=self._patient_sex,
        )
        for verify in CHECKS:
            verify(check)
        if not check.used and not check.problems:
            check.problem("no_evidence", said.text)
        return check

    def _evidence(self, source: Source) -> Evidence:
        segment = source.segment
        if segment.scope is Scope.REFERENCE:
            name = self._names.get(segment.note_id, "")
            return CitedPassage(quote=segment.text, passage_id=segment.note_id, source=name)
        return TextSpan.at(segment.span, segment.text)


def _tells_of_earlier(text: str) -> bool:
    """Whether a part of it is of an earlier time: 2018年做过左侧疝修补，此次行右侧."""
    times = {time for _, _, time in timed_parts(text, Writing(None, None, opening=True))}
    return Time.EARLIER in times or _YEAR.search(text) is not None


def _goes_on(segments: Sequence[Segment], number: int, drugs: DrugNames) -> str:
    """The next sentence where it only changes or stops the one drug that this one names."""
    following = segments[number + 1] if number + 1 < len(segments) else None
    if following is None or following.note_id != segments[number].note_id:
        return ""
    if not _CHANGES.match(following.text) or drugs.find(following.text):
        return ""
    return following.text if len(drugs.find(segments[number].text)) == 1 else ""
