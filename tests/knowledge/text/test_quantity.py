"""Numbers, units and quantities."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text.folding import fold
from knowledge.text.quantity import Quantity, changes, quantities
from knowledge.text.units import read_unit, unit_rows
from tests.counted_calls import grows_in_proportion


def shown(quantity: Quantity) -> tuple[str, str]:
    return f"{quantity.comparator}{quantity.value_text}", quantity.unit_text


def one(text: str) -> Quantity:
    found = quantities(text)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("row", unit_rows(), ids=lambda row: str(row[0]))
def test_a_row_of_units_reads_its_example(row: list[str]) -> None:
    found = quantities(row[-1])[-1]
    assert row[4] in found.unit_text, found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("肝素12,500U", [("12500", "U")]),
        ("肝素12，500U", [("12500", "U")]),
        ("血小板 1,250×10^9/L", [("1250", "10^9/L")]),
        ("分别为120,130,140次/分", [("120", "次/分"), ("130", "次/分"), ("140", "次/分")]),
        ("血糖6.8,11.2", [("6.8", ""), ("11.2", "")]),
        ("1,2级", [("1", "级"), ("2", "级")]),
        ("心率88，120/80mmHg", [("88", ""), ("120/80", "mmHg")]),
        ("WBC 1.5万，N 85%", [("1.5", "万"), ("85", "%")]),
        ("1.2万/mm3", [("1.2", "万/mm3")]),
        ("青霉素80万U", [("80", "万U")]),
        ("3-5万", [("3-5", "万")]),
        ("红细胞3.2×10E12/L", [("3.2", "10^12/L")]),
        ("12.3×109/L", [("12.3", "10^9/L")]),
        ("12.3*10⁹/L", [("12.3", "10^9/L")]),
        ("12.3x10 9/L", [("12.3", "10^9/L")]),
        ("3.2×105IU/mL", [("3.2×10^5", "IU/mL")]),
        ("左室射血分数45%-50%", [("45-50", "%")]),
        ("尿量400-500ml/24h", [("400-500", "mL/24h")]),
        ("5到12mmol/L", [("5-12", "mmol/L")]),
        ("病灶约12×8×6mm", [("12*8*6", "mm")]),
        ("1.2cm×0.8cm", [("1.2*0.8", "cm")]),
        ("2.5mg×4片", [("2.5", "mg"), ("4", "片")]),
        ("心率一百二十次/分", [("120", "次/分")]),
        ("体温三十八度五", [("38.5", "℃")]),
        ("予一点五克", [("1.5", "g")]),
        ("咳嗽三四天", [("3-4", "d")]),
        ("病程十余年", [("10+", "年")]),
        ("病程一年半", [("1.5", "年")]),
        ("病程10年余", [("10+", "年")]),
        ("淋巴结转移2/15", [("2/15", "")]),
        ("血压140/90㎜Hg", [("140/90", "mmHg")]),
        ("ⅢA期，NYHA III级", [("3A", "期"), ("3", "级")]),
        ("＞38.5℃，不足3天，至少2片", [(">38.5", "℃"), ("<3", "d"), (">=2", "片")]),
        ("38℃以上", [(">=38", "℃")]),
        ("由88升至356", [("88", ""), ("356", "")]),
        ("尿量2升", [("2", "L")]),
        ("抗体1:320", [("1:320", "")]),
        ("CA125 35U/mL，SpO2 98%", [("35", "U/mL"), ("98", "%")]),
        ("EGFR 19del，十二指肠，三尖瓣，百日咳", []),
        ("百分之五十", [("50", "%")]),
        ("2026年2月30日 8:30", []),
        ("1.5克拉霉素", [("1.5", "")]),
        ("血钾3.5mmol/L", [("3.5", "mmol/L")]),
        ("中性粒细胞 12,300/μL", [("12300", "/uL")]),
        ("两个半月，1个半小时", [("2.5", "月"), ("1.5", "h")]),
        ("二三十岁，几十次", [("20-30", "岁")]),
        ("孕39+2周", [("39+2", "周")]),
        ("Ⅲ/6级杂音", [("3/6", "级")]),
        ("血压130-150/80-95mmHg", [("130-150/80-95", "mmHg")]),
        ("缬沙坦80mg/5mg", [("80/5", "mg")]),
        ("尿蛋白2+，", [("2+", "")]),
    ],
)
def test_quantities(text: str, expected: list[tuple[str, str]]) -> None:
    assert [shown(quantity) for quantity in quantities(text)] == expected


@pytest.mark.parametrize(
    ("one_text", "other"),
    [
        ("1g", "1000mg"),
        ("12,500U", "1.25万U"),
        ("5μg/(kg·min)", "5ug/kg/min"),
        ("5μg/kg·min", "300ug/kg/h"),
        ("1.2万/mm3", "12×10^9/L"),
        ("3.5mmol/24h", "3.5mmol/d"),
        ("80次/分", "80bpm"),
        ("半年", "6个月"),
        ("1/2片", "半片"),
        ("1mg/L", "1ug/mL"),
        ("一百二十次/分", "120次/分"),
    ],
)
def test_the_same_in_other_words(one_text: str, other: str) -> None:
    assert one(one_text).same(one(other))


@pytest.mark.parametrize(
    ("one_text", "other"),
    [
        ("12,500U", "500U"),
        ("5U", "5IU"),
        ("5μg/(kg·min)", "5μg/(kg·h)"),
        ("5μg/(kg·min)", "5μg"),
        ("5mg/kg", "5mg"),
        ("1g", "1ml"),
        ("10余天", "10天"),
        ("＜5mg", "5mg"),
        ("45-50%", "45%"),
        ("1250", "250"),
        ("ⅢA期", "Ⅲ期"),
        ("12，345U", "12345U"),
        ("3年", "3个月"),
        ("5级", "5期"),
    ],
)
def test_another(one_text: str, other: str) -> None:
    assert not one(one_text).same(quantities(other)[-1])


@pytest.mark.parametrize(
    ("text", "values", "unit"),
    [
        ("血红蛋白由95g/L降至68g/L，输血后回升至82g/L", ["95", "68", "82"], "g/L"),
        ("血糖从5升到12mmol/L", ["5", "12"], "mmol/L"),
        ("血小板从20升至85×10^9/L", ["20", "85"], "10^9/L"),
        ("CA199 88→356", ["88", "356"], ""),
        ("体温由39升至40.2℃", ["39", "40.2"], "℃"),
        ("血压自120/80升至180/110mmHg", ["120/80", "180/110"], "mmHg"),
        ("血小板由50上升至120，复查150×10^9/L", ["50", "120", "150"], "10^9/L"),
        ("WBC 12.5→8.6→5.4×10^9/L", ["12.5", "8.6", "5.4"], "10^9/L"),
    ],
)
def test_a_change_ends_with_what_it_has_become(text: str, values: list[str], unit: str) -> None:
    [series] = changes(text, quantities(text))
    assert [q.value_text for q in series.quantities] == values
    assert [q.unit_text for q in series.quantities] == [unit] * len(values)


UNITS = st.sampled_from([row[0].split("|")[0] for row in unit_rows() if row[2][0] != "/"])


@given(st.decimals(min_value=Decimal("0.01"), max_value=99_999, places=2), UNITS)
def test_a_written_number_is_read_again(value: Decimal, unit: str) -> None:
    for written in (f"{value}", f"{value:,}"):
        quantity = one(f"为{written} {unit}。")
        assert quantity.values == (value,)
        assert quantity.unit


@given(st.integers(1, 99_999_999))
def test_a_number_in_chinese_words_is_read_again(value: int) -> None:
    assert one(f"共{in_words(value)}枚").values == (Decimal(value),)


def in_words(value: int) -> str:
    """A number as it is said: 12034 → 一万二千零三十四."""
    if value >= 10_000:
        rest = value % 10_000
        zero = "零" if 0 < rest < 1000 else ""
        return in_words(value // 10_000) + "万" + zero + (in_words(rest) if rest else "")
    words, zero = "", False
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        figure = value // place % 10
        zero = zero or (not figure and bool(words))
        if figure:
            words += ("零" if zero else "") + "零一二三四五六七八九"[figure] + name
            zero = False
    return words


ALPHABET = (
    "0123456789.,，×x*^-~至到/:万千百十一二三半余多+ 升至降mgULkg%℃年月天次日分第约<>≤以上"
    "ⅢA期由(·)μ"
)


@given(st.text(st.sampled_from(ALPHABET), max_size=60))
def test_any_text_is_read_with_exact_spans(text: str) -> None:
    last = 0
    for quantity in quantities(text):
        assert last <= quantity.start < quantity.end <= len(text)
        assert quantity.lead <= quantity.start
        assert quantity.end <= quantity.tail
        assert quantity.numbers[0].start == quantity.start
        last = quantity.end
    changes(text, quantities(text))


@pytest.mark.parametrize(
    "piece",
    ["1", "一", ",", "1,", "1、", "1×", "1-", "十", "5mg", "由1升至", "1/", "²", "万", "<", "点"],
)
def test_hostile_text_is_work_in_proportion(piece: str) -> None:
    assert grows_in_proportion(lambda text: changes(text, quantities(text)), piece)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("μg/(kg·min)", "ug/kg/min"),
        ("mL/min/1.73m²", "mL/min/{1.73_m2}"),
        ("mmol/24h", "mmol/(24.h)"),
        ("㎜Hg", "mm[Hg]"),
        ("mg·kg⁻¹·d⁻¹", "mg/kg/d"),
        ("个/HP", "/[HPF]"),
        ("次/分", "/min"),
    ],
)
def test_units_have_their_codes(text: str, code: str) -> None:
    found = read_unit(fold(text), 0)
    assert found is not None
    assert (found[0].code, found[1]) == (code, len(text))
