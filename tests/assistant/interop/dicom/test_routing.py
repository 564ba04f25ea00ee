"""Which series of a study becomes which task; bad rules are told of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assistant.interop.dicom import routing
from assistant.interop.dicom.completeness import lacking, missing
from assistant.interop.dicom.routing import BadRules, Rule, plan
from assistant.interop.dicom.settings import DicomSettings


def series(modality: str = "CT", description: str = "", **more: Any) -> dict[str, Any]:
    made = {
        "attachment": "a",
        "modality": modality,
        "description": description,
        "body_part": "",
        "own": False,
        "instances": 100,
        "numbers": list(range(1, 101)),
        "expected": 0,
    }
    return made | more


@pytest.fixture(scope="module")
def shipped() -> list[Rule]:
    return routing.read(routing.SHIPPED).rules


@pytest.mark.parametrize(
    ("one", "kinds"),
    [
        (series(description="胸部平扫 1.0mm"), {"detection", "segmentation"}),
        (series(body_part="CHEST"), {"detection", "segmentation"}),
        (series(description="Chest Topogram", instances=2), set()),
        (series(description="Lung localizer"), set()),
        (series(description="头颅平扫"), set()),
        (series(description="CTP 灌注"), {"perfusion"}),
        (series("MR", "t1_mprage_sag"), {"segmentation"}),
        (series("MR", "t2_tse_tra"), set()),
        (series("US", "胸"), set()),
        (series(description="胸", own=True), set()),
        (series(description="胸", instances=10), set()),
    ],
)
def test_the_shipped_rules(shipped: list[Rule], one: dict[str, Any], kinds: set[str]) -> None:
    assert {found.rule.task for found in plan(shipped, {"1.2": one})} == kinds


def test_what_goes_along_must_be_there(shipped: list[Rule]) -> None:
    study = {"1": series(description="abdomen"), "2": series("RTSTRUCT", instances=1)}
    (found,) = plan(shipped, study)
    assert (found.rule.task, found.series) == ("radiomics", ("1", "2"))
    assert not plan(shipped, {"1": study["1"]})


def rule(**changes: Any) -> dict[str, Any]:
    return {"name": "a", "when": {"modality": ["CT"]}, "task": "toy", **changes}


def test_the_first_rule_of_a_task_takes_a_series() -> None:
    rules = [
        Rule.model_validate(rule(name="一", options={"n": 1})),
        Rule.model_validate(rule(name="二", options={"n": 2})),
        Rule.model_validate(rule(name="三", task="other")),
    ]
    found = plan(rules, {"1": series(), "2": series()})
    assert [(one.rule.name, one.series) for one in found] == [
        ("一", ("1",)),
        ("一", ("2",)),
        ("三", ("1",)),
        ("三", ("2",)),
    ]


def test_own_rules_stand_before_the_shipped_ones_where_they_are_wanted(tmp_path: Path) -> None:
    settings = DicomSettings()
    assert routing.load(settings, tmp_path) == routing.read(routing.SHIPPED).rules
    own = tmp_path / "routing.yaml"
    own.write_text(yaml.safe_dump({"rules": [rule()]}))
    assert [one.name for one in routing.load(settings, tmp_path)] == ["a"]
    own.write_text(yaml.safe_dump({"rules": [rule()], "shipped": True}))
    found = routing.load(settings, tmp_path)
    assert found[0].name == "a"
    assert len(found) == 1 + len(routing.read(routing.SHIPPED).rules)
    settings.routing = tmp_path / "gone.yaml"
    with pytest.raises(BadRules, match=r"gone\.yaml"):
        routing.load(settings, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [", "YAML"),
        ("rules: 3", "rules"),
        ("", "无法使用"),
        (yaml.safe_dump({"rules": [rule(when={"modality": []})]}), "modality"),
        (yaml.safe_dump({"rules": [rule(when={"modality": ["CT"], "colour": 1})]}), "colour"),
        (
            yaml.safe_dump({"rules": [rule(when={"modality": ["CT"], "description": "("})]}),
            "regular expression",
        ),
        (yaml.safe_dump({"rules": [rule(task="../x")]}), "task"),
        (yaml.safe_dump({"rules": [rule(), rule()]}), "one name"),
        (
            yaml.safe_dump(
                {"rules": [rule(results=[{"forms": ["png"], "to": "peer", "name": "P"}])]}
            ),
            "only a folder",
        ),
        (yaml.safe_dump({"rules": [rule(results=[{"forms": ["sr"], "to": "peer"}])]}), "which one"),
        (yaml.safe_dump({"rules": [rule(results=[{"forms": [], "to": "folder"}])]}), "forms"),
    ],
)
def test_bad_rules_are_told_of(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(BadRules, match=said):
        routing.read(path)


@given(st.sets(st.integers(1, 60), min_size=1))
def test_gaps_of_numbers_that_count_are_missing(numbers: set[int]) -> None:
    listed = sorted(numbers)
    one = series(numbers=listed, instances=len(listed))
    gaps = listed[-1] - listed[0] + 1 - len(listed)
    assert 0 <= missing(one) <= gaps
    if 2 <= len(listed) <= 3 and gaps <= len(listed):
        assert missing(one) == gaps
    if len(listed) > 30:
        assert missing(one) == gaps, "they cannot all be even"
    told = series(numbers=listed, instances=len(listed), expected=80)
    assert missing(told) >= 80 - len(listed)


def test_numbers_that_do_not_count_tell_nothing() -> None:
    assert missing(series(numbers=[1001, 20240101], instances=2)) == 0
    assert missing(series(numbers=[2, 4, 6, 8], instances=4)) == 0
    assert missing(series(numbers=[2, 4, 8, 10], instances=4)) == 1
    assert missing(series(numbers=[], instances=7)) == 0
    assert missing(series(numbers=[], instances=7, expected=9)) == 2
    study = {"1": series(numbers=[1, 2, 4], instances=3), "2": series(numbers=[5], instances=1)}
    assert lacking(study).startswith("1 个序列缺 1 幅")
    assert lacking({"2": study["2"]}) == ""
