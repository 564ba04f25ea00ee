"""Findings beside a denying word that no rule explains: each may be denied, so none is certain.

A cue explains its words only where it said something of a term, or of something else that is
named: 统统没有 behind 流水, which no list knows, has denied nothing yet, so what stands before it
may be what it denies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from knowledge.text.assertion.lists import listed_after, listed_before
from knowledge.text.assertion.marks import Cue, Terms
from knowledge.text.assertion.reading import Reading
from knowledge.text.assertion.status import Assertion
from knowledge.text.document import Range
from knowledge.text.finding import Certainty, Polarity
from knowledge.text.synonyms import TermKind

# How far such a word may stand before a finding, and behind one.
_AHEAD, _NEAR, _BEHIND = 4, 8, 30
_MARKS = ' ,，;；。、!?\n\r\t)”"'
_DENYING = re.compile(
    r"(?<![□☐○] )(?<![□☐○])[无未没否不弗冇唔]|非(?![洛那诺布索])"
    r"|(?<![会外])阴(?![道囊茎虚唇部影蒂阜毛])|莫(?![西氟达沙匹])"
    r"|排除|除外|推翻|撤[销消]|站不住|欠奉|[阙缺]如|(?:何|哪)[来有]|哪里有|岂"
    r"|(?<![a-z])(?:no|not|none|neg|negative|absent|without|denies)(?![a-z])"
)
# 未闻明显杂音: a verb of looking between them and the finding.
_LOOKING = re.compile(r"[^,;。、\n]{0,3}[见闻及到有显明示查出看得][^,;。、\n]{0,2}")
_WELL = re.compile(r"(?:异常|改变)\Z")
# What takes a diagnosis back, in a clause of its own.
_RETRACTS = re.compile(
    r"推翻|否[定决]|撤[销消]|排除|除外|有误|有出入|站不住|不(?:成立|支持|符)|作废"
    r"|(?:更?改|更正|修[正改订]|纠正)(?:为|成|诊断)"
)
_DIAGNOSED = re.compile(r"诊|考虑|疑|印象|拟|按|报|误|录|记|”|\"")
_EITHER = re.compile(r"[ \t]*(?:或者?|抑或|还是|或是|vs\.?)[ \t]*")


def hedged(reading: Reading) -> Iterator[int]:
    """Numbers of the terms that stand by such a word, those listed with them, and diagnoses of
    which one or the other is meant."""
    folded, terms, places = reading.folded, reading.terms, reading.places
    explained = bytearray(reading.answers.taken)
    for cue in reading.cues:
        if _says_something(reading, cue):
            explained[cue.start : cue.end] = b"\1" * (cue.end - cue.start)
    for match in terms.matches:
        explained[match.start : match.end] = b"\1" * (match.end - match.start)
    for word in _DENYING.finditer(folded):
        if not any(explained[word.start() : word.end()]):
            yield from _beside(folded, terms, word, places.clause(word.start()))
    for word in _RETRACTS.finditer(folded):
        if not any(explained[word.start() : word.end()]):
            clause, sentence = places.clause(word.start()), places.sentence(word.start())
            yield from _taken_back(folded, terms, word, clause, sentence)
    yield from _one_or_other(folded, terms)


def _says_something(reading: Reading, cue: Cue) -> bool:
    """Whether a cue has found what it speaks of; a denial may speak of what no term names."""
    if cue.rule.category != "deny":
        return True
    if cue.rule.direction == "<":
        # 心电图未见异常 is complete.
        return _WELL.search(reading.folded, cue.start, cue.end) is not None or bool(
            reading.reach.behind(cue)
        )
    clause = reading.places.clause(cue.start)
    following = reading.terms.inside(cue.end, min(cue.end + 5, clause.end))
    if following and _is_stated(reading.result[following[0]]):
        return False
    return bool(reading.folded[cue.end : clause.end].strip(_MARKS))


def _is_stated(status: Assertion) -> bool:
    return status.polarity is Polarity.PRESENT and status.certainty is Certainty.CERTAIN


def _beside(folded: str, terms: Terms, word: re.Match[str], clause: Range) -> Iterator[int]:
    following = terms.next_start(word.end(), clause.end)
    gap = following - word.end()
    if following < clause.end and (
        gap < _AHEAD or (gap <= _NEAR and _LOOKING.fullmatch(folded, word.end(), following))
    ):
        yield from listed_after(folded, terms, following, clause.end)
        return
    before = terms.inside(clause.start, word.start())
    if not before:
        return
    between = folded[terms.matches[before[-1]].end : word.end()]
    # 除鼻唇沟变浅外无异常: what stands before 外 is found.
    if len(between) <= _BEHIND and "外" not in between:
        yield from listed_before(folded, terms, before[-1], clause.start)


def _taken_back(
    folded: str, terms: Terms, word: re.Match[str], clause: Range, sentence: Range
) -> Iterator[int]:
    """The diagnosis before a clause that takes one back: 外院诊断胃癌，本院予推翻."""
    if terms.inside(clause.start, word.start()):
        return
    named = terms.inside(word.end(), clause.end)
    if word[0].endswith(("为", "成")) and not named:
        # 改为口服 changes a treatment.
        return
    for index in reversed(terms.inside(sentence.start, clause.start)):
        match = terms.matches[index]
        if match.kind is TermKind.DISEASE:
            if _DIAGNOSED.search(folded, sentence.start, match.end + 2):
                yield index
            return


def _one_or_other(folded: str, terms: Terms) -> Iterator[int]:
    """流感或普通感冒: one of them."""
    for index, (first, second) in enumerate(pairwise(terms.matches)):
        if first.kind is second.kind is TermKind.DISEASE and _EITHER.fullmatch(
            folded, first.end, second.start
        ):
            yield from (index, index + 1)
