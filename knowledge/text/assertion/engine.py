"""Assertion status of terms in a Chinese note: denied, doubted, past, of somebody else.

A rule engine in the manner of NegEx and ConText (Chapman et al. 2001; Harkema et al. 2009): the
cues of ``rules.tsv`` reach over terms (`reach`), other cues end their reach.  Each step stands in
a module of its own: `denial`, `doubt`, `temporality`, `experiencer`, and what headings say
(`headed`).  Where the text is ambiguous the rule is the cautious one: what may have been denied is
not asserted.
"""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.text.assertion.denial import deny
from knowledge.text.assertion.doubt import doubt, hedge
from knowledge.text.assertion.exclusion import excluded
from knowledge.text.assertion.experiencer import relate
from knowledge.text.assertion.headed import read_sections
from knowledge.text.assertion.reading import Reading
from knowledge.text.assertion.retraction import take_back
from knowledge.text.assertion.status import Assertion
from knowledge.text.assertion.temporality import date, is_history, suppose
from knowledge.text.assertion.wide_set import closed_up, is_wide_set
from knowledge.text.assertion.wordings import WELL
from knowledge.text.document import Document
from knowledge.text.finding import Certainty, Polarity, Temporality
from knowledge.text.lexicon import Match


def assert_terms(text: str, matches: Sequence[Match]) -> list[Assertion]:
    """The assertion of each of ``matches`` (in text order, not overlapping) in ``text``."""
    return read_assertions(Document(text), matches)


def read_assertions(document: Document, matches: Sequence[Match]) -> list[Assertion]:
    """The assertion of each of ``matches`` (in text order, not overlapping) in a document.

    Later steps overrule earlier ones: a heading the cues, a field of a form the heading.
    """
    if is_wide_set(document.folded):
        text, matches = closed_up(document.text, matches)
        document = Document(text)
    reading = Reading(document, matches)
    decided = deny(reading)
    doubt(reading, decided)
    date(reading)
    suppose(reading)
    relate(reading)
    read_sections(reading)
    take_back(reading)
    _exclude(reading)
    _answer(reading)
    hedge(reading)
    return reading.result


def _exclude(reading: Reading) -> None:
    """Deny the items of a differential that are argued against."""
    for index in excluded(reading.folded, reading.terms):
        reading.result[index].polarity = Polarity.ABSENT
        reading.result[index].certainty = Certainty.CERTAIN


def _answer(reading: Reading) -> None:
    """Take over what fields of forms answer, and what says itself that it is well."""
    for index, present in reading.answers.present.items():
        status = reading.result[index]
        status.polarity = Polarity.PRESENT if present else Polarity.ABSENT
        status.certainty = Certainty.CERTAIN
        if present and is_history(reading, index):
            status.temporality = Temporality.PAST
    for index, match in enumerate(reading.terms.matches):
        if WELL.search(reading.folded, match.start, match.end):
            reading.result[index].polarity = Polarity.ABSENT
    for index in reading.answers.open:
        reading.result[index].certainty = Certainty.UNCERTAIN
