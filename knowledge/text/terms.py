"""The shipped terms in a text: body parts, tests, imaging, drugs, procedures, findings."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

from knowledge.text.contexts import contexts
from knowledge.text.drugs import shipped_drugs
from knowledge.text.extraction import FINDING_KINDS
from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon, Match
from knowledge.text.synonyms import TermKind
from knowledge.text.term_table import shipped_terms

_LATIN = re.compile(r"[a-z0-9]")
# A letter that means a test only where a number follows: T 38.5℃, K 3.2 mmol/L.
_LETTERS = re.compile(r"[a-z]{1,2}[+-]?")
_NUMBER_AHEAD = re.compile(r"[ \t]{0,3}[:=为]?[ \t]{0,3}(?:[<>≤≥]|(?<=[ \t:=])-)?\d")


# RF阳性 is told without one.
_SIGN_AHEAD = re.compile(r"(?<=[a-z]{2})[ \t]?(?:\([-+]|[阳阴]性|[升增]高|正常|异常)")
# P63(-) and CK5/6(+) are stains of a tissue, pT2 is a stage.
_MARKER = re.compile(r"\d+(?:/\d+)?[ \t]*(?:\([^)]{0,6}[-+±][^)]{0,6}\)|[-+]{1,3}(?=[,;。、\s]|$))")
_STAGE = re.compile(r"y?pt(?:[0-4][a-d]?|is|x)(?![0-9.])|y?ct[0-4][a-d]?(?=n[0-3x])")
# EGFR is a gene where its mutation is told, and a filtration rate where a number is.
_GENE = re.compile(
    r"egfr(?=[ \t]*(?:基因|突变|扩增|蛋白|野生|外显子|exon|\(|1[89]|2[01]|[a-z]\d{3}))"
)
# 钙 600mg is taken.
_DOSE_AHEAD = re.compile(r"[ \t:=]*\d+(?:\.\d+)?[ \t]*(?:mg|g|ug|片|粒|袋|支)(?![/a-z])")
# T12 is a vertebra, T2WI a weighting, T3N0 a stage: a temperature is one that a body can have.
_NUMBERED = re.compile(r"\d{1,2}(?:[-~]\d{1,2})?(?:椎|胸椎|腰椎|水平|节段|神经|wi|n[0-3x])")
_DEGREES = re.compile(r"[ \t]{0,3}[:=为]?[ \t]{0,3}(?:3[2-9]|4[0-3])(?![0-9])")
_PER_CENT = re.compile(r"[ \t:]{0,3}\d{1,2}(?:\.\d{1,2})?[ \t]?%")
_AHEAD = {"t": _DEGREES, "n": _PER_CENT, "l": _PER_CENT}
_ONE_CHARACTER = re.compile(r"[\u4e00-\u9fff]")
_IN_A_WORD = re.compile(r"[\u4e00-\u9fff0-9a-z]")
# TB 25.6 umol/L is bilirubin, no tuberculosis; HCV-RNA is a test, CKD3 goes on in a number.
_RESULT_AHEAD = re.compile(
    r"[ \t]*[:=][ \t]*[<>]?\d|[ \t]*[<>]?\d+(?:\.\d+)?[ \t]*(?:[unmpμ]?mol|[unmpμ]?g/|[km]?i?u/)"
    r"|[ \t]*\d+\.\d|-?(?:rna|dna|ab|ag|igm|igg|pcr)(?![a-z])"
)
# 强迫症 is not read in 强迫症状, nor 结节病 in 结节病灶.
_OTHER_WORD = re.compile(r"症状|病[变灶]|炎性(?!疾病)|痛[觉风]|尿[路道管素酸酮糖蛋]")
_GOES_ON = re.compile(r"(?:\d{1,2}余?[年月天]|\d?[abg]?(?![a-z0-9]))")


@lru_cache(maxsize=1)
def load_terms() -> Lexicon:
    """The shipped terms that are no findings, with the drugs."""
    lexicon = _lexicon(is_finding=False)
    for wording, concept in shipped_drugs().items():
        lexicon.add(wording, concept, TermKind.DRUG)
    return lexicon


@lru_cache(maxsize=1)
def load_findings() -> Lexicon:
    """The shipped diseases, symptoms and signs, in a lexicon of their own: a body part that begins
    one (颈静脉怒张) is a part still, and may bear a longer name with the word behind it."""
    return _lexicon(is_finding=True)


@lru_cache(maxsize=1)
def _not_terms() -> Lexicon:
    lexicon = Lexicon()
    for term in shipped_terms():
        if term.kind is None:
            lexicon.add(term.wording, "", TermKind.SIGN)
    return lexicon


def outside_other_words(text: str, matches: Iterable[Match]) -> list[Match]:
    """Those of ``matches`` that are no part of a word that means something else (切[口干]燥)."""
    words = _not_terms().find(text)
    starts = [word.start for word in words]

    def is_inside(match: Match) -> bool:
        at = bisect_right(starts, match.start) - 1
        return at >= 0 and match.end <= words[at].end

    return [match for match in matches if not is_inside(match)]


def _lexicon(*, is_finding: bool) -> Lexicon:
    lexicon = Lexicon()
    for term in shipped_terms():
        if term.kind is not None and (term.kind in FINDING_KINDS) is is_finding:
            lexicon.add(term.wording, term.concept, term.kind, term.denied)
    for term in shipped_terms():
        if term.kind is None:
            # It claims its characters, and `find_terms` leaves it out.
            lexicon.add(term.wording, "", TermKind.SIGN)
    return lexicon


@lru_cache(maxsize=1)
def _guarded() -> dict[tuple[str, bool], str]:
    """The context of each wording that is read in one only, as a finding or as another name."""
    return {
        (fold(term.wording), term.kind in FINDING_KINDS): term.context
        for term in shipped_terms()
        if term.context
    }


def find_terms(text: str) -> list[Match]:
    """The shipped terms in ``text``, from left to right.

    Findings do not overlap one another, nor do the other terms; a body part may stand in a
    finding.  Latin abbreviations count as whole words only, tests of one or two letters only with
    a number behind them, ambiguous ones in their context only.
    """
    folded = fold(text)
    found = [m for m in load_findings().find(text) if m.concept and _is_meant(folded, m)]
    starts = [match.start for match in found]
    named = [
        match
        for match in load_terms().find(text)
        if match.concept and _stands_alone(folded, match) and not _is_part(match, found, starts)
    ]
    return sorted([*found, *named], key=lambda match: (match.start, -match.end))


def _is_part(match: Match, findings: list[Match], starts: list[int]) -> bool:
    """Whether a test is a word of a finding: the 血压 of 高血压.  One that begins it is told of."""
    at = bisect_right(starts, match.start) - 1
    return (
        match.kind is TermKind.TEST
        and at >= 0
        and findings[at].start < match.start
        and match.end <= findings[at].end
    )


def _is_meant(folded: str, match: Match) -> bool:
    """Whether a finding, or another name in letters, is a word and in its context."""
    word = folded[match.start : match.end]
    if _OTHER_WORD.match(folded, match.end - 1):
        return False
    if _LATIN.match(word):
        before = folded[max(0, match.start - 2) : match.start]
        if _LATIN.match(before[-1:]) or (before[-1:] == "-" and _LATIN.match(before)):
            return False
    if _LATIN.match(word[-1]) and (
        not _GOES_ON.match(folded, match.end) or _RESULT_AHEAD.match(folded, match.end)
    ):
        return False
    context = _guarded().get((word, match.kind in FINDING_KINDS))
    return context is None or contexts()[context].holds(folded, match.start, match.end)


def _stands_alone(folded: str, match: Match) -> bool:
    word = folded[match.start : match.end]
    if match.kind is TermKind.PROCEDURE and not _is_meant(folded, match):
        return False
    if _LATIN.match(word) and (
        _MARKER.match(folded, match.end)
        or _STAGE.match(folded, match.start)
        or _GENE.match(folded, match.start)
    ):
        return False
    if match.kind is TermKind.TEST and _ONE_CHARACTER.fullmatch(word):
        return (
            not _IN_A_WORD.match(folded[match.start - 1 : match.start])
            and _NUMBER_AHEAD.match(folded, match.end) is not None
            and _DOSE_AHEAD.match(folded, match.end) is None
        )
    if match.kind is not TermKind.PROCEDURE and _LETTERS.fullmatch(word):
        return (
            not _LATIN.match(folded[match.start - 1 : match.start])
            and (_NUMBER_AHEAD.match(folded, match.end) or _SIGN_AHEAD.match(folded, match.end))
            is not None
            and _NUMBERED.match(folded, match.end) is None
            and (word not in _AHEAD or _AHEAD[word].match(folded, match.end) is not None)
        )
    if _LATIN.match(word) and _LATIN.match(folded[match.start - 1 : match.start]):
        return False
    return not (_LATIN.match(word[-1]) and _LATIN.match(folded[match.end : match.end + 1]))
