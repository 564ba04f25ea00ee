"""Assertion status of terms in a Chinese note: denied, doubted, past, of the family.

A rule system in the tradition of NegEx and ConText (Chapman et al. 2001; Harkema et al. 2009): cue
words open a scope, the end of a clause or a turn of phrase closes it.  Chinese notes deny whole
lists at a time (无发热、咳嗽及胸痛), so a scope covers the list, and a bare list after a comma.
Where the text is ambiguous the rule is the cautious one: what may have been denied is not asserted.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.text.assertion import cues
from knowledge.text.assertion.form_answers import read_answers
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

# How many characters a cue of doubt, time or family reaches in a sentence without an end.
_REACH = 500


@dataclass
class Assertion:
    """How one term is meant."""

    polarity: Polarity = Polarity.PRESENT
    certainty: Certainty = Certainty.CERTAIN
    temporality: Temporality = Temporality.CURRENT
    experiencer: Experiencer = Experiencer.PATIENT


@dataclass(frozen=True)
class _Part:
    start: int
    end: int


def _split(text: str, start: int, end: int, mark: re.Pattern[str]) -> list[_Part]:
    parts, position = [], start
    for hit in mark.finditer(text, start, end):
        parts.append(_Part(position, hit.end()))
        position = hit.end()
    if position < end:
        parts.append(_Part(position, end))
    return parts


def assert_terms(text: str, matches: Sequence[Match]) -> list[Assertion]:
    """The assertion of each of ``matches`` (in text order, not overlapping) in ``text``."""
    return _Reading(fold(text), list(matches)).run()


class _Reading:
    """One pass over one text."""

    def __init__(self, text: str, matches: list[Match]) -> None:
        self.text = text
        self.matches = matches
        self.starts = [match.start for match in matches]
        self.result = [
            Assertion(Polarity.ABSENT if match.denied else Polarity.PRESENT) for match in matches
        ]
        self.answers = read_answers(text, matches)
        self.blocked = self._blocked()
        self._open: str | None = None
        patient = cues.PATIENT_NAMED.search(text)
        self.named = patient.end() if patient else None
        self.turns = self._free(cues.TURN)
        self.haves = self._free(cues.TURN_HAVE)

    def run(self) -> list[Assertion]:
        for part in _split(self.text, 0, len(self.text), cues.SENTENCE_END):
            self._deny(part)
            self._doubt(part)
            self._date(part)
            self._suppose(part)
            self._relate(part)
        self._read_sections()
        self._exclude()
        for index, present in self.answers.present.items():
            self.result[index].polarity = Polarity.PRESENT if present else Polarity.ABSENT
        for index in self.answers.open:
            self.result[index].certainty = Certainty.UNCERTAIN
        return self.result

    def _blocked(self) -> bytearray:
        """Characters that cannot begin a cue: in a term, or in a wording that denies nothing."""
        blocked = bytearray(len(self.text))
        for match in self.matches:
            blocked[match.start : match.end] = b"\1" * (match.end - match.start)
        for pattern in (cues.PSEUDO_NEGATION, cues.DOUBTED_DENIAL):
            for hit in pattern.finditer(self.text):
                # 无痛性 is an idiom, 无痛 before a term that begins inside it is a denial.
                if not self._inside(hit.start() + 1, hit.end()):
                    blocked[hit.start() : hit.end()] = b"\1" * (hit.end() - hit.start())
        for hit in cues.IDIOM.finditer(self.text):
            blocked[hit.start() : hit.end()] = b"\1" * (hit.end() - hit.start())
        return bytearray(map(max, blocked, self.answers.taken))

    def _free(self, pattern: re.Pattern[str]) -> list[int]:
        return [h.start() for h in pattern.finditer(self.text) if not self.blocked[h.start()]]

    def _inside(self, start: int, end: int) -> range:
        """Numbers of the terms that begin in ``[start, end)``."""
        return range(bisect_left(self.starts, start), bisect_left(self.starts, end))

    def _next_term(self, start: int, end: int) -> int:
        inside = self._inside(start, end)
        return self.starts[inside[0]] if inside else end

    # -- polarity ------------------------------------------------------------------------------

    def _deny(self, sentence: _Part) -> None:
        words = self.text[sentence.start : sentence.end]
        before = self.text[max(0, sentence.start - 1) : sentence.start]
        if before + words == "\r\n":
            return
        clauses = _split(self.text, sentence.start, sentence.end, cues.CLAUSE_END)
        # 否认高血压；糖尿病。 and 无：发热；咳嗽。 are one list, 无发热；咳嗽。 are two statements.
        # 否认：↵高血压↵糖尿病 is a list, one a line, up to a line that is none.
        by_line = self._open is not None and "\n" in self._open
        carried = self._open if before == ";" or (by_line and words.strip()) else None
        if carried and ":" not in carried and not self._names_diseases(clauses[0]):
            carried = None
        opened: str | None = None
        doubted: list[int] = []
        for clause in clauses:
            if carried and self._is_bare_list(clause, carried):
                listed = self._inside(clause.start, clause.end)
                again = [index for index in listed if self._is_named_again(index, sentence.start)]
                if cues.LOOKED.search(carried):
                    doubted += listed
                else:
                    doubted += again
                    self._deny_all([index for index in listed if index not in again])
            else:
                carried = None
            opened = self._deny_after_cues(clause)
            carried = opened or carried
            # 未见明显异常 is complete: the next clause is another finding.
            if cues.COMPLETE.search(self.text, clause.start, clause.end):
                carried = None
            self._deny_before_cues(clause)
        # 未见皮疹，黄疸: denied with the rash, or another finding; who reads must see it.
        for index in doubted:
            if self.result[index].polarity is Polarity.PRESENT:
                self.result[index].certainty = Certainty.UNCERTAIN
        last = clauses and self._inside(clauses[-1].start, clauses[-1].end)
        goes_on = carried and last and ("否认" in carried or ":" in carried)
        self._open = carried if goes_on else None
        if carried and opened and words.rstrip().endswith(":"):
            self._open = f"{carried}:\n"

    def _names_diseases(self, clause: _Part) -> bool:
        inside = self._inside(clause.start, clause.end)
        return bool(inside) and all(self.matches[i].kind is TermKind.DISEASE for i in inside)

    def _deny_all(self, indices: Sequence[int]) -> None:
        for index in indices:
            self.result[index].polarity = Polarity.ABSENT

    def _deny_after_cues(self, clause: _Part) -> str | None:
        """Apply the cues of a clause; the cue whose scope is still open at its end, if any."""
        still_open: str | None = None
        position = done = clause.start
        while position < clause.end:
            if self.blocked[position]:
                opened = self._denying_term(position)
                if opened is not None:
                    end, closed = self._scope_end(opened, clause)
                    self._deny_all(self._inside(position + 1, end))
                    still_open = still_open if closed else opened.group()
                position += 1
                continue
            # A cue ends where the next term begins (不发烧 is 不 + 发烧).
            limit = self._next_term(position, clause.end)
            hit = cues.LIST_NEGATION.match(self.text, position, limit)
            if hit and self._reaches(hit):
                end, closed = self._scope_end(hit, clause)
                self._deny_all(self._inside(max(hit.end(), done), end))
                done = max(done, end)
                still_open = None if closed or "没" in hit.group() else hit.group()
                if still_open and self.text.startswith(":", hit.end()):
                    still_open += ":"
                position = max(hit.end(), position + 1)
                continue
            near = cues.NEAR_NEGATION.match(self.text, position, limit)
            if near:
                self._deny_all(self._list_from(near.end(), clause.end))
            position += 1
        return still_open

    def _denying_term(self, position: int) -> re.Match[str] | None:
        """The cue that begins a term which denies by itself (未闻及干湿啰音), if any."""
        number = bisect_left(self.starts, position)
        if number == len(self.starts) or self.starts[number] != position:
            return None
        match = self.matches[number]
        hit = cues.LIST_NEGATION.match(self.text, position, match.end)
        return hit if match.denied and hit and "没" not in hit.group() else None

    def _reaches(self, hit: re.Match[str]) -> bool:
        """Whether a colloquial 没有 is about a term at all (没有吃药以后咳嗽 is not)."""
        if "没" not in hit.group() and not hit.group().startswith("不"):
            return True
        return bool(self._inside(hit.end(), hit.end() + 6))

    def _scope_end(self, hit: re.Match[str], clause: _Part) -> tuple[int, bool]:
        """Where the scope of a cue ends in its clause, and whether a turn of phrase closed it."""
        turns = [self.turns]
        if "否认" not in hit.group() and "发现" not in hit.group():
            turns.append(self.haves)
        ends = []
        for starts in turns:
            number = bisect_left(starts, hit.end())
            if number < len(starts) and starts[number] < clause.end:
                ends.append(starts[number])
        return (min(ends), True) if ends else (clause.end, False)

    def _list_from(self, position: int, end: int) -> list[int]:
        """Terms listed one after the other from ``position`` on, with only connectors between."""
        listed: list[int] = []
        for index in self._inside(position, end):
            match = self.matches[index]
            gap = self.text[position : match.start]
            if gap and not (listed and cues.CONNECTOR.fullmatch(gap)):
                break
            listed.append(index)
            position = match.end
        return listed

    def _is_bare_list(self, clause: _Part, cue: str) -> bool:
        """Whether a clause is only terms and connectors, so that an open denial goes on in it."""
        indices = self._inside(clause.start, clause.end)
        if not indices:
            rest = self.text[clause.start : clause.end].strip(" ,，。;")
            return "否认" in cue and len(rest) <= 8 and not re.search(r"[\d有伴现]", rest)
        if "否认" in cue and self._changes_kind(clause.start, indices):
            return False
        if "闻" in cue and not all(
            cues.HEARD.search(self.text, self.matches[i].start, self.matches[i].end)
            for i in indices
        ):
            return False
        if any(cues.FOUND.search(self.text, self.starts[i], self.matches[i].end) for i in indices):
            return False
        example = cues.EXAMPLE.match(self.text, clause.start, clause.end)
        if "\n" in cue:
            example = cues.NUMBERED.match(self.text, clause.start, clause.end)
        position = example.end() if example else clause.start
        for index in indices:
            gap = self.text[position : self.matches[index].start]
            if not cues.CONNECTOR.fullmatch(gap) or gap.startswith("伴"):
                return False
            position = self.matches[index].end
        rest = self.text[position : clause.end].strip(" ,，。;!?\n\r")
        return bool(cues.CONNECTOR.fullmatch(rest)) and not cues.PREDICATE.search(rest)

    def _changes_kind(self, start: int, indices: range) -> bool:
        """Whether illnesses were denied before, and a clause of signs and symptoms follows."""
        before = indices.start - 1
        if before < 0 or any(self.matches[i].kind is TermKind.DISEASE for i in indices):
            return False
        return (
            self.matches[before].kind is TermKind.DISEASE and start - self.matches[before].end <= 6
        )

    def _deny_before_cues(self, clause: _Part) -> None:
        for index in self._inside(clause.start, clause.end):
            match = self.matches[index]
            limit = clause.end
            later = [m.start for m in self.matches[index + 1 : index + 2]]
            hit = cues.POST_NEGATION.match(self.text, match.end, limit)
            if not hit or (later and hit.end() > later[0]) or self._is_pseudo(match.end, hit.end()):
                continue
            self._deny_all(self._list_before(index, clause.start))

    def _is_named_again(self, index: int, start: int) -> bool:
        """Whether what is denied before it in the sentence has the same name, of no or another
        place: 四肢无压痛，右下腹压痛 denies the first."""
        name = self.text[self.starts[index] : self.matches[index].end]
        return any(
            len(other) < len(name) and name.endswith(other)
            for other in (
                self.text[self.starts[earlier] : self.matches[earlier].end]
                for earlier in self._inside(start, self.starts[index])
                if self.result[earlier].polarity is Polarity.ABSENT
            )
        )

    def _is_pseudo(self, start: int, end: int) -> bool:
        return any(self.blocked[start:end])

    def _list_before(self, index: int, start: int) -> list[int]:
        """The term and those listed directly before it."""
        listed = [index]
        while index > 0 and self.matches[index - 1].start >= start:
            gap = self.text[self.matches[index - 1].end : self.matches[index].start]
            if not cues.CONNECTOR.fullmatch(gap):
                break
            index -= 1
            listed.append(index)
        return listed

    # -- certainty -----------------------------------------------------------------------------

    def _doubt(self, sentence: _Part) -> None:
        for clause in _split(self.text, sentence.start, sentence.end, cues.CLAUSE_END):
            starts = [
                hit.end()
                for hit in cues.PRE_UNCERTAIN.finditer(self.text, clause.start, clause.end)
            ]
            starts += [
                hit.end()
                for hit in cues.DOUBTED_DENIAL.finditer(self.text, clause.start, clause.end)
            ]
            for start in starts:
                for index in self._inside(start, min(clause.end, start + _REACH)):
                    self.result[index].certainty = Certainty.UNCERTAIN
            for index in self._inside(clause.start, clause.end):
                if cues.POST_UNCERTAIN.match(self.text, self.matches[index].end):
                    for listed in self._list_before(index, clause.start):
                        self.result[listed].certainty = Certainty.UNCERTAIN

    # -- temporality and experiencer -----------------------------------------------------------

    def _date(self, sentence: _Part) -> None:
        for hit in cues.PAST.finditer(self.text, sentence.start, sentence.end):
            end = min(sentence.end, hit.end() + _REACH)
            back = cues.PRESENT_TIME.search(self.text, hit.end(), end)
            if back:
                end = back.start()
            if hit.group().startswith("曾"):
                comma = cues.CLAUSE_END.search(self.text, hit.end(), end)
                end = comma.start() if comma else end
            for index in self._inside(hit.end(), end):
                self.result[index].temporality = Temporality.PAST
        for index in self._inside(sentence.start, sentence.end):
            if cues.POST_PAST.match(self.text, self.matches[index].end):
                for listed in self._list_before(index, sentence.start):
                    self.result[listed].temporality = Temporality.PAST
            if self._is_old(index):
                self.result[index].temporality = Temporality.PAST
            healed = cues.HEALED.match(self.text, self.matches[index].end)
            if healed:
                whole = self._list_before(index, sentence.start) if healed["all"] else [index]
                # 肺炎及肝炎已痊愈 tells of both; 高血压、肝炎已痊愈 may not.
                if index and self._is_over_with(index - 1, self.starts[index]):
                    whole = [index - 1, *whole]
                for listed in whole:
                    self.result[listed].temporality = Temporality.PAST

    def _is_over_with(self, index: int, following: int) -> bool:
        """Whether it is healed with the illness that it is joined to; a chronic one is not."""
        start, end = self.starts[index], self.matches[index].end
        joined = cues.JOINED.fullmatch(self.text, end, following)
        return bool(joined and not cues.CHRONIC.search(self.text, start, end))

    def _is_old(self, index: int) -> bool:
        start, end = self.starts[index], self.matches[index].end
        if self.matches[index].kind is not TermKind.DISEASE or cues.TUMOUR.search(
            self.text, start, end
        ):
            return False
        return bool(
            cues.OLD.search(self.text, max(0, start - 3), end)
            or cues.OPERATED.search(self.text, start, end + 2)
        )

    def _suppose(self, sentence: _Part) -> None:
        """What a condition or a plan names is nobody's finding; a denial in it stays one."""
        for clause in _split(self.text, sentence.start, sentence.end, cues.CLAUSE_END):
            for pattern in (cues.CONDITION, cues.PLAN):
                for hit in pattern.finditer(self.text, clause.start, clause.end):
                    for index in self._inside(hit.end(), clause.end):
                        if not self.blocked[hit.start()]:
                            self.result[index].temporality = Temporality.HYPOTHETICAL

    def _relate(self, sentence: _Part) -> None:
        for index in self._inside(sentence.start, sentence.end):
            end = self.matches[index].end
            sick = cues.SICK.match(self.text, end)
            before = self.text[sentence.start : self.starts[index]]
            if cues.POST_FAMILY.match(self.text, end) or (sick and cues.MET.search(before)):
                for listed in self._list_before(index, sentence.start):
                    self.result[listed].experiencer = Experiencer.FAMILY
        for hit in cues.FAMILY.finditer(self.text, sentence.start, sentence.end):
            company = cues.COMPANY.search(self.text, sentence.start, hit.start())
            acts = cues.OTHERS_ACT.match(self.text, hit.end(), sentence.end)
            speaks = cues.FAMILY_SPEAKS.match(self.text, hit.end(), sentence.end)
            if not (speaks or (company and acts)):
                self._give_away(hit.end(), sentence.end, (cues.PATIENT_AGAIN,))
        others = list(cues.OTHERS.finditer(self.text, sentence.start, sentence.end))
        if self.named is not None and self.named <= sentence.end:
            others += cues.CHILDREN.finditer(self.text, sentence.start, sentence.end)
        for hit in others:
            if any(
                pattern.match(self.text, hit.end(), sentence.end)
                for pattern in (cues.FAMILY_SPEAKS, cues.OTHERS_ACT)
            ):
                continue
            self._give_away(hit.end(), sentence.end, (cues.PATIENT_AGAIN, cues.STORY_AGAIN))

    def _give_away(self, start: int, end: int, back: Sequence[re.Pattern[str]]) -> None:
        """What is said from ``start`` on is about somebody else, until the patient is back."""
        limit = min(end, start + _REACH)
        returns = [hit.start() for p in back if (hit := p.search(self.text, start, limit))]
        for index in self._inside(start, min(returns, default=limit)):
            self.result[index].experiencer = Experiencer.FAMILY

    def _read_sections(self) -> None:
        headings = list(cues.SECTION.finditer(self.text))
        for number, heading in enumerate(headings):
            end = headings[number + 1].start() if number + 1 < len(headings) else len(self.text)
            name = re.sub(r"\s", "", heading.group("name"))
            for index in self._inside(heading.end(), end):
                if name in cues.PAST_SECTIONS:
                    if not self._is_now(heading.end(), self.starts[index]):
                        self.result[index].temporality = Temporality.PAST
                elif name in cues.PLAN_SECTIONS:
                    self.result[index].temporality = Temporality.HYPOTHETICAL
                elif name in cues.FAMILY_SECTIONS:
                    self.result[index].experiencer = Experiencer.FAMILY
                elif name in cues.DIFFERENTIAL_SECTIONS:
                    self.result[index].certainty = Certainty.UNCERTAIN

    def _exclude(self) -> None:
        """A diagnosis that stands before a colon, argued against and excluded at the end."""
        headed = [
            index
            for index, match in enumerate(self.matches)
            if self.text.startswith(":", match.end)
            and cues.ITEM.search(self.text[max(0, match.start - 12) : match.start])
        ]
        for number, index in enumerate(headed):
            start = self.matches[index].end
            end = self.text.find("\n", start)
            end = len(self.text) if end < 0 else end
            if number + 1 < len(headed):
                end = min(end, self.matches[headed[number + 1]].start)
            if self.matches[index].kind is TermKind.DISEASE and self._is_excluded(start, end):
                self.result[index].polarity = Polarity.ABSENT
                self.result[index].certainty = Certainty.CERTAIN

    def _is_excluded(self, start: int, end: int) -> bool:
        """Whether a clause of the item says so and none after it takes it back."""
        clauses = re.split(r"[,;。:]", self.text[start:end])
        said = [number for number, words in enumerate(clauses) if cues.EXCLUDED.fullmatch(words)]
        after = clauses[said[-1] + 1 :] if said else []
        return bool(said) and not any(cues.NOT_EXCLUDED.search(words) for words in after)

    def _is_now(self, start: int, position: int) -> bool:
        """Whether the sentence, up to ``position``, has come to the present."""
        ends = [hit.end() for hit in cues.SENTENCE_END.finditer(self.text, start, position)]
        begin = ends[-1] if ends else start
        return cues.NOW.search(self.text, begin, position) is not None
