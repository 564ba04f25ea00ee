"""Names of drugs in a text."""

from __future__ import annotations

import pytest

from knowledge.text.drugs import (
    DrugIndex,
    DrugNames,
    generic_name,
    product_names,
    shipped_drug,
    shipped_drugs,
    stem_rows,
)


@pytest.mark.parametrize("row", stem_rows(), ids=lambda row: str(row[1]))
def test_a_row_of_stems_finds_its_example_whole(row: list[str]) -> None:
    assert DrugNames()(f"予{row[1]}治疗") == [row[1]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("予氢化可的松静脉滴注", "氢化可的松"),
        ("异丙托溴铵雾化吸入", "异丙托溴铵"),
        ("改用替格瑞洛", "替格瑞洛"),
        ("卡培他滨口服", "卡培他滨"),
        ("予拉氧头孢抗感染", "拉氧头孢"),
        ("口服卡维地洛", "卡维地洛"),
        ("托拉塞米利尿", "托拉塞米"),
        ("改服格列美脲", "格列美脲"),
        ("多西他赛化疗", "多西他赛"),
        ("Rx: Vancomycin 1g", "Vancomycin"),
        ("予osimertinib 80mg", "osimertinib"),
    ],
)
def test_a_stem_gives_an_unlisted_drug_away_whole(text: str, name: str) -> None:
    assert DrugNames()(text) == [name]


def test_a_known_name_within_another_drug_is_not_that_drug() -> None:
    drugs = DrugNames(["胰岛素注射液", "泼尼松片"])
    assert drugs("予地特胰岛素注射液皮下注射") == ["地特胰岛素注射液"]
    assert drugs("予胰岛素注射液皮下注射") == ["胰岛素注射液"]


def test_places_are_those_of_the_names() -> None:
    text = "停用胰岛素注射液，改门冬胰岛素，加用二甲双胍"
    drugs = DrugNames(["胰岛素注射液"])
    assert {text[a:b] for a, b in drugs.spans(text)} == set(drugs(text))
    assert [d.name for d in drugs.find(text)] == ["胰岛素注射液", "门冬胰岛素", "二甲双胍"]


@pytest.mark.parametrize(
    ("product", "generic"),
    [
        ("盐酸左氧氟沙星胶囊", "左氧氟沙星"),
        ("注射用头孢曲松钠", "头孢曲松"),
        ("甲磺酸左氧氟沙星氯化钠注射液", "左氧氟沙星"),
        ("阿司匹林肠溶片", "阿司匹林"),
        ("氯化钠注射液", "氯化钠"),
        ("硝酸甘油片", "硝酸甘油"),
    ],
)
def test_generic_names(product: str, generic: str) -> None:
    assert generic_name(product) == generic


def test_a_brand_leads_to_its_generic_name() -> None:
    drugs = DrugIndex(
        product_names([("盐酸左氧氟沙星片", "商品名：可乐必妥、来立信。适应症：肺炎。")])
    )
    assert drugs.generic("可乐必妥") == "左氧氟沙星"
    assert drugs.generic("盐酸左氧氟沙星注射液") == "左氧氟沙星"
    assert drugs.generic("不知道这个药") is None
    assert drugs.spans("予来立信") == [(1, 4)]


def test_the_shipped_names() -> None:
    assert shipped_drug("波立维") == "氯吡格雷"
    assert len(shipped_drugs()) > 150
