"""Which names are right."""

from __future__ import annotations

import pytest

from assistant.record.case import Case
from assistant.record.patient import Patient
from eval.clinical.differential.cases import DiagnosisCase
from eval.clinical.differential.names import Match, Names
from knowledge.base import KnowledgeBase


def case(*gold: str, same: tuple[str, ...] = ()) -> DiagnosisCase:
    empty = Case(patient=Patient(id="p"), encounter_id="e", text="x")
    return DiagnosisCase("c", empty, gold, same)


@pytest.mark.parametrize(
    ("gold", "name", "expected"),
    [
        ("肺炎", "肺炎", Match.EXACT),
        ("2型糖尿病", "２型糖尿病", Match.EXACT),
        ("肺炎", "社区获得性肺炎", Match.ALIAS),
        ("社区获得性肺炎", "肺炎", Match.ALIAS),
        ("上呼吸道感染", "普通感冒", Match.ALIAS),
        ("手足口病", "小儿手足口病", Match.ALIAS),
        ("上呼吸道感染", "急性上呼吸道感染", Match.ALIAS),
        ("糖尿病", "2型糖尿病", None),
        ("肺炎", "肺栓塞", None),
        ("肺炎", "谁也不认识的病", None),
        ("谁也不认识的病", "谁也不认识的病", Match.EXACT),
    ],
)
def test_how_a_name_hits(base: KnowledgeBase, gold: str, name: str, expected: Match | None) -> None:
    assert Names(base).match(name, case(gold)) is expected


def test_categories_are_of_the_base_and_of_a_table_and_never_guessed(base: KnowledgeBase) -> None:
    names = Names(base)
    assert names.categories("急性阑尾炎") == {"K35"}
    assert names.categories("手足口病") == {"B08"}
    assert names.categories("糖尿病") == {"E14"}
    assert names.categories("糖尿病足") == frozenset()


def test_the_same_category_is_a_hit_of_its_own(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(base)
    codes = {"心梗样综合征": frozenset({"I21", "I22"}), "急性心肌梗死": frozenset({"I21"})}
    monkeypatch.setattr(names, "categories", lambda name: codes.get(name, frozenset()))
    assert names.match("急性心肌梗死", case("心梗样综合征")) is Match.CATEGORY
    assert names.match("肺炎", case("心梗样综合征")) is None


def test_places_count_a_stricter_hit_for_the_looser_ways(base: KnowledgeBase) -> None:
    names = Names(base)
    found = names.places(["肺栓塞", "社区获得性肺炎", "哮喘", "肺炎"], case("肺炎"))
    assert found == {Match.ALIAS: 2, Match.CATEGORY: 2, Match.EXACT: 4}
    assert names.places([], case("肺炎")) == {}


def test_what_gives_the_diagnosis_away(base: KnowledgeBase) -> None:
    names = Names(base)
    assert {"上呼吸道感染", "感冒", "普通感冒"} <= names.giving_away(case("上呼吸道感染"))
    assert "手足口病" in names.giving_away(case("小儿手足口病"))
    # 腹泻 is what the child has, not what it is called.
    told = names.giving_away(case("小儿腹泻"))
    assert "婴幼儿腹泻" in told
    assert "腹泻" not in told
    assert "另称" in names.giving_away(case("肺炎", same=("另称",)))
