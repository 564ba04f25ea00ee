"""The project's own terms of body parts, tests, imaging, procedures, signs, and its drugs.

``data/terms.tsv`` has one line for each group: type, names separated by 、 (each a concept of its
own), and other wordings of the first name separated by ``|``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

from knowledge.text.drugs import shipped_drugs
from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon, Match
from knowledge.text.synonyms import TermKind

_LATIN = re.compile(r"[a-z0-9]")
# A letter that means a test only where a number follows: T 38.5℃, K 3.2 mmol/L.
_LETTERS = re.compile(r"[a-z]{1,2}[+-]?")
_NUMBER_AHEAD = re.compile(r"[ \t]{0,3}[:=为]?[ \t]{0,3}(?:[<>≤≥]|(?<=[ \t:=])-)?\d")


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


def parse_terms(text: str) -> Iterator[tuple[str, str, TermKind]]:
    """(wording, concept, kind) of every wording.

    Raises:
        ValueError: a line has no type that is known, or no name; the message gives its number.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, rest = line.partition("\t")
        names, _, wordings = rest.partition("\t")
        if kind not in set(TermKind) or not names.strip():
            raise ValueError(f"terms, line {number}: expected a type and names")
        concepts = [name for name in names.split("、") if name]
        for concept in concepts:
            yield concept, concept, TermKind(kind)
        for wording in wordings.split("|"):
            if wording:
                yield wording, concepts[0], TermKind(kind)


@lru_cache(maxsize=1)
def load_terms() -> Lexicon:
    """The terms that ship with the product."""
    text = (files("assistant.tasks.structuring") / "data" / "terms.tsv").read_text(encoding="utf-8")
    lexicon = Lexicon()
    for wording, concept, kind in parse_terms(text):
        lexicon.add(wording, concept, kind)
    for wording, concept in shipped_drugs().items():
        lexicon.add(wording, concept, TermKind.DRUG)
    return lexicon


@lru_cache(maxsize=1)
def _tests() -> dict[str, str]:
    text = (files("assistant.tasks.structuring") / "data" / "terms.tsv").read_text(encoding="utf-8")
    return {fold(w): concept for w, concept, kind in parse_terms(text) if kind is TermKind.TEST}


def shipped_test(wording: str) -> str | None:
    """The test that the shipped terms know by exactly this wording."""
    return _tests().get(fold(wording))


def find_terms(text: str) -> list[Match]:
    """The shipped terms in ``text``, from left to right, never overlapping.

    Latin abbreviations count as whole words only, and those of one or two letters only with a
    number behind them.
    """
    folded = fold(text)
    return [match for match in load_terms().find(text) if _stands_alone(folded, match)]


def _stands_alone(folded: str, match: Match) -> bool:
    word = folded[match.start : match.end]
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
    if _LETTERS.fullmatch(word):
        return (
            not _LATIN.match(folded[match.start - 1 : match.start])
            and _NUMBER_AHEAD.match(folded, match.end) is not None
            and _NUMBERED.match(folded, match.end) is None
            and (word not in _AHEAD or _AHEAD[word].match(folded, match.end) is not None)
        )
    if _LATIN.match(word) and _LATIN.match(folded[match.start - 1 : match.start]):
        return False
    return not (_LATIN.match(word[-1]) and _LATIN.match(folded[match.end : match.end + 1]))
