"""Assertion status of terms in a Chinese note: denied, doubted, past, of somebody else.

A rule engine in the manner of NegEx and ConText (Chapman et al. 2001; Harkema et al. 2009): the
cues of ``rules.tsv`` reach over terms, other cues end their reach.  What a rule cannot say stands
beside it: lists that go on (`denial`), fields of forms (`form_answers`), items of a differential
(`exclusion`).  Where the text is ambiguous the rule is the cautious one: what may have been denied
is not asserted.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from knowledge.text.assertion.denial import Denials
from knowledge.text.assertion.exclusion import excluded
from knowledge.text.assertion.form_answers import read_answers
from knowledge.text.assertion.hedging import has_object, hedged
from knowledge.text.assertion.lists import is_bare, listed_before
from knowledge.text.assertion.marks import Cue, Cues, Terms, find_cues
from knowledge.text.assertion.relatives import owned, patient_again
from knowledge.text.assertion.wordings import denies_itself
from knowledge.text.document import Document, Range
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

# How many characters a cue reaches in a sentence without an end.
_REACH = 500
# What is said of several: 头痛，呕吐，抽搐均无.
_EACH = re.compile(r"[均都皆]")
# Between a term and the cue behind it: 胸腔积液(右侧)未见.
_THIN = re.compile(r"[^,;。、\n:]{0,6}")
_NEAR_BY = re.compile(r"[^,;。、\n:]{0,12}")
_FIELD_BETWEEN = re.compile(r"[\d)][ \t]+[\u4e00-\u9fff]{2}")
_BRACKET = re.compile(r"\([^()\n]{1,14}\)")

CHRONIC = re.compile(
    r"慢|高血压|糖尿病|冠心病|冠状动脉|心衰|心力衰竭|心肌病|房颤|颤动|哮喘|硬化|肾病|功能不全|癫痫|帕金森|痴呆|痛风|狼疮|风湿"
    r"|癌|瘤|病毒携带|乙肝|乙型|甲亢|甲减|白血病"
)
TUMOUR = re.compile(r"癌|瘤|恶性|白血病")
# Old by its own words, or operated: the illness is over.  A tumour is followed up.
# So is an arrest after which the patient was brought back.
_OLD = re.compile(r"陈旧|(?<=停)复苏(?!失败|无效)")
_OPERATED = re.compile(
    r"术后(?!诊断|复发|出血|感染|并发|粘连|疼痛|切口|第?(?:\d{1,3}|[一二两三四五六七八九十半数几]{1,3})(?:天|日|周|小时))"
)
_FOR_LONG = re.compile(r"[:已约达近]{0,2}[\d一二两三四五六七八九十数几]+余?多?个?[年月]")
_OF_HISTORY = re.compile(r"史")
# A term that says itself that all is well: 胎动正常.
WELL = re.compile(r"(?<!不)(?<!欠)(?:正常|良好|平稳|通畅|自如|对称|居中)\Z")
_NAMED_SO = re.compile(r"诊(?:断)?为?:?|[按误录记写]")
_DIAGNOSED = re.compile(
    r"诊|问|称|考虑|疑|印象|按|当作|以为|误|录|写|记|”|模板|遗留|系统|复制|粘贴"
)
_JOINED = re.compile(r"[及和与]")
# A sentence under a plan that tells how the patient is.
_TELLS = re.compile(
    r"[ \t\r\n]*(?:(?:患者|患儿|病人)(?:今|现|目前|仍|诉|神志|昨)"
    r"|今[日晨天]?(?:患者|查房|晨起|仍|诉)"
    r"|目前(?:患者)?(?!予|给|继续|治疗|暂)|现(?:患者|神志|仍|诉|无|有)|昨[日夜晚](?!予)|查房|查体)"
)
_NUMBERED = re.compile(r"[ \t\r\n]*\(?[\d一二三四五六七八九十]{1,2}[.、)]")
_PERSONS = frozenset({"patient", "other", "child"})
_ALLERGY = re.compile(r"(?:类|制剂)?(?:药物?)?过敏(?!性|原|反应|试验)")
_ANSWERS = re.compile(r"[(\[-]|(?:病?史)?:?(?:无|没有|否|未见|未及)")
_PARAGRAPH = re.compile(r"[^。\n]*")
_PATIENT_NAMED = re.compile(r"患者|病人|本人")


@dataclass
class Assertion:
    """How one term is meant."""

    polarity: Polarity = Polarity.PRESENT
    certainty: Certainty = Certainty.CERTAIN
    temporality: Temporality = Temporality.CURRENT
    experiencer: Experiencer = Experiencer.PATIENT


def assert_terms(text: str, matches: Sequence[Match]) -> list[Assertion]:
    """The assertion of each of ``matches`` (in text order, not overlapping) in ``text``."""
    return read_assertions(Document(text), matches)


def read_assertions(document: Document, matches: Sequence[Match]) -> list[Assertion]:
    """The assertion of each of ``matches`` (in text order, not overlapping) in a document."""
    return _Reading(document, matches).run()


def _as_allergy(folded: str, match: Match) -> Match:
    """A drug of which an allergy is told is read as the allergy: 曾疑青霉素过敏，后排除."""
    if match.kind is TermKind.DRUG and _ALLERGY.match(folded, match.end):
        return replace(match, kind=TermKind.DISEASE)
    return match


class _Reading:
    """One pass over one text."""

    def __init__(self, document: Document, matches: Sequence[Match]) -> None:
        self.document = document
        self.folded = document.folded
        parted = (m for m in matches if " " in self.folded[m.start : m.end])
        document.keep_together((match.start, match.end) for match in parted)
        self.terms = Terms([_as_allergy(self.folded, match) for match in matches])
        self.result = [
            Assertion(Polarity.ABSENT if denies_itself(self.folded, match) else Polarity.PRESENT)
            for match in matches
        ]
        self.answers = read_answers(self.folded, self.terms.matches)
        self.cues = Cues(find_cues(document, self.terms, self.answers.taken))
        self._ends = {
            category: [cue.start for cue in self.cues if cue.rule.category == category]
            for category in ("turn", "have", "now", "patient", "story", "exam")
        }
        # 无呕吐既往高血压: what was before is another statement.
        before = [
            c.start for c in self.cues if c.rule.category == "past" and c.rule.scope == "sentence"
        ]
        self._ends["turn"] = sorted([*self._ends["turn"], *before])
        # 曾疑肺结核，后排除: what was doubted is decided.
        self._settled: set[int] = set()
        self._clauses = [c for s in document.sentences for c in document.clauses(s)]
        self._clause_starts = [clause.start for clause in self._clauses]
        self._sentence_starts = [sentence.start for sentence in document.sentences]

    def run(self) -> list[Assertion]:
        for apply in (self._deny, self._doubt, self._date, self._suppose, self._relate):
            apply()
        self._read_sections()
        for index in excluded(self.folded, self.terms):
            self.result[index].polarity = Polarity.ABSENT
            self.result[index].certainty = Certainty.CERTAIN
        for index, present in self.answers.present.items():
            self.result[index].polarity = Polarity.PRESENT if present else Polarity.ABSENT
            self.result[index].certainty = Certainty.CERTAIN
            if present and self._is_history(index):
                self.result[index].temporality = Temporality.PAST
        for index, match in enumerate(self.terms.matches):
            if WELL.search(self.folded, match.start, match.end):
                self.result[index].polarity = Polarity.ABSENT
        for index in self.answers.open:
            self.result[index].certainty = Certainty.UNCERTAIN
        for index in hedged(
            self.folded,
            self.terms,
            self.cues,
            self._clause,
            self._sentence,
            self._says_something,
            self.answers.taken,
        ):
            said = self.result[index]
            if said.polarity is Polarity.PRESENT and index not in self.answers.present:
                said.certainty = Certainty.UNCERTAIN
        return self.result

    def _is_history(self, index: int) -> bool:
        """Whether a field asks for what was: 外伤史：有."""
        match = self.terms.matches[index]
        return not self._is_chronic(index) and (
            _OF_HISTORY.search(self.folded, match.start, match.end + 2) is not None
        )

    def _says_something(self, cue: Cue) -> bool:
        """Whether a cue has found what it speaks of; a denial may speak of what no term names."""
        if cue.rule.category != "deny":
            return True
        if cue.rule.direction == "<":
            return bool(self._behind(cue))
        clause = self._clause(cue.start)
        following = self.terms.inside(cue.end, min(cue.end + 5, clause.end))
        if following and self._is_stated(following[0]):
            return False
        return has_object(self.folded, cue, clause)

    def _is_stated(self, index: int) -> bool:
        said = self.result[index]
        return said.polarity is Polarity.PRESENT and said.certainty is Certainty.CERTAIN

    # -- places --------------------------------------------------------------------------------

    def _clause(self, position: int) -> Range:
        return self._clauses[max(0, bisect_right(self._clause_starts, position) - 1)]

    def _sentence(self, position: int) -> Range:
        starts = self._sentence_starts
        return self.document.sentences[max(0, bisect_right(starts, position) - 1)]

    def _end_of(self, cue: Cue, limit: int) -> int:
        """Where the reach of a cue ends: the first cue that ends it, or ``limit``."""
        limit = min(limit, cue.end + _REACH)
        told = frozenset({"story"}) if "now" in cue.rule.ends else frozenset()
        for category in (cue.rule.ends - {"exam"}) | told:
            starts = self._ends.get(category, [])
            # What begins right behind the cue may end it too: 既往…，此次….
            number = bisect_right(starts, cue.end - 1)
            if number < len(starts):
                limit = min(limit, starts[number])
        if "exam" in cue.rule.ends:
            return patient_again(self.folded, self.terms, cue, limit, self._ends["exam"])
        return limit

    def _ahead(self, cue: Cue) -> list[int]:
        """The terms that a cue reaches forward."""
        clause = self._clause(cue.start)
        whole = cue.rule.scope == "sentence" and not self._denies_earlier(cue, clause)
        end = (self._sentence(cue.start) if whole else clause).end
        if cue.rule.category == "suppose" and self.folded[cue.end - 1] == ":":
            # 出现下列情况请来院：头痛；呕吐: a semicolon ends no such list.
            end = _PARAGRAPH.search(self.folded, cue.end).end()  # type: ignore[union-attr]
        return self._spoken_of(cue, self.terms.inside(cue.end, self._end_of(cue, end)))

    def _denies_earlier(self, cue: Cue, clause: Range) -> bool:
        """既往未行化疗，骨痛明显: a denial of what was before ends with its clause."""
        return cue.rule.category == "past" and any(
            other.rule.category == "deny"
            for other in self.cues.between(cue.end, min(cue.end + 3, clause.end))
        )

    def _behind(self, cue: Cue) -> list[int]:
        """The terms that a cue reaches back."""
        scope = cue.rule.scope
        clause, sentence = self._clause(cue.start), self._sentence(cue.start)
        inside = self.terms.inside(clause.start, cue.start)
        if not inside and not self.folded[clause.start : cue.start].strip():
            # 高血压 否认 糖尿病 否认: only a space parts what is denied from the word.
            inside = self._before_space(clause.start)
        if scope == "before":
            return self._spoken_of(cue, inside)
        if scope == "stated":
            earlier = self._spoken_of(cue, self.terms.inside(sentence.start, cue.start))
            if not earlier or not self._was_diagnosed(cue, sentence.start, earlier[-1]):
                return []
            last = earlier[-1]
            if cue.rule.category == "deny":
                last = max(filter(self._is_named_diagnosis, earlier), default=last)
            return listed_before(self.folded, self.terms, last, sentence.start)
        if not inside or not self._touches(self.terms.matches[inside[-1]].end, cue):
            return []
        if scope == "each":
            return self._spoken_of(cue, inside[-1:])
        listed = listed_before(self.folded, self.terms, inside[-1], sentence.start)
        if len(listed) == 1 and _EACH.search(self.folded, cue.start, cue.end):
            listed += self._listed_by_commas(sentence, clause)
        return self._spoken_of(cue, listed)

    def _before_space(self, position: int) -> range:
        """The last term before ``position``, if nothing but blanks stands between."""
        last = bisect_right(self.terms.starts, position - 1) - 1
        if last < 0 or self.folded[self.terms.matches[last].end : position].strip(" \t"):
            return range(0)
        return range(last, last + 1)

    def _listed_by_commas(self, sentence: Range, clause: Range) -> list[int]:
        """The terms of the bare clauses right before one: 头痛，呕吐，抽搐均无."""
        listed: list[int] = []
        for earlier in reversed(self.document.clauses(sentence)):
            if earlier.start >= clause.start:
                continue
            inside = self.terms.inside(earlier.start, earlier.end)
            cues = self.cues.between(earlier.start, earlier.end)
            if not inside or not is_bare(self.folded, self.terms, earlier, cues):
                break
            listed += inside
        return listed

    def _was_diagnosed(self, cue: Cue, start: int, index: int) -> bool:
        """外院诊断肺癌，证实为肺炎 takes a diagnosis back; 胸痛，证实为心绞痛 does not."""
        said = self.folded[start : self.terms.starts[index]]
        return cue.rule.category != "deny" or _DIAGNOSED.search(said) is not None

    def _touches(self, end: int, cue: Cue) -> bool:
        """Whether hardly anything stands between a term and the cue behind it."""
        gap = _BRACKET.sub("", self.folded[end : cue.start])
        between = any(
            other.rule.category in ("turn", "have", "deny", "none")
            for other in self.cues.between(max(end, cue.start - 16), cue.start)
        )
        # 除鼻唇沟变浅外无异常: what stands before 外 is found.
        between = between or "外" in gap
        told = cue.rule.category == "past" or gap.startswith("经")
        thin = _NEAR_BY if told else _THIN
        # 阑尾切除术1998 外伤史：无: another field stands between.
        between = between or _FIELD_BETWEEN.search(gap) is not None
        return thin.fullmatch(gap) is not None and not between

    def _spoken_of(self, cue: Cue, indices: Sequence[int]) -> list[int]:
        return [i for i in indices if cue.rule.speaks_of(self.terms.matches[i].kind)]

    def _of(self, *categories: str) -> list[Cue]:
        return [cue for cue in self.cues if cue.rule.category in categories]

    def _reached(self, cue: Cue) -> list[int]:
        return self._ahead(cue) if cue.rule.direction == ">" else self._behind(cue)

    # -- what the terms become -----------------------------------------------------------------

    def _deny(self) -> None:
        verdict = Denials(self.document, self.terms, self.cues, self._end_of).read()
        for index in verdict.denied:
            self.result[index].polarity = Polarity.ABSENT
        for cue in self._of("deny"):
            if cue.rule.direction == "<":
                for index in self._behind(cue):
                    if self._is_parted(index, cue):
                        verdict.doubted.append(index)
                    else:
                        self.result[index].polarity = Polarity.ABSENT
                        if cue.rule.scope == "stated":
                            self._settled.add(index)
                        self._take_back(index)
        # 未见皮疹，黄疸: denied with the rash, or another finding; who reads must see it.
        for index in verdict.doubted:
            if self.result[index].polarity is Polarity.PRESENT:
                self.result[index].certainty = Certainty.UNCERTAIN

    def _take_back(self, index: int) -> None:
        """首诊“带状疱疹”…，带状疱疹不成立: the first is of the same diagnosis, and was only one."""
        match = self.terms.matches[index]
        if match.kind is not TermKind.DISEASE:
            return
        name = self.folded[match.start : match.end]
        start = self._sentence(match.start).start
        for earlier in self.terms.inside(start, match.start):
            other = self.terms.matches[earlier]
            if self.folded[other.start : other.end] != name:
                continue
            if self._is_named_diagnosis(earlier):
                self.result[earlier].polarity = Polarity.ABSENT
            else:
                self.result[earlier].certainty = Certainty.UNCERTAIN

    def _is_named_diagnosis(self, index: int) -> bool:
        """Whether a term stands in quotes or right behind a word of diagnosis."""
        start = self.terms.starts[index]
        lead = self.folded[max(0, start - 4) : start]
        return lead.endswith(("“", '"')) or _NAMED_SO.search(lead) is not None

    def _is_parted(self, index: int, cue: Cue) -> bool:
        """Whether a space parts a term from the one that a sign or an answer stands behind:
        HTN DM(-), 头皮血肿 昏迷史无."""
        if not _ANSWERS.match(self.folded, cue.start) or index + 1 >= len(self.terms.matches):
            return False
        following = self.terms.starts[index + 1]
        gap = self.folded[self.terms.matches[index].end : min(following, cue.start)]
        return following < cue.start and gap.isspace()

    def _doubt(self) -> None:
        for cue in self._of("doubt"):
            for index in self._reached(cue):
                if index not in self._settled:
                    self.result[index].certainty = Certainty.UNCERTAIN

    def _date(self) -> None:
        for cue in self._of("past"):
            for index in self._reached(cue):
                if not self._goes_on(cue, index):
                    self.result[index].temporality = Temporality.PAST
        for index in range(len(self.terms.matches)):
            if self._is_old(index):
                self.result[index].temporality = Temporality.PAST
            elif self._is_over_with(index):
                # 肺炎及肝炎已痊愈 tells of both; 高血压、肝炎已痊愈 may not.
                self.result[index].temporality = Temporality.PAST

    def _goes_on(self, cue: Cue, index: int) -> bool:
        """房颤病史3年 tells how long a chronic illness has been there; 既往房颤 that it was."""
        if cue.rule.direction == ">" or not self._is_chronic(index):
            return False
        history = _OF_HISTORY.search(self.folded, cue.start, cue.end)
        if history is None or not _FOR_LONG.match(self.folded, cue.end):
            return False
        start = self._sentence(cue.start).start
        return not any(
            other.rule.category == "past" and other.rule.direction == ">"
            for other in self.cues.between(start, cue.start)
        )

    def _is_over_with(self, index: int) -> bool:
        """Whether it is healed with the illness that it is joined to; a chronic one is not."""
        if index + 1 >= len(self.terms.matches):
            return False
        match, following = self.terms.matches[index : index + 2]
        if not _JOINED.fullmatch(self.folded, match.end, following.start):
            return False
        healed = any(
            cue.rule.category == "past"
            and cue.rule.scope == "each"
            and index + 1 in self._behind(cue)
            for cue in self.cues.between(following.end, following.end + 16)
        )
        return healed and not CHRONIC.search(self.folded, match.start, match.end)

    def _is_old(self, index: int) -> bool:
        match = self.terms.matches[index]
        if match.kind is not TermKind.DISEASE or TUMOUR.search(self.folded, match.start, match.end):
            return False
        return bool(
            _OLD.search(self.folded, max(0, match.start - 3), match.end) or self._is_operated(match)
        )

    def _is_operated(self, match: Match) -> bool:
        hit = _OPERATED.search(self.folded, match.start, match.end + 12)
        return hit is not None and hit.start() <= match.end

    def _suppose(self) -> None:
        """What a condition or a plan names is nobody's finding; a denial in it stays one."""
        for cue in self._of("suppose"):
            for index in self._reached(cue):
                self.result[index].temporality = Temporality.HYPOTHETICAL

    def _relate(self) -> None:
        # A child is the patient where a parent writes, and somebody else where one is named.
        children = self._of("child") if _PATIENT_NAMED.search(self.folded) else []
        for cue in chain(self._of("other"), children):
            clause = self._clause(cue.start)
            end = self._end_of(cue, clause.end)
            mine = owned(self.folded, self.terms, cue, clause, end)
            for index in mine or self._reached(cue):
                self.result[index].experiencer = Experiencer.FAMILY

    def _read_sections(self) -> None:
        change: dict[str, Callable[[Assertion], None]] = {
            "suppose": lambda said: setattr(said, "temporality", Temporality.HYPOTHETICAL),
            "other": lambda said: setattr(said, "experiencer", Experiencer.FAMILY),
            "doubt": lambda said: setattr(said, "certainty", Certainty.UNCERTAIN),
            "past": lambda said: setattr(said, "temporality", Temporality.PAST),
        }
        for section in self.document.sections:
            if section.meaning not in change:
                continue
            for index in self.terms.inside(section.body, section.end):
                if section.meaning == "past" and self._is_now(index, section.body):
                    continue
                if section.meaning == "other" and self._is_of_patient(index, section.body):
                    continue
                # Under a plan a chronic illness is treated, and is there.
                if section.meaning == "suppose" and (
                    self._is_chronic(index) or self._is_told(index, section.body)
                ):
                    continue
                change[section.meaning](self.result[index])

    def _is_of_patient(self, index: int, start: int) -> bool:
        """Whether the sentence names the patient before this term: 家族史：…；患者自幼热性惊厥."""
        position = self.terms.starts[index]
        begin = max(start, self._sentence(position).start)
        cues = [c for c in self.cues.between(begin, position) if c.rule.category in _PERSONS]
        return bool(cues) and cues[-1].rule.category == "patient"

    def _is_told(self, index: int, start: int) -> bool:
        """Whether the statements under a plan have come to how the patient is: 今查房：咳嗽减轻."""
        position = self.terms.starts[index]
        told = False
        for number in range(
            bisect_right(self._sentence_starts, start) - 1, len(self._sentence_starts)
        ):
            begin = max(start, self._sentence_starts[number])
            if begin > position:
                break
            told = bool(_TELLS.match(self.folded, begin)) or (
                told and not _NUMBERED.match(self.folded, begin)
            )
        return told

    def _is_chronic(self, index: int) -> bool:
        match = self.terms.matches[index]
        return CHRONIC.search(self.folded, match.start, match.end) is not None

    def _is_now(self, index: int, start: int) -> bool:
        """Whether the sentence has come to the present before this term."""
        position = self.terms.starts[index]
        begin = max(start, self._sentence(position).start)
        return any(cue.rule.category == "now" for cue in self.cues.between(begin, position))
