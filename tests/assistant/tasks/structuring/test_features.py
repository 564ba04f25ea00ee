"""The shipped templates on reports written for these tests."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.tasks.structuring.features import Row, extract_features
from assistant.tasks.structuring.template import load_template, shipped_templates

TWO_NODULES = (
    "右肺上叶尖段见一实性结节，大小约12mm×8mm，边缘毛糙，可见短毛刺及浅分叶，牵拉邻近胸膜。增强扫描明显强化。\n"
    "左肺下叶见一磨玻璃结节，直径约0.6cm，边界清楚，未见毛刺。余肺内未见明确肿块影。\n"
    "纵隔内未见明显肿大淋巴结。双侧胸腔未见积液。心包少量积液。"
)
CLEAR = "双肺纹理清晰，未见结节及肿块影。纵隔淋巴结未见肿大。两侧胸膜无增厚，胸腔无积液。"
COLON = (
    "送检：右半结肠切除标本。升结肠溃疡型中分化腺癌，肿瘤大小4.5×3×1.2cm，浸润至浆膜下层，脉管内见癌栓，"
    "未见神经侵犯。上下切缘均未见癌。肠周淋巴结（3/15）见癌转移，另送淋巴结（0/4）。pT3N1bM0，IIIB期。"
    "免疫组化：MLH1（+），MSH2（+），CK20（+），CK7（-），Ki-67约60%，HER2（2+），P53（野生型）。"
)
BREAST = (
    "左乳浸润性导管癌，Ⅱ级，肿块直径2.1cm，未见脉管癌栓，切缘阴性，前哨淋巴结0/3未见癌转移。"
    "ER（90%，强+），PR（-），HER-2（1+），Ki67（30%）。"
)
BLOOD = (
    "血常规：WBC 12.3×10^9/L↑，NEUT% 85.2%，Hb 85g/L ↓，PLT 210×10^9/L。CRP 56mg/L（参考值0-8）。\n"
    "HBsAg（-）。血钾3.2mmol/L。"
)


def rows(text: str, template: str) -> list[Row]:
    found = extract_features(text, "r1", load_template(template))
    for row in found:
        for cell in row.cells.values():
            assert (cell.value is None) == (not cell.evidence)
            for mention in cell.evidence:
                assert text[mention.start : mention.end] == mention.text
    return found


def values(row: Row) -> dict[str, str]:
    return {name: cell.value for name, cell in row.cells.items() if cell.value is not None}


def test_each_nodule_is_a_row_with_its_own_features() -> None:
    first, second = map(values, rows(TWO_NODULES, "chest-ct"))
    assert first["lobe"] == "右肺上叶"
    assert (first["size"], first["density"], first["margin"]) == ("12*8", "实性", "毛糙")
    assert (first["spiculation"], first["lobulation"], first["pleural_retraction"]) == ("有",) * 3
    assert first["segment"] == "尖段"
    assert second["lobe"] == "左肺下叶"
    assert (second["size"], second["density"], second["margin"]) == ("0.6", "磨玻璃", "清楚")
    assert second["spiculation"] == "无"
    assert "enhancement" not in second
    for row in (first, second):
        assert row["lymph_node"] == "无"
        assert row["pleural_effusion"] == "无"
        assert row["pericardial_effusion"] == "有"


def test_no_nodule_is_no_nodule() -> None:
    (row,) = rows(CLEAR, "chest-ct")
    found = values(row)
    assert found["lesion"] == "无"
    assert {"size", "margin", "density"}.isdisjoint(found)
    assert (found["lymph_node"], found["pleural_thickening"], found["pleural_effusion"]) == (
        "无",
    ) * 3


def test_a_denial_ends_at_its_comma_where_it_can() -> None:
    (row,) = rows("右肺下叶见实性结节，直径9mm，未见毛刺，边缘光滑。", "chest-ct")
    found = values(row)
    assert (found["spiculation"], found["margin"], found["lesion"]) == ("无", "光滑", "有")


def test_a_lesion_that_is_only_suspected() -> None:
    (row,) = rows("右肺中叶可疑结节影，建议复查。", "chest-ct")
    assert values(row)["lesion"] == "可疑"


def test_pathology_of_a_colon() -> None:
    (row,) = rows(COLON, "pathology")
    found = values(row)
    assert (found["histology"], found["differentiation"], found["gross_type"]) == (
        "腺癌", "中分化", "溃疡型",
    )  # fmt: skip
    assert (found["pt"], found["pn"], found["pm"], found["stage"]) == ("T3", "N1b", "M0", "IIIB期")
    assert (found["nodes_positive"], found["nodes_examined"]) == ("3", "19")
    assert found["node_metastasis"] == "有"
    assert (found["vascular_invasion"], found["perineural_invasion"]) == ("有", "无")
    assert found["margin"] == "阴性"
    assert (found["size"], found["depth"]) == ("4.5*3*1.2", "浆膜下层")
    markers = {"mlh1": "+", "ck7": "-", "ki67": "60%", "her2": "2+", "p53": "野生型"}
    assert {name: found[name] for name in markers} == markers


def test_pathology_of_a_breast() -> None:
    (row,) = rows(BREAST, "pathology")
    found = values(row)
    assert (found["site"], found["side"], found["histology"]) == ("乳腺", "左", "浸润性导管癌")
    assert (found["vascular_invasion"], found["margin"]) == ("无", "阴性")
    assert (found["nodes_positive"], found["nodes_examined"]) == ("0", "3")
    assert found["node_metastasis"] == "无"
    assert (found["her2"], found["ki67"], found["pr"]) == ("1+", "30%", "-")


def test_laboratory() -> None:
    (row,) = rows(BLOOD, "laboratory")
    cells = row.cells
    assert (cells["wbc"].value, cells["wbc"].unit, cells["wbc"].flag) == ("12.3", "10^9/L", "high")
    assert (cells["hgb"].value, cells["hgb"].flag) == ("85", "low")
    assert cells["neut_pct"].value == "85.2"
    assert (cells["crp"].flag, cells["crp"].reference) == ("high", "0-8")
    assert (cells["hbsag"].value, cells["hbsag"].flag) == ("-", "negative")
    assert cells["alt"].value is None


def test_a_result_below_a_limit_is_not_the_limit() -> None:
    (row,) = rows("降钙素原<0.05ng/ml，乙肝表面抗原<0.03IU/mL", "laboratory")
    assert (row.cells["pct"].comparator, row.cells["pct"].value) == ("<", "0.05")


@pytest.mark.parametrize(
    ("text", "template", "feature", "value"),
    [
        ("上切缘见癌累及，下切缘阴性。", "pathology", "margin", "阳性"),
        ("上、下切缘均阴性，ER阳性。", "pathology", "margin", "阴性"),
        ("MVI：M1，未侵犯肝被膜。", "pathology", "pm", None),
        ("甲状腺乳头状癌，未侵犯被膜。", "pathology", "depth", None),
        ("肿瘤侵及固有肌层。", "pathology", "depth", "固有肌层"),
        (
            "淋巴结：第7组（1/3），第10组（0/2），第4R组（2/5）。",
            "pathology",
            "nodes_positive",
            "3",
        ),
        ("小弯侧3/8，大弯侧0/5，贲门旁2/4。", "pathology", "nodes_examined", "17"),
        ("淋巴结3/10，其中第7组1/3、第10组2/7。", "pathology", "nodes_positive", "3"),
        ("双肺下叶见斑片状高密度影。纵隔淋巴结肿大，短径约1.5cm。", "chest-ct", "size", None),
        ("双肺下叶见斑片状高密度影。", "chest-ct", "density", None),
        ("肺动脉干增宽约33mm。双肺未见结节。", "chest-ct", "size", None),
        ("右肺上叶结节，大小约8mm，邻近胸膜牵拉。", "chest-ct", "size", "8"),
        ("双侧胸腔积液较前吸收，现未见积液。", "chest-ct", "pleural_effusion", "无"),
        ("双侧胸腔积液较前吸收。", "chest-ct", "pleural_effusion", "有"),
        ("左侧气胸已吸收。", "chest-ct", "pneumothorax", "无"),
        ("右侧胸腔积液。左侧未发现胸腔积液。", "chest-ct", "pleural_effusion", "有"),
        ("右肺上叶见实性结节，邻近胸膜牵拉，大小约12mm×10mm。", "chest-ct", "size", "12*10"),
        ("右肺门肿块，包绕支气管，范围约4.5cm×3.0cm。", "chest-ct", "size", "4.5*3.0"),
        ("送检淋巴结14枚，见癌转移2/14。", "pathology", "nodes_positive", "2"),
        ("切缘距肿瘤2cm，脉管癌栓(+)，远切缘阴性。", "pathology", "margin", "阴性"),
        ("原右肺上叶结节（8mm）较前缩小，现约5mm。", "chest-ct", "size", "5"),
    ],
)
def test_what_a_report_says_and_what_it_does_not(
    text: str, template: str, feature: str, value: str | None
) -> None:
    assert rows(text, template)[0].cells[feature].value == value


def test_the_last_result_counts() -> None:
    (row,) = rows("标本溶血，血钾6.8mmol/L，建议复查。复查血钾4.1mmol/L。", "laboratory")
    assert row.cells["potassium"].value == "4.1"


def test_a_count_of_urine_is_not_the_blood_count() -> None:
    (row,) = rows("尿常规：白细胞 25/HP。血常规：白细胞 4.5×10^9/L。", "laboratory")
    assert row.cells["wbc"].value == "4.5"


@pytest.mark.parametrize("name", shipped_templates())
@settings(max_examples=40, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(
            [TWO_NODULES[:40], COLON[:50], BREAST, BLOOD, "😷", "\r\n", "未见", "\x00"]
        ),
        max_size=6,
    )
)
def test_evidence_is_exact_in_any_text(name: str, pieces: list[str]) -> None:
    rows("".join(pieces), name)


@pytest.mark.parametrize(
    ("text", "feature", "value"),
    [
        ("纵隔淋巴结肿大，短径约1.5cm。肝内见低密度影，大小3.2cm。", "lymph_node_size", "1.5"),
        ("右肺上叶结节，较前缩小，原12mm×10mm，现8mm×6mm。", "size", "8*6"),
        ("右肺上叶结节，大小由5mm->8mm。", "size", "8"),
    ],
)
def test_a_size_is_of_what_its_sentence_names_and_of_now(
    text: str, feature: str, value: str
) -> None:
    rows = extract_features(text, "n", load_template("chest-ct"))
    assert (rows[0].cells[feature].comparator, rows[0].cells[feature].value) == ("", value)


def test_a_distance_is_no_size_and_a_later_clause_may_hold_the_metastasis() -> None:
    (row,) = rows("肿瘤距下切缘2cm，大小4.5×3×1cm。环周切缘距肿瘤0.1cm。", "pathology")
    assert (row.cells["size"].value, row.cells["size"].unit) == ("4.5*3*1", "cm")
    text = "（前哨淋巴结）3枚，其中1枚见癌转移（1/3），（腋窝淋巴结）0/12未见癌。"
    (row,) = rows(text, "pathology")
    assert row.cells["node_metastasis"].value == "有"
    assert row.cells["nodes_positive"].value == "1"


def test_an_impression_says_no_lesion_twice() -> None:
    found = "右肺上叶见磨玻璃结节，大小约8mm。左肺下叶见实性结节，大小约5mm。"
    text = f"{found}\n印象：右肺上叶磨玻璃结节；左肺下叶结节。"
    assert [row.cells["size"].value for row in rows(text, "chest-ct")] == ["8", "5"]
    (only,) = rows("印象：右肺上叶磨玻璃结节，大小约8mm。", "chest-ct")
    assert only.cells["size"].value == "8"


def test_a_unit_behind_the_arrow() -> None:
    (row,) = rows("白细胞 12.3 ↑ 10^9/L 3.5-9.5\n血红蛋白 98 ↓ g/L 130-175", "laboratory")
    wbc, hgb = row.cells["wbc"], row.cells["hgb"]
    assert (wbc.value, wbc.unit, wbc.flag, wbc.reference) == ("12.3", "10^9/L", "high", "3.5-9.5")
    assert (hgb.value, hgb.unit, hgb.flag, hgb.reference) == ("98", "g/L", "low", "130-175")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "右肺上叶及左肺下叶见实性结节，大小分别约5mm、8mm。",
            [("右肺上叶", "实性", "", "5"), ("左肺下叶", "实性", "", "8")],
        ),
        (
            "右肺上叶尖段、左肺下叶背段各见一磨玻璃结节，直径分别为5mm和8mm。",
            [("右肺上叶", "磨玻璃", "", "5"), ("左肺下叶", "磨玻璃", "", "8")],
        ),
        (
            "右肺上叶、左肺下叶见结节，大者约8mm。",
            [("右肺上叶", None, "<=", "8"), ("左肺下叶", None, "<=", "8")],
        ),
        (
            "右肺上叶、左肺下叶见结节，最大者位于左肺下叶，约8mm。",
            [("右肺上叶", None, "<=", "8"), ("左肺下叶", None, "", "8")],
        ),
        (
            "右肺上叶、左肺下叶见结节，前者约5mm，后者约8mm。",
            [("右肺上叶", None, "", "5"), ("左肺下叶", None, "", "8")],
        ),
        (
            "右肺上叶、左肺下叶见结节，较大者位于右肺上叶，约9mm，左肺下叶约4mm。",
            [("右肺上叶", None, "", "9"), ("左肺下叶", None, "", "4")],
        ),
        (
            "右肺中叶、左肺下叶见大小约3mm、4mm结节。",
            [("右肺中叶", None, "", "3"), ("左肺下叶", None, "", "4")],
        ),
        (
            "右肺上、中叶及左肺下叶见结节，大小约5mm、6mm、8mm。",
            [("右肺上叶、右肺中叶", None, "<=", "8"), ("左肺下叶", None, "<=", "8")],
        ),
        (
            "右肺上叶、左肺下叶见结节，大者>10mm。",
            [("右肺上叶", None, "", None), ("左肺下叶", None, "", None)],
        ),
        (
            "右肺上叶及中叶见结节，约5mm。\n印象：右肺上、中叶结节。",
            [("右肺上叶、右肺中叶", None, "", "5")],
        ),
        (
            "右肺上叶见结节。\n印象：右肺上叶、左肺下叶结节。",
            [("右肺上叶", None, "", None), ("左肺下叶", None, "", None)],
        ),
        ("左肺上、下叶见结节，约5mm。", [("左肺上叶、左肺下叶", None, "", "5")]),
        ("右肺上叶及中叶见结节，邻近左肺下叶。", [("右肺上叶、右肺中叶", None, "", None)]),
        (
            "左肺上叶支气管扩张，右肺下叶见结节，约5mm。",
            [("右肺下叶", None, "", "5")],
        ),
    ],
)
def test_places_that_share_a_word_are_lesions_of_their_own(
    text: str, told: list[tuple[str | None, ...]]
) -> None:
    found = [
        (
            row.cells["lobe"].value,
            row.cells["density"].value,
            row.cells["size"].comparator,
            row.cells["size"].value,
        )
        for row in rows(text, "chest-ct")
    ]
    assert found == told
