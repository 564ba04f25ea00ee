"""When rare diseases are hinted at, and what speaks for and against them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.vocabulary import vocabulary
from knowledge.ranking.demographics import Sex
from knowledge.rare.base import RareBase
from knowledge.rare.passage import passage_id, rare_passage
from knowledge.rare.ranking import RareHint

WILSON = "裂隙灯见K-F环，铜蓝蛋白0.05g/L，24小时尿铜升高，双手震颤。"


@pytest.fixture(scope="module")
def clinical() -> ClinicalBase:
    return ClinicalBase([], vocabulary())


def hints(
    rare: RareBase,
    clinical: ClinicalBase,
    text: str,
    age: float | None = 16,
    sex: Sex | None = None,
) -> list[RareHint]:
    texts = {"text": text}
    return rare.hints(texts, clinical.evidence(texts, age_years=age, sex=sex))


def test_several_telling_findings_hint_at_their_disease(
    rare: RareBase, clinical: ClinicalBase
) -> None:
    (hint,) = hints(rare, clinical, WILSON)
    assert (hint.disease.chinese, hint.disease.ids) == (
        "肝豆状核变性",
        ("ORPHA:905", "OMIM:277900"),
    )
    said = {r.finding.text: r for r in hint.reasons}
    assert {"K-F环", "尿铜升高"} <= {*said}
    assert said["K-F环"].rate == pytest.approx(0.9)
    assert all(WILSON[r.finding.span.start : r.finding.span.end] == t for t, r in said.items())


def test_a_classic_in_three_findings_hints_at_a_known_disease_alone(
    rare: RareBase, clinical: ClinicalBase
) -> None:
    text = "裂隙灯见K-F环，铜蓝蛋白0.05g/L，双手震颤。"
    assert [hint.disease.chinese for hint in hints(rare, clinical, text)] == ["肝豆状核变性"]
    unknown = tuple(replace(disease, chinese="") for disease in rare.table.diseases)
    assert not hints(RareBase(replace(rare.table, diseases=unknown)), clinical, text)


@pytest.mark.parametrize(
    "text",
    [
        "裂隙灯见K-F环，双手震颤。",
        "裂隙灯未见K-F环，铜蓝蛋白0.25g/L，24小时尿铜正常，双手震颤。",
        "发热3天，肝脾肿大，言语不清，智力落后。",
        "",
    ],
)
def test_few_or_common_findings_hint_at_nothing(
    rare: RareBase, clinical: ClinicalBase, text: str
) -> None:
    assert hints(rare, clinical, text) == []


def test_what_the_disease_does_not_show_speaks_against_it(
    rare: RareBase, clinical: ClinicalBase
) -> None:
    plain = hints(rare, clinical, WILSON)[0]
    (hint,) = hints(rare, clinical, WILSON + "腹部见血管角质瘤。")
    (against,) = [r for r in hint.reasons if r.relation == "against"]
    assert (against.finding.text, against.rate) == ("血管角质瘤", 0)
    assert hint.score < plain.score


def test_a_denied_finding_that_most_patients_have_speaks_against(
    rare: RareBase, clinical: ClinicalBase
) -> None:
    text = "裂隙灯见K-F环，铜蓝蛋白0.05g/L，24小时尿铜升高，无震颤。"
    (hint,) = hints(rare, clinical, text)
    (against,) = [r for r in hint.reasons if r.relation == "against"]
    assert against.finding.text == "震颤"
    assert against.rate == pytest.approx(0.55, abs=0.01)


def test_a_disease_of_the_young_is_less_likely_before_and_of_men_in_women(
    rare: RareBase, clinical: ClinicalBase
) -> None:
    assert hints(rare, clinical, WILSON, age=1)[0].score < hints(rare, clinical, WILSON)[0].score
    table = rare.table
    fabry = next(n for n, d in enumerate(table.diseases) if d.name == "Fabry disease")
    of_patient = rare.ranking.of_patient
    assert of_patient(30, "female")[fabry] < of_patient(30, "male")[fabry] == 0


def test_a_broader_listed_phenotype_counts_as_far_as_it_is_alike(rare: RareBase) -> None:
    table, ranking = rare.table, rare.ranking
    numbers = {p.name: n for n, p in enumerate(table.phenotypes)}
    ring, cornea = numbers["Kayser-Fleischer ring"], numbers["Abnormal cornea morphology"]
    assert cornea in table.phenotypes[ring].lines
    fabry = next(n for n, d in enumerate(table.diseases) if d.name == "Fabry disease")
    gain, like, listed = ranking.gain(ring)
    assert 0 < like[fabry] < 1
    assert (listed[fabry], gain[fabry] > 0) == (cornea, True)


def test_a_hint_cites_what_the_data_say(rare: RareBase, clinical: ClinicalBase) -> None:
    (hint,) = hints(rare, clinical, WILSON)
    passage = rare_passage(rare.table, passage_id(hint.disease))
    assert passage is not None
    assert "凯-弗环（Kayser-Fleischer ring）（极常见，约90%）" in passage.text
    assert "不应有：Angiokeratoma" in passage.text
    assert rare_passage(rare.table, "rare:ORPHA:1") is None


def test_a_table_is_the_same_after_writing(rare: RareBase, tmp_path: Path) -> None:
    folder = tmp_path
    assert RareBase.open(folder) is None
    rare.table.write(folder)
    again = RareBase.open(folder)
    assert again is not None
    assert again.table.diseases == rare.table.diseases
    assert again.table.phenotypes == rare.table.phenotypes
    assert (again.table.rates == rare.table.rates).all()
    assert (again.table.findings, again.table.wordings) == (
        rare.table.findings,
        rare.table.wordings,
    )
