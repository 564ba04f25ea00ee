from __future__ import annotations

import pytest

from knowledge.text.contexts import Rule, contexts, rules
from knowledge.text.folding import fold

_NEEDED = [rule for rule in rules() if not rule.side.startswith("never")]
_RULED_OUT = [rule for rule in rules() if rule.side.startswith("never")]
_TERMS = ("PE", "LN", "MI", "LC", "手术")


@pytest.mark.parametrize("rule", _NEEDED, ids=lambda rule: rule.example)
def test_a_row_reads_its_example(rule: Rule) -> None:
    start = rule.example.index("{")
    end = rule.example.index("}") - 1
    text = fold(rule.example.replace("{", "").replace("}", ""))
    assert contexts()[rule.context].holds(text, start, end)


@pytest.mark.parametrize("rule", _RULED_OUT, ids=lambda rule: rule.example)
def test_a_row_rules_its_example_out(rule: Rule) -> None:
    term = next(term for term in _TERMS if term in rule.example)
    start = rule.example.index(term)
    assert not contexts()[rule.context].holds(fold(rule.example), start, start + len(term))


@pytest.mark.parametrize(
    ("text", "term", "is_read"),
    [
        ("既往AS 5年", "AS", True),
        ("r/o PE", "PE", True),
        ("PE：神清，精神可", "PE", False),
        ("DM、AF、CKD", "AF", True),
        ("考虑MS可能", "MS", True),
        ("给予MS 10mg", "MS", False),
        ("LN(+)0/29", "LN", False),
        ("术后CD引流", "CD", False),
        ("确诊RA10年", "RA", True),
        ("取RA压", "RA", False),
        ("RA，RF阳性", "RA", True),
        ("CTPA示PE", "PE", True),
        ("现LN IV型", "LN", True),
        ("既往LN转移", "LN", False),
        ("LA 45mm", "LA", False),
        ("2010年行LC", "LC", True),
    ],
)
def test_ambiguous_abbreviations(text: str, term: str, is_read: bool) -> None:
    from knowledge.text.terms import find_terms

    assert (term in [text[m.start : m.end] for m in find_terms(text)]) is is_read
