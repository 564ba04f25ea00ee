"""Cautions apply when the record says so, and not when it denies it."""

from __future__ import annotations

import pytest

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.cautions import applied_cautions, conditions
from knowledge.clinical.entry import Entry
from knowledge.clinical.vocabulary import vocabulary

KEYS = {
    "过敏:青霉素": "不用青霉素类",
    "同用:华法林": "监测INR",
    "合并:水肿": "注意容量",
    "高龄": "减量",
    "儿童": "慎用",
}


def applied(base: ClinicalBase, text: str, age: float | None = None) -> set[str]:
    entry = Entry(name="某病", common=3, cautions=KEYS)
    case = base.evidence({"n": text}, age_years=age)
    return {one.key for one in applied_cautions(entry, case, {"n": text}, base)}


@pytest.mark.parametrize(
    ("text", "age", "keys"),
    [
        ("青霉素过敏史", None, {"过敏:青霉素"}),
        ("对青霉素类药物过敏", None, {"过敏:青霉素"}),
        ("否认青霉素过敏", None, set()),
        ("头孢过敏，曾用青霉素", None, set()),
        ("长期口服华法林3mg qd", None, {"同用:华法林"}),
        ("未服用华法林", None, set()),
        ("双下肢水肿", None, {"合并:水肿"}),
        ("双下肢无水肿", None, set()),
        ("母亲青霉素过敏", None, set()),
        ("发热", 70, {"高龄"}),
        ("发热", 5, {"儿童"}),
        ("发热", 40, set()),
        ("发热", None, set()),
    ],
)
def test_a_caution_applies_to_this_record(
    base: ClinicalBase, text: str, age: float | None, keys: set[str]
) -> None:
    assert applied(base, text, age) == keys


def test_the_groups_name_findings_that_there_are() -> None:
    known = vocabulary()
    named = {f for row in conditions().values() for f in row if not f.startswith("age")}
    assert {name for name in named if known.kind(name) is None} == set()
