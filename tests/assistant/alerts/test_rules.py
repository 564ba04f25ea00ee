"""Each rule speaks in its own test cases, and only in those in which it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.alerts.engine import alerts_of
from assistant.alerts.rule import (
    CHECKS,
    Rule,
    RulesInvalid,
    Sample,
    all_cases,
    rules_of,
    shipped_rules,
)
from assistant.alerts.sample import encounter_of

CASES = list(all_cases(shipped_rules().values()))


@pytest.mark.parametrize("rule", shipped_rules().values(), ids=lambda rule: rule.id)
def test_a_rule_does_what_its_cases_say(rule: Rule) -> None:
    for _, sample, speaks in all_cases([rule]):
        found = alerts_of(encounter_of(sample), {rule.id: rule})
        assert bool(found) is speaks, sample.model_dump(exclude_defaults=True)
        for alert in found:
            assert alert.evidence or rule.id.startswith("child"), "it shows where"
            assert "{" not in alert.message, alert.message
            for place in alert.evidence:
                note = encounter_of(sample).note(place.note_id)
                assert note is not None
                assert note.text[place.start : place.end] == place.quote


def test_there_are_rules_of_every_kind() -> None:
    rules = shipped_rules().values()
    pairs = [r for r in rules if any(c.beside for c in r.when)]
    assert len(pairs) >= 40
    assert {c.check for r in rules for c in r.when if c.check} == set(CHECKS)
    assert all(r.question for r in rules if "未见" in r.title), "what is missing is asked"
    assert not [r for r in rules if r.question and r.is_interruptive]


def write(home: Path, text: str) -> Path:
    (home / "alerts").mkdir()
    (home / "alerts" / "own.yaml").write_text(text, encoding="utf-8")
    return home


def test_a_hospital_switches_rules_off_and_adds_its_own(tmp_path: Path) -> None:
    own = """
- {id: allergy, enabled: false}
- {id: acei-arb, severity: critical}
- id: own-rule
  title: 本院规则
  severity: info
  source: {name: 本院药事委员会, year: 2026}
  when: [{drug: 氯吡格雷}]
  message: "{drug}"
  settle: 知晓
  cases: {fires: [[氯吡格雷片]], quiet: [[阿司匹林肠溶片]]}
"""
    rules = rules_of(write(tmp_path, own), off=["cross-allergy"])
    assert "allergy" not in rules
    assert "cross-allergy" not in rules
    assert rules["acei-arb"].severity == "critical"
    assert rules["acei-arb"].when == shipped_rules()["acei-arb"].when
    sample = Sample(drugs=("氯吡格雷片",))
    assert [a.rule for a in alerts_of(encounter_of(sample), rules)] == ["own-rule"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "own.yaml"),
        ("a: 1", "own.yaml"),
        ("- 1", "第 1 条"),
        ("- {id: x}", "title"),
        ("- {id: acei-arb, severity: loud}", "severity"),
        ("- {id: acei-arb, when: [{drug: 没有的类}]}", "没有的类"),
        ("- {id: acei-arb, when: [{problem: 没有的病}]}", "没有的病"),
        ("- {id: acei-arb, when: [{drug: ACEI, age: {below: 3}}]}", "one thing"),
    ],
)
def test_a_file_of_rules_that_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    if named == "没有的类" or "when" in text:
        text = text.replace(
            "}]}", "}], title: t, severity: info, source: {name: xx, year: 2020}, message: m, "
            "settle: s, cases: {fires: [[x]], quiet: [[y]]}}",
        )  # fmt: skip
    with pytest.raises(RulesInvalid, match=named):
        rules_of(write(tmp_path, text))
