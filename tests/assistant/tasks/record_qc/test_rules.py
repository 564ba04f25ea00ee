"""The rule set as a hospital may replace it, its tables, and the score."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from assistant.tasks.record_qc.draft import QcFinding
from assistant.tasks.record_qc.rules import RulesInvalid, patterns, read_rules, table
from assistant.tasks.record_qc.score import score

SHIPPED = (files("assistant.tasks.record_qc") / "data" / "rules.yaml").read_text("utf-8")


def finding(kind: str, number: int = 1) -> QcFinding:
    rule = read_rules().kinds[kind]
    return QcFinding(
        id=f"q{number}",
        kind=kind,
        title=rule.title,
        severity=rule.severity,
        message="",
        points=rule.points,
    )


def test_what_is_found_costs_points_up_to_the_most_of_its_kind() -> None:
    rules = read_rules()
    assert score([], rules) == (100, "甲")
    assert score([finding("wrong_name")], rules) == (90, "甲")
    many = [finding("wrong_name", n) for n in range(9)]
    assert score(many, rules) == (90, "甲")
    worse = [finding(kind) for kind in ("wrong_name", "allergy_order", "operation_consent")]
    assert score(worse, rules)[1] == "丙"


def test_a_hospitals_own_rules_are_read_from_its_home(
    tmp_path: Path, stay: dict[str, Any], check: Any
) -> None:
    stay["notes"][4]["text"] += "体温365℃。"
    own = SHIPPED.replace("name: 住院病历质控（通用）", "name: 本院").replace(
        "impossible_value: {title: 数值不可能,", "impossible_value: {enabled: false, title: 数值,"
    )
    (tmp_path / "record_qc.yaml").write_text(own, encoding="utf-8")
    rules = read_rules(tmp_path)
    assert rules.name == "本院"
    assert "impossible_value" in {f.kind for f in check(stay).findings}
    report = check(stay, rules)
    assert "impossible_value" not in {f.kind for f in report.findings}
    assert report.skipped == ["impossible_value"]
    assert report.rules.startswith("本院@")


@pytest.mark.parametrize(
    "content", ["{", "name: x", "[]", SHIPPED.replace("points: 5", "points: -5", 1)]
)
def test_a_rule_set_that_cannot_be_read_is_said_to_be(tmp_path: Path, content: str) -> None:
    (tmp_path / "record_qc.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(RulesInvalid, match=r"record_qc\.yaml"):
        read_rules(tmp_path)


@pytest.mark.parametrize(
    ("name", "column"),
    [("templates", 0), ("abbreviations", 0), ("sexes", 1), ("ages", 0)],
)
def test_each_row_of_a_table_finds_its_example(name: str, column: int) -> None:
    for row in patterns(name, column):
        assert row.pattern.search(row.cells[-1]), row.cells


def test_every_drug_of_a_class_is_one_that_its_allergy_forbids() -> None:
    rows = [(re.compile(row[1]), re.compile(row[2])) for row in table("allergens")]
    for told, drug in (("青霉素过敏", "阿莫西林胶囊"), ("头孢类过敏", "头孢呋辛酯片")):
        assert any(said.search(told) and given.search(drug) for said, given in rows)
    assert not any(s.search("青霉素过敏") and g.search("注射用头孢曲松钠") for s, g in rows)
