"""Each rule of the table is shown by its example."""

from __future__ import annotations

import re

import pytest

from knowledge.text.assertion.engine import assert_terms
from knowledge.text.assertion.rules import Rule, load_rules, parse_rules
from knowledge.text.assertion.status import Assertion
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

_TERM = re.compile(r"\{(?:(?P<kind>[DPRT]):)?(?P<term>[^{}]+?)(?P<marks>[-?<~@]*)\}")
_KINDS = {
    "D": TermKind.DISEASE,
    "P": TermKind.PROCEDURE,
    "R": TermKind.DRUG,
    "T": TermKind.TEST,
}


def read_example(example: str) -> tuple[str, list[Match], list[str]]:
    """The text of an example, its terms, and the marks that each should get."""
    text, matches, marks, position = "", [], [], 0
    for hit in _TERM.finditer(example):
        text += example[position : hit.start()]
        start = len(text)
        text += hit["term"]
        kind = _KINDS.get(hit["kind"] or "", TermKind.SYMPTOM)
        matches.append(Match(start, len(text), hit["term"], kind))
        marks.append(hit["marks"])
        position = hit.end()
    return text + example[position:], matches, marks


def marks_of(said: Assertion) -> str:
    return "".join(
        mark
        for mark, holds in (
            ("-", said.polarity is Polarity.ABSENT),
            ("?", said.certainty is Certainty.UNCERTAIN),
            ("<", said.temporality is Temporality.PAST),
            ("~", said.temporality is Temporality.HYPOTHETICAL),
            ("@", said.experiencer is Experiencer.FAMILY),
        )
        if holds
    )


def numbered(rules: tuple[Rule, ...]) -> list[object]:
    return [pytest.param(rule, id=f"{rule.number}-{rule.category}") for rule in rules]


@pytest.mark.parametrize("rule", numbered(load_rules()))
def test_a_rule_reads_its_example(rule: Rule) -> None:
    text, matches, wanted = read_example(rule.example)
    assert rule.pattern.search(fold(text)), "the cue is not in its example"
    assert [marks_of(said) for said in assert_terms(text, matches)] == wanted


@pytest.mark.parametrize("rule", numbered(load_rules()))
def test_a_cue_is_no_longer_than_a_line(rule: Rule) -> None:
    assert "\t" not in rule.pattern.pattern
    assert matches_something(rule)


def matches_something(rule: Rule) -> bool:
    """An example without a term shows nothing."""
    return bool(read_example(rule.example)[1])


def test_a_malformed_row_names_its_line() -> None:
    with pytest.raises(ValueError, match="line 2"):
        parse_rules("# a comment\ndeny\t>\tlist\n")


def test_definitions_are_put_in() -> None:
    (rule,) = parse_rules("define\tN\t\\d+\npast\t>\tclause\t\t\t{N}年前\t3年前{肺炎<}")
    assert rule.pattern.search("12年前")
