"""Denials of whole lists: which terms a cue denies, and which clauses its list goes on in.

Where the text is ambiguous the reading is the cautious one: what may have been denied is not
asserted, and what may have been found is not denied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knowledge.text.assertion.list_end import denied_and_doubted
from knowledge.text.assertion.lists import (
    ends_with_and,
    is_bare,
    is_closed,
    is_found,
    is_placed,
    is_positive,
    listed_after,
    same_kind,
)
from knowledge.text.assertion.marks import Cue, Cues, Terms
from knowledge.text.assertion.rules import Rule, load_rules
from knowledge.text.document import Document, Range
from knowledge.text.synonyms import TermKind

_LOOKED = re.compile(r"(?:未|没有?)[^闻]{0,4}(?:见|引出|出现|发现|查|检|测|触|扪|探|叩|显示|提示)")
_HEARD = re.compile(r"音|奔马")
# 未见明显异常 is complete: the next clause is another finding.
_COMPLETE = re.compile(
    r"(?:未见|未查见|未发现|无|未及|没有)[^,;。\n]{0,4}(?:异常|改变|变化)[ \t,;。]*\Z"
)
_LAST_JOINED = ("及", "以及", "和", "或")
_EXAMPLE = re.compile(r"[ \t]*(?:例如|比如|譬如|如|包括)")
# What a denial is about where no term is known: 无不良反应.
_UNKNOWN = re.compile(r"[\u4e00-\u9fff]{2,10}")
# Before a denial that may go on; with a subject of its own (大便无脓血) it is about that alone.
_SUBJECT = re.compile(
    r"(?:\s|患者?儿?|病人|自?发?病?程中?|病来|目前|现|今日?|自?诉|述|亦|且|并|也|均|同时|平素|既往|以往|无明显诱因|其|入院时|查体:?|术后|产后|孕[早中晚]?期)*"
)
# A name that no term is known for, with its comma: 黑朦，.
_SHORT = 5
# How many clauses on a denial that is said again is looked for.
_LOOK_AHEAD = 6
_DENIES_HISTORY = re.compile(r"否认|从未")


@dataclass
class _Open:
    """A denial whose list may go on in the next clause."""

    cue: str
    start: int
    listed: list[int]
    by_line: bool = False
    of_something: bool = False
    headed: bool = False

    @property
    def of_history(self) -> bool:
        return _DENIES_HISTORY.search(self.cue) is not None


@dataclass(frozen=True)
class Verdict:
    """What was denied, and what may have been, either way."""

    denied: list[int]
    doubted: list[int]


class Denials:
    """The forward denials of one text."""

    def __init__(
        self,
        document: Document,
        terms: Terms,
        cues: Cues,
        reach: Callable[[Cue, int], int],
    ) -> None:
        self._document = document
        self._folded = document.folded
        self._terms = terms
        self._cues = cues
        self._reach = reach
        self._denied: set[int] = set()
        self._doubted: list[int] = []
        self._open: _Open | None = None
        self._count = 0

    def read(self) -> Verdict:
        """Every sentence in turn; a list may run on over a semicolon or by lines."""
        for sentence in self._document.sentences:
            self._sentence(sentence)
        return Verdict(sorted(self._denied), self._doubted)

    def _sentence(self, sentence: Range) -> None:
        words = self._folded[sentence.start : sentence.end]
        before = self._folded[max(0, sentence.start - 1) : sentence.start]
        if before + words == "\r\n":
            return
        if not words.strip():
            # A blank line ends a list that is one a line.
            self._open = None
            return
        clauses = self._document.clauses(sentence)
        opened = self._carried_over(before, clauses[0])
        self._count = 0
        at = 0
        while at < len(clauses):
            run = self._run(clauses, at) if opened is not None else []
            if opened is not None and run:
                self._go_on(opened, run, clauses[at + len(run) :])
                at += len(run)
                continue
            opened = self._clause(clauses[at])
            at += 1
        self._open = self._kept_open(opened, words)

    def _carried_over(self, before: str, first: Range) -> _Open | None:
        """The open list of the sentence before, if its end does not close it.

        否认高血压；糖尿病。 and 无：发热；咳嗽。 are one list, 无发热；咳嗽。 are two statements.
        """
        opened = self._open
        if opened is None or not (before == ";" or (opened.by_line and before in "\r\n")):
            return None
        inside = self._terms.inside(first.start, first.end)
        diseases = bool(inside) and all(
            self._terms.matches[i].kind is TermKind.DISEASE for i in inside
        )
        return opened if opened.headed or opened.by_line or diseases else None

    def _kept_open(self, opened: _Open | None, words: str) -> _Open | None:
        if opened is None or not (opened.of_history or opened.headed):
            return None
        if words.rstrip().endswith(":"):
            opened.by_line = opened.headed = True
        return opened

    def _in(self, clause: Range) -> list[Cue]:
        return self._cues.between(clause.start, clause.end)

    def _run(self, clauses: Sequence[Range], at: int) -> list[Range]:
        """The clauses from ``at`` on that are nothing but a list."""
        numbered = self._open is not None and self._open.by_line
        run = []
        for clause in clauses[at:]:
            if not is_bare(self._folded, self._terms, clause, self._in(clause), numbered=numbered):
                break
            run.append(clause)
        # What no term is known in counts only within a list that 等 closes.
        while run and not self._terms.inside(run[-1].start, run[-1].end):
            if is_closed(self._folded, run[-1]):
                break
            run.pop()
        return run

    def _go_on(self, opened: _Open, run: Sequence[Range], rest: Sequence[Range]) -> None:
        """Decide on the bare clauses behind a denial."""
        indices = [i for clause in run for i in self._terms.inside(clause.start, clause.end)]
        # 三凹征阳性 says itself that it is there.
        indices = [i for i in indices if not is_positive(self._folded, self._terms, i)]
        found = [i for i in indices if is_found(self._folded, self._terms, i)]
        # 无耳鸣，眩晕，听力下降: behind others of a list it may be one of them.
        self._doubted += [i for i in found if self._terms.starts[i] >= run[0].end]
        # 无脓血，尿量减少，前囟凹陷: nor need what follows it be denied.
        self._doubted += [i for i in indices if found and i > found[0] and i not in found]
        indices = [i for i in indices if not found or i < found[0]]
        again = [i for i in indices if self._is_named_again(i, opened.start)]
        self._doubted += again
        indices = [i for i in indices if i not in again]
        if self._is_denied(opened, run, rest, indices):
            self._denied |= set(indices)
            opened.listed += indices
        elif not self._is_complete(opened) and (self._is_list(run) or not self._is_another(opened)):
            self._doubted += indices

    def _is_denied(
        self, opened: _Open, run: Sequence[Range], rest: Sequence[Range], indices: Sequence[int]
    ) -> bool:
        if any(is_closed(self._folded, clause) for clause in run) or opened.by_line:
            return True
        looked = _LOOKED.search(opened.cue) is not None
        # 没有咳血，嗓子哑: who speaks so may mean either; 没有头痛，恶心，呕吐 is a list.
        spoken = opened.cue.startswith("没有") and not opened.headed and not looked
        if spoken and len(run) == 1:
            return False
        # 未见白沫，上翻，失禁及咬伤: a list by commas, ended by 及.
        # 未见溃疡，糜烂及新生物 too.
        single = looked and len(opened.listed) == 1
        if (len(run) > 1 or single) and ends_with_and(self._folded, run[-1]):
            return True
        if not opened.listed and not opened.of_history and not opened.headed:
            return _EXAMPLE.match(self._folded, run[0].start, run[0].end) is not None
        if "闻" in opened.cue:
            return all(self._is_heard(index) for index in indices)
        # Who may not be given a drug must not be lost.
        if any(self._is_allergy(index) for index in indices):
            return False
        if opened.of_history or opened.headed:
            return self._is_alike(opened.listed, indices)
        # 未见红肿，渗液 may be two statements; three names one after the other are a list.
        if looked and len(run) == 1:
            return False
        # 无寒战，无惊厥，流清涕: who repeats 无 means the last one.  无包块、压痛，肠鸣音亢进: a
        # comma beside an enumeration mark parts statements.
        repeats = self._count > 1 or any(
            cue.rule.category == "deny" for clause in rest[:_LOOK_AHEAD] for cue in self._in(clause)
        )
        if repeats or len(opened.listed) != 1 or opened.of_something:
            return False
        # 无窒息，呻吟 may be two statements; 无咳嗽，咳痰 and 无恶心，呕吐，但有嗳气 deny both.
        return (
            len(self._terms.inside(run[0].start, run[-1].end)) == len(indices) > 1
            or self._folded[run[0].start - 1] not in ",，"
            or opened.cue.isascii()
            or self._is_akin(opened.listed[0], indices)
            or _turns(rest, self._in)
        )

    def _is_alike(self, first: Sequence[int], second: Sequence[int]) -> bool:
        """Whether two groups name the same sort of thing, or end alike (头部外伤，胸部外伤)."""
        return same_kind(self._terms, first, second) or self._ending(first[-1]) == self._ending(
            second[0]
        )

    def _is_akin(self, first: int, second: Sequence[int]) -> bool:
        """Whether two complaints share a character, as those asked for together do."""
        words = [
            self._folded[self._terms.starts[i] : self._terms.matches[i].end]
            for i in (first, *second[:1])
        ]
        return len(words) == 2 and not set(words[0]).isdisjoint(words[1])

    def _ending(self, index: int) -> str:
        return self._folded[self._terms.starts[index] : self._terms.matches[index].end][-2:]

    def _is_another(self, opened: _Open) -> bool:
        """Whether a bare clause is clearly a statement of its own: behind 无 said again and again,
        or said of one thing (皮肤无破损，口腔异味)."""
        looked = _LOOKED.search(opened.cue) is not None
        return not opened.of_history and not looked and (self._count > 1 or opened.of_something)

    def _is_list(self, run: Sequence[Range]) -> bool:
        """Whether several clauses name findings, none with a place of its own: 无汗，恶心，头痛.

        What no term is known in may be one of them if it is short.
        """
        named = [
            clause
            for clause in run
            if self._terms.inside(clause.start, clause.end) or clause.end - clause.start <= _SHORT
        ]
        return len(named) > 1 and not any(
            is_placed(self._folded, self._terms, index)
            for clause in named
            for index in self._terms.inside(clause.start, clause.end)
        )

    def _is_complete(self, opened: _Open) -> bool:
        """Whether a list names its last with 及 (无鼻衄、出血及瘀斑), or is one of a report that
        sets 、 (未引出幻觉、妄想): its comma begins another statement."""
        if len(opened.listed) < 2 or opened.of_history:
            return False
        before, last = opened.listed[-2:]
        gap = self._folded[self._terms.matches[before].end : self._terms.starts[last]].strip()
        return gap in _LAST_JOINED or (gap == "、" and _LOOKED.search(opened.cue) is not None)

    def _is_allergy(self, index: int) -> bool:
        return self._folded.endswith("过敏", 0, self._terms.matches[index].end)

    def _is_heard(self, index: int) -> bool:
        match = self._terms.matches[index]
        return _HEARD.search(self._folded, match.start, match.end) is not None

    def _is_named_again(self, index: int, start: int) -> bool:
        """Whether what is denied before it has the same name, of no or another place:
        四肢无压痛，右下腹压痛 denies the first."""
        terms = self._terms
        name = self._folded[terms.starts[index] : terms.matches[index].end]
        return any(
            len(other) < len(name) and name.endswith(other)
            for other in (
                self._folded[terms.starts[earlier] : terms.matches[earlier].end]
                for earlier in terms.inside(start, terms.starts[index])
                if earlier in self._denied
            )
        )

    def _clause(self, clause: Range) -> _Open | None:
        """Apply the cues of a clause; the denial that is still open at its end, if any."""
        opened: _Open | None = None
        cues = sorted([*self._in(clause), *self._denying_terms(clause)], key=lambda c: c.start)
        for cue in cues:
            rule = cue.rule
            if rule.category != "deny" or rule.direction != ">":
                continue
            if rule.scope == "near":
                self._deny(cue, listed_after(self._folded, self._terms, cue.end, clause.end))
                continue
            end = self._reach(cue, clause.end)
            listed, doubted = denied_and_doubted(self._folded, self._terms, cue.end, end)
            self._doubted += doubted
            if not listed and not self._is_about(cue, clause):
                continue
            self._deny(cue, listed)
            self._count += 1
            closed = end < clause.end or rule.scope != "list"
            words = self._folded[cue.start : cue.end]
            own = self._terms.over(cue.start)
            if own is not None and (denial := rule.pattern.match(self._folded, cue.start, own.end)):
                # 未闻及杂音，奔马律: the term holds the denial and is the first of its list.
                words, listed = denial[0], [*self._terms.inside(own.start, own.start + 1), *listed]
            headed = self._folded.startswith(":", cue.end)
            lead = self._folded[clause.start : cue.start]
            opened = None if closed else _Open(words, cue.start, list(listed), headed=headed)
            if opened is not None:
                opened.of_something = _SUBJECT.fullmatch(lead) is None
        if opened is not None and _COMPLETE.search(self._folded, clause.start, clause.end):
            return None
        return opened

    def _is_about(self, cue: Cue, clause: Range) -> bool:
        """Whether a denial without a term may still open a list (否认：)."""
        rest = self._folded[cue.end : clause.end].strip(" ,，。;\n\r")
        of_history = _DENIES_HISTORY.search(self._folded, cue.start, cue.end) is not None
        return of_history or rest in (":", "") or _UNKNOWN.fullmatch(rest) is not None

    def _deny(self, cue: Cue, indices: Sequence[int]) -> None:
        self._denied |= {i for i in indices if cue.rule.speaks_of(self._terms.matches[i].kind)}

    def _denying_terms(self, clause: Range) -> list[Cue]:
        """Terms with a denial of their own (未闻及干湿啰音, 牙龈无红肿): their list goes on."""
        found = []
        for index in self._terms.inside(clause.start, clause.end):
            match = self._terms.matches[index]
            if not match.denied:
                continue
            rule = next(
                (
                    r
                    for r in _list_rules()
                    if r.pattern.search(self._folded, match.start, match.end)
                ),
                None,
            )
            if rule is not None:
                found.append(Cue(match.start, match.start + 1, rule))
        return found


def _list_rules() -> list[Rule]:
    return [r for r in load_rules() if r.category == "deny" and r.scope == "list"]


def _turns(rest: Sequence[Range], cues: Callable[[Range], list[Cue]]) -> bool:
    """Whether the clause behind says what is there instead: 但有嗳气."""
    return bool(rest) and any(
        cue.rule.category == "turn" and cue.start == rest[0].start for cue in cues(rest[0])
    )
