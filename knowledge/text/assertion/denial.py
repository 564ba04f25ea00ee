"""Where a denial is decided: what makes a term absent, in the order in which it is read.

1. The term's own words deny it (不咳嗽, see `wordings`).
2. A cue before a list of terms (否认高血压、糖尿病, see `denied_lists`).
3. A cue behind them (黄疸未见; 首诊…，后排除), here.

The cues are rows of ``rules.tsv``.  Fields of forms (`form_answers`), items of a differential
(`exclusion`) and findings that are well (胎动正常) are read last, in `engine`.
"""

from __future__ import annotations

import re

from knowledge.text.assertion.denied_lists import Denials
from knowledge.text.assertion.marks import Cue
from knowledge.text.assertion.reading import Reading
from knowledge.text.assertion.wordings import denies_itself
from knowledge.text.finding import Certainty, Polarity
from knowledge.text.synonyms import TermKind

_SPACED = re.compile(r"[ \t]")
_ANSWERS = re.compile(r"[(\[-]|(?:病?史)?:?(?:无|没有|否|未见|未及)")


def deny(reading: Reading) -> set[int]:
    """Decide which of the terms are denied, and which may be.

    Returns the numbers of the diagnoses that the text comes back to and decides on (曾疑肺结核，
    后排除): a doubt before the decision is no doubt any more.
    """
    for index, match in enumerate(reading.terms.matches):
        if denies_itself(reading.folded, match):
            reading.result[index].polarity = Polarity.ABSENT
    for cue in reading.of("none"):
        # 无痛性血尿: the name of the blood in the urine says that there is no pain.
        if cue.rule.scope == "over" and reading.folded[cue.start] == "无":
            for index in reading.terms.inside(cue.start + 1, cue.start + 2):
                if reading.terms.matches[index].end < cue.end:
                    reading.result[index].polarity = Polarity.ABSENT
    lists = Denials(reading.document, reading.terms, reading.cues, reading.reach.end_of).read()
    for index in lists.denied:
        reading.result[index].polarity = Polarity.ABSENT
    doubted = list(lists.doubted)
    decided: set[int] = set()
    for cue in reading.of("deny"):
        if cue.rule.direction == "<":
            _deny_behind(reading, cue, doubted, decided)
    # 未见皮疹，黄疸: denied with the rash, or another finding; who reads must see it.
    for index in doubted:
        if reading.result[index].polarity is Polarity.PRESENT:
            reading.result[index].certainty = Certainty.UNCERTAIN
    return decided


def _deny_behind(reading: Reading, cue: Cue, doubted: list[int], decided: set[int]) -> None:
    """Deny what stands before a cue; what may be meant is added to ``doubted``."""
    for index in reading.reach.behind(cue):
        if _is_parted(reading, index, cue):
            doubted.append(index)
            continue
        reading.result[index].polarity = Polarity.ABSENT
        if cue.rule.scope == "stated":
            decided.add(index)
        _take_back(reading, index)


def _take_back(reading: Reading, index: int) -> None:
    """首诊“带状疱疹”…，带状疱疹不成立: the first is of the same diagnosis, and was only one."""
    match = reading.terms.matches[index]
    if match.kind is not TermKind.DISEASE:
        return
    name = reading.words(index)
    start = reading.places.sentence(match.start).start
    for earlier in reading.terms.inside(start, match.start):
        if reading.words(earlier) != name:
            continue
        if reading.reach.is_named_diagnosis(earlier):
            reading.result[earlier].polarity = Polarity.ABSENT
        else:
            reading.result[earlier].certainty = Certainty.UNCERTAIN


def _is_parted(reading: Reading, index: int, cue: Cue) -> bool:
    """Whether a space parts a term from the one that a sign or an answer stands behind:
    HTN DM(-), 头皮血肿 昏迷史无, 压痛明显 浊音(-)."""
    matches = reading.terms.matches
    if not _ANSWERS.match(reading.folded, cue.start) or index + 1 >= len(matches):
        return False
    following = matches[index + 1].start
    gap = reading.folded[matches[index].end : min(following, cue.start)]
    return following < cue.start and _SPACED.search(gap) is not None
