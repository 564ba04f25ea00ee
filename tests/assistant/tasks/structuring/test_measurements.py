from __future__ import annotations

import pytest

from assistant.tasks.structuring.measurements import Measurements
from assistant.tasks.structuring.span import EntityType, TypedSpan


def measured(text: str, word: str, kind: EntityType = EntityType.TEST):  # type: ignore[no-untyped-def]
    start = text.index(word)
    return Measurements(text).of(TypedSpan(start, start + len(word), kind), len(text))


@pytest.mark.parametrize(
    ("text", "word", "value", "unit", "flag", "reference"),
    [
        ("血红蛋白 85 g/L ↓", "血红蛋白", "85", "g/L", "low", ""),
        ("T 38.5℃", "T", "38.5", "℃", None, ""),
        ("BP 130/80 mmHg", "BP", "130/80", "mmHg", None, ""),
        ("WBC 12.3×10^9/L", "WBC", "12.3", "10^9/L", None, ""),
        ("PLT 100*10⁹/L", "PLT", "100", "10^9/L", None, ""),
        ("ＷＢＣ　１２.３×１０^９/L↑", "ＷＢＣ", "12.3", "10^9/L", "high", ""),
        ("肌酐为98μmol/L（参考值 44-97）", "肌酐", "98", "umol/L", "high", "44-97"),
        ("血钾 4.2 mmol/L（3.5-5.5）", "血钾", "4.2", "mmol/L", "normal", "3.5-5.5"),
        ("血钾 4.2 mmol/L 3.5-5.5 ↓", "血钾", "4.2", "mmol/L", "low", "3.5-5.5"),
        ("D-二聚体 阴性", "D-二聚体", "阴性", "", "negative", ""),
        ("HBsAg（+）", "HBsAg", "+", "", "positive", ""),
        ("血常规未见异常", "血常规", "未见异常", "", "normal", ""),
        ("体温最高39.2℃", "体温", "39.2", "℃", None, ""),
    ],
)
def test_results(
    text: str, word: str, value: str, unit: str, flag: str | None, reference: str
) -> None:
    found = measured(text, word)
    assert found is not None
    assert (found.value, found.unit, found.flag, found.reference) == (value, unit, flag, reference)
    assert text[found.start : found.end] == found.text


@pytest.mark.parametrize("text", ["WBC检查3天后复查", "白细胞", "血压药物2片", "肌酐。98分"])
def test_a_number_of_something_else_is_no_result(text: str) -> None:
    assert measured(text, text[:2] if text[0] != "W" else "WBC") is None


def test_a_size_is_of_what_is_seen() -> None:
    found = measured("见一结节，大小约1.2cm×0.8cm，边缘清", "结节", EntityType.SIGN)
    assert found is not None
    assert (found.value, found.unit, found.text) == ("1.2*0.8", "cm", "1.2cm×0.8cm")
    assert measured("见一结节，血钾3.2mmol/L", "结节", EntityType.SIGN) is None
