"""Hints at rare diseases as they are counted."""

from __future__ import annotations

import pytest

from assistant.record.case import Case
from assistant.record.patient import Patient
from eval.clinical.differential.cases import DiagnosisCase
from eval.clinical.differential.measure import Measured
from eval.clinical.differential.members import Answer
from eval.clinical.differential.rare import hinted, is_named, misses

WILSON = ("肝豆状核变性", "Wilson disease")


def case(name: str, gold: tuple[str, ...], kind: str) -> DiagnosisCase:
    shown = Case(patient=Patient(id="case"), encounter_id="case", text="发热")
    return DiagnosisCase(name, shown, gold, (), kind)


def measured(rare: dict[str, tuple[tuple[str, ...], ...]]) -> Measured:
    answers = {key: Answer(rare=names) for key, names in rare.items()}
    return Measured("ranking", {}, [], {key: {} for key in rare}, answers)


@pytest.mark.parametrize(
    ("names", "hit"),
    [
        (("Alport综合征", "Alport syndrome 3, autosomal dominant"), True),
        (("Noonan综合征", "Noonan syndrome 1"), False),
    ],
)
def test_a_type_of_the_disease_is_the_disease(names: tuple[str, ...], hit: bool) -> None:
    assert is_named(names, case("a", ("奥尔波特", "Alport syndrome"), "rare")) is hit


def test_recall_is_of_rare_cases_and_false_hints_of_the_others() -> None:
    cases = [
        case("found", WILSON, "rare"),
        case("missed", ("法布里病",), "rare"),
        case("silent", ("肺炎",), "common"),
        case("false", ("肺炎",), "common"),
    ]
    told = measured({"found": (WILSON,), "missed": (), "silent": (), "false": (WILSON,)})
    values = [figure.value for figure in hinted(cases, told)]
    assert values == [50.0, 0.0, 0.5, 50.0]
    (table,) = misses(cases, told)
    assert [row[0] for row in table.rows] == ["missed", "false"]


def test_a_set_without_rare_cases_and_hints_says_nothing() -> None:
    assert hinted([case("a", ("肺炎",), "common")], measured({"a": ()})) == []
