"""What the reader of the curated vocabulary finds in a text."""

from __future__ import annotations

import pytest

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.evidence import case_evidence
from knowledge.clinical.reading import clinical_reader
from knowledge.clinical.vocabulary import vocabulary
from knowledge.text.finding import Polarity


def said(base: ClinicalBase, text: str) -> dict[str, bool]:
    """Finding → whether it is present, for what the text says last of each."""
    return {f.concept: f.polarity is Polarity.PRESENT for f in base.reader.read(text, "n")}


@pytest.mark.parametrize(
    ("text", "finding", "present"),
    [
        ("持续胸骨后压榨性疼痛3小时", "胸骨后压榨样疼痛", True),
        ("否认胸骨后压榨样疼痛", "胸骨后压榨样疼痛", False),
        ("右上腹无压痛", "右上腹压痛", False),
        ("无右上腹压痛", "右上腹压痛", False),
        ("右上腹、剑突下明显压痛", "右上腹压痛", True),
        ("V1-V4导联ST段呈弓背向上抬高", "ST段抬高", True),
        ("ST段未见抬高", "ST段抬高", False),
        ("双下肢轻度凹陷性水肿", "下肢水肿", True),
        ("肌钙蛋白I 5.2 ng/ml", "肌钙蛋白升高", True),
        ("cTnI 0.01ng/ml", "肌钙蛋白升高", False),
        ("肌钙蛋白正常", "肌钙蛋白升高", False),
        ("高敏肌钙蛋白明显升高", "肌钙蛋白升高", True),
        ("WBC 15.3×10⁹/L", "白细胞升高", True),
        ("WBC 15300/mm³", "白细胞升高", True),
        ("白细胞6.2×10^9/L", "白细胞升高", False),
        ("血钾2.8mmol/L", "血钾降低", True),
        ("K 2.8mmol/L", "血钾降低", True),
        ("Hb85g/L，ESR90mm/h", "血红蛋白降低", True),
        ("脑脊液检查：WBC 500×10⁶/L", "脑脊液白细胞升高", True),
        ("尿常规：蛋白（+++），红细胞（++）", "尿蛋白阳性", True),
        ("中性粒细胞0.85", "中性粒细胞百分比升高", True),
        ("WBC 13.2×10^9/L，N 86%", "中性粒细胞百分比升高", True),
        ("BP 155／100mmHg", "高血压", True),
        ("BP 85/50mmHg", "低血压", True),
        ("T 39.5℃", "高热", True),
        ("T 37.6℃", "低热", True),
        ("血红蛋白从132降到86g/L", "血红蛋白降低", True),
        ("血红蛋白132g/L→86g/L", "血红蛋白降低", True),
        ("白细胞从15.3×10^9/L降至6.2×10^9/L", "白细胞升高", True),
        ("血红蛋白132g/L，血压降至80/50mmHg", "血红蛋白降低", False),
        ("HLA-B27（+）", "HLA-B27阳性", True),
        ("HLA-B27阴性", "HLA-B27阳性", False),
        ("體溫38.5℃，發燒", "发热", True),
        ("BP 88/52，T 39.6，神清", "低血压", True),
        ("BP 88/52，T 39.6，神清", "高热", True),
        ("血压 128/80", "低血压", False),
        ("血压正常", "低血压", False),
        ("体温正常", "发热", False),
    ],
)
def test_a_finding_is_read_as_it_is_meant(
    base: ClinicalBase, text: str, finding: str, present: bool
) -> None:
    assert said(base, text)[finding] is present


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("胸片示肺水肿", "水肿"),
        ("右上腹平软。左下腹压痛", "右上腹压痛"),
        ("右上腹疼痛，脐周压痛", "右上腹压痛"),
        ("下肢活动好，肺水肿", "下肢水肿"),
        ("BRAFK阳性", "血钾阳性"),
        ("脑脊液WBC 0.01×10⁹/L", "白细胞降低"),
        ("脑脊液：白细胞 500×10⁶/L，N 80%", "中性粒细胞百分比升高"),
        ("病理pT2N1M0，N 2，N 正常", "中性粒细胞百分比降低"),
        ("T 3次", "体温过低"),
        ("T 12椎体骨折", "体温过低"),
        ("BP 3/5", "低血压"),
        ("血压测了2次，BP计 88/52", "低血压"),
    ],
)
def test_what_is_not_said_is_not_read(base: ClinicalBase, text: str, finding: str) -> None:
    assert finding not in said(base, text)


def test_spans_point_into_the_text(base: ClinicalBase) -> None:
    text = "因胸骨后紧缩样痛入院，肌钙蛋白I：5.2ng/ml"
    found = {f.concept: f for f in base.reader.read(text, "n", lead="患者\n")}
    pain, troponin = found["胸骨后压榨样疼痛"], found["肌钙蛋白升高"]
    assert text[pain.span.start : pain.span.end] == pain.text == "胸骨后紧缩样痛"
    assert text[troponin.span.start : troponin.span.end] == "肌钙蛋白I：5.2ng/ml"


def test_the_range_is_that_of_the_patient(base: ClinicalBase) -> None:
    text = "白细胞12×10⁹/L"
    grown = {f.concept: f for f in base.reader.read(text, "n", age_years=40)}
    child = {f.concept: f for f in base.reader.read(text, "n", age_years=1)}
    assert grown["白细胞升高"].polarity is Polarity.PRESENT
    assert child["白细胞升高"].polarity is Polarity.ABSENT


@pytest.mark.parametrize(
    ("text", "age", "finding", "present"),
    [
        ("HR 40，R 30", 60, "心动过缓", True),
        ("HR 40，R 30", 60, "呼吸急促", True),
        ("HR 130", 0.5, "心动过速", False),
        ("SpO2 88", 60, "低氧血症", True),
        ("QRS 0.16s", 60, "QRS增宽", True),
        ("QRS 110ms", 60, "QRS增宽", False),
        ("QRS 110ms", 5, "QRS增宽", True),
        ("QTc 510", 60, "QT间期延长", True),
        ("瞳孔6mm", 60, "瞳孔散大", True),
        ("瞳孔3mm", 60, "瞳孔散大", False),
    ],
)
def test_signs_and_intervals_are_judged_without_a_unit(
    text: str, age: float, finding: str, present: bool
) -> None:
    found = {f.concept: f for f in clinical_reader().read(text, "n", age_years=age)}
    assert (found[finding].polarity is Polarity.PRESENT) is present


@pytest.mark.parametrize("text", ["P波频率95", "T12椎体压缩", "HR次数不详，3级", "R/S>1"])
def test_what_is_no_vital_sign_is_read_as_none(text: str) -> None:
    signs = {"心动过缓", "心动过速", "体温过低", "发热", "呼吸急促", "呼吸缓慢"}
    assert not signs & {f.concept for f in clinical_reader().read(text, "n", age_years=60)}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("同学们在背后议论她", True),
        ("老师指桑骂槐", True),
        ("母亲有被害妄想", False),
        ("否认被人监视", False),
    ],
)
def test_what_others_are_believed_to_do_is_the_patients_delusion(text: str, counts: bool) -> None:
    case = case_evidence(clinical_reader().read(text, "n"), vocabulary())
    assert any(name.endswith("妄想") for name in case.present) is counts
