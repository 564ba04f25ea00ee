"""Which terms a cue reaches: how far it goes, what ends it, and what stands between."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from knowledge.text.assertion.lists import is_bare, listed_before
from knowledge.text.assertion.marks import Cue, Cues, Terms
from knowledge.text.assertion.places import Places
from knowledge.text.assertion.relatives import patient_again
from knowledge.text.document import Document, Range

# How many characters a cue reaches in a sentence without an end.
_REACH = 500
# What is said of several: 头痛，呕吐，抽搐均无.
_EACH = re.compile(r"[均都皆]")
# Between a term and the cue behind it: 胸腔积液(右侧)未见.
_THIN = re.compile(r"[^,;。、\n:]{0,6}")
_NEAR_BY = re.compile(r"[^,;。、\n:]{0,12}")
_FIELD_BETWEEN = re.compile(r"[\d)][ \t]+[\u4e00-\u9fff]{2}")
_SIDES = " \t双两左右侧眼耳"
_ADVERB = re.compile(r"[仍尚还暂亦也均皆都却倒现今]+\Z")
_TODAY = re.compile(r"今(?![后天]?后)|目前|现(?!象)|昨|此次|本次")
_BRACKET = re.compile(r"\([^()\n]{1,14}\)")
_NAMED_SO = re.compile(r"诊(?:断)?为?:?|[按误录记写]")
_DIAGNOSED = re.compile(
    r"诊|问|称|报(?!警|销)|考虑|疑|印象|按|当作|以为|误|录|写|记|”|模板|遗留|系统|复制|粘贴"
)
_PARAGRAPH = re.compile(r"[^。\n]*")
_ENDING = ("turn", "have", "now", "patient", "story", "exam")


class Reach:
    """How far the cues of one document reach."""

    def __init__(self, document: Document, terms: Terms, cues: Cues, places: Places) -> None:
        self._document = document
        self._folded = document.folded
        self._terms = terms
        self._cues = cues
        self._places = places
        self._ends = {
            category: [cue.start for cue in cues if cue.rule.category == category]
            for category in _ENDING
        }
        # 无呕吐既往高血压: what was before is another statement.
        before = [c.start for c in cues if c.rule.category == "past" and c.rule.scope == "sentence"]
        self._ends["turn"] = sorted([*self._ends["turn"], *before])
        # 若…则化疗，今日乏力: a condition ends where a clause begins with the present.
        self._ends["today"] = [
            cue.start
            for cue in cues
            if cue.rule.category == "now"
            and _TODAY.match(folded := document.folded, cue.start)
            and (not cue.start or folded[cue.start - 1] in ",;。\n ")
        ]

    def of(self, cue: Cue) -> list[int]:
        """The numbers of the terms that a cue speaks of, on the side that it looks to."""
        return self._ahead(cue) if cue.rule.direction == ">" else self.behind(cue)

    def end_of(self, cue: Cue, limit: int) -> int:
        """Where the reach of a cue ends: the first cue that ends it, or ``limit``."""
        limit = min(limit, cue.end + _REACH)
        also = frozenset({"story"}) if "now" in cue.rule.ends else frozenset()
        if cue.rule.category == "suppose":
            also = frozenset({"today"})
        for category in (cue.rule.ends - {"exam"}) | also:
            starts = self._ends.get(category, [])
            # What begins right behind the cue may end it too: 既往…，此次….
            number = bisect_right(starts, cue.end - 1)
            if number < len(starts):
                limit = min(limit, starts[number])
        if "exam" in cue.rule.ends:
            return patient_again(self._folded, self._terms, cue, limit, self._ends["exam"])
        return limit

    def behind(self, cue: Cue) -> list[int]:
        """The terms that a cue reaches back."""
        scope = cue.rule.scope
        clause, sentence = self._places.clause(cue.start), self._places.sentence(cue.start)
        inside = self._terms.inside(clause.start, cue.start)
        if not inside and not self._folded[clause.start : cue.start].strip(_SIDES):
            # 眼底出血 双眼均无,
            # 高血压 否认 糖尿病 否认: only a space parts what is denied from the word.
            inside = self._before_space(clause.start)
        if scope == "before":
            return self._spoken_of(cue, inside)
        if scope == "stated":
            return self._diagnosed_before(cue, sentence)
        if not inside or not self._touches(self._terms.matches[inside[-1]].end, cue):
            return []
        if scope == "each":
            return self._spoken_of(cue, inside[-1:])
        listed = listed_before(self._folded, self._terms, inside[-1], sentence.start)
        if len(listed) == 1 and _EACH.search(self._folded, cue.start, cue.end):
            listed += self._listed_by_commas(sentence, clause)
        return self._spoken_of(cue, listed)

    def is_named_diagnosis(self, index: int) -> bool:
        """Whether a term stands in quotes or right behind a word of diagnosis."""
        start = self._terms.starts[index]
        lead = self._folded[max(0, start - 4) : start]
        return lead.endswith(("“", '"')) or _NAMED_SO.search(lead) is not None

    def _ahead(self, cue: Cue) -> list[int]:
        clause = self._places.clause(cue.start)
        whole = cue.rule.scope == "sentence" and not self._denies_earlier(cue, clause)
        end = (self._places.sentence(cue.start) if whole else clause).end
        if cue.rule.category == "suppose" and self._folded[cue.end - 1] == ":":
            # 出现下列情况请来院：头痛；呕吐: a semicolon ends no such list.
            end = _PARAGRAPH.search(self._folded, cue.end).end()  # type: ignore[union-attr]
        return self._spoken_of(cue, self._terms.inside(cue.end, self.end_of(cue, end)))

    def _denies_earlier(self, cue: Cue, clause: Range) -> bool:
        """既往未行化疗，骨痛明显: a denial of what was before ends with its clause."""
        return cue.rule.category == "past" and any(
            other.rule.category == "deny"
            for other in self._cues.between(cue.end, min(cue.end + 3, clause.end))
        )

    def _before_space(self, position: int) -> range:
        """The last term before ``position``, if nothing but blanks stands between."""
        last = bisect_right(self._terms.starts, position - 1) - 1
        if last < 0 or self._folded[self._terms.matches[last].end : position].strip(" \t"):
            return range(0)
        return range(last, last + 1)

    def _diagnosed_before(self, cue: Cue, sentence: Range) -> list[int]:
        """The diagnoses of the sentence that a cue decides on: 外院诊断肺癌，证实为肺炎."""
        earlier = self._spoken_of(cue, self._terms.inside(sentence.start, cue.start))
        if not earlier or not self._was_diagnosed(cue, sentence.start, earlier[-1]):
            return []
        last = earlier[-1]
        if cue.rule.category == "deny":
            last = max(filter(self.is_named_diagnosis, earlier), default=last)
        return listed_before(self._folded, self._terms, last, sentence.start)

    def _was_diagnosed(self, cue: Cue, start: int, index: int) -> bool:
        """外院诊断肺癌，证实为肺炎 takes a diagnosis back; 胸痛，证实为心绞痛 does not."""
        lead = self._folded[start : self._terms.starts[index]]
        return cue.rule.category != "deny" or _DIAGNOSED.search(lead) is not None

    def _listed_by_commas(self, sentence: Range, clause: Range) -> list[int]:
        """The terms of the bare clauses right before one: 头痛，呕吐，抽搐均无."""
        listed: list[int] = []
        for earlier in reversed(self._document.clauses(sentence)):
            if earlier.start >= clause.start:
                continue
            inside = self._terms.inside(earlier.start, earlier.end)
            cues = self._cues.between(earlier.start, earlier.end)
            if not inside or not is_bare(self._folded, self._terms, earlier, cues):
                break
            listed += inside
        return listed

    def _touches(self, end: int, cue: Cue) -> bool:
        """Whether hardly anything stands between a term and the cue behind it."""
        gap = _BRACKET.sub("", self._folded[end : cue.start])
        if "+" in gap:
            # 咳+ 痰+ 热-: another item stands between.
            return False
        begin = cue.start
        if adverb := _ADVERB.search(self._folded, end, cue.start):
            # 心内膜炎仍待排: the adverb before a predicate turns nothing.
            begin = adverb.start()
        between = any(
            other.rule.category in ("turn", "have", "deny", "none")
            for other in self._cues.between(max(end, cue.start - 16), begin)
        )
        # 除鼻唇沟变浅外无异常: what stands before 外 is found.
        between = between or "外" in gap
        wide = cue.rule.category == "past" or gap.startswith("经")
        thin = _NEAR_BY if wide else _THIN
        # 阑尾切除术1998 外伤史：无: another field stands between.
        between = between or _FIELD_BETWEEN.search(gap) is not None
        return thin.fullmatch(gap) is not None and not between

    def _spoken_of(self, cue: Cue, indices: Sequence[int]) -> list[int]:
        return [i for i in indices if cue.rule.speaks_of(self._terms.matches[i].kind)]
