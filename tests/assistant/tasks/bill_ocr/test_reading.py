"""From lines of text to documents, as a user gets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from assistant.tasks.bill_ocr.document import BillDocument, Cell, DocumentKind
from assistant.tasks.bill_ocr.filing import recheck
from assistant.tasks.bill_ocr.laboratory import BY_RANGE
from assistant.tasks.bill_ocr.page import ReadPage
from assistant.tasks.bill_ocr.reading import OTHER_PATIENT, read_pages
from serving.ocr.line import TextLine

Make = Callable[..., tuple[ReadPage, BillDocument]]
Print = Callable[..., ReadPage]
LAYOUTS = (
    "discharge_record", "inpatient_electronic", "inpatient_paper", "laboratory_double",
    "laboratory_single", "list_dots", "list_grid", "list_pairs", "outpatient_electronic",
    "outpatient_paper", "prescription", "settlement_cells", "settlement_insured",
)  # fmt: skip


def values(document: BillDocument) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Without places and without spaces, which no reader of pages keeps."""
    fields = {name: cell.value.replace(" ", "") for name, cell in document.fields.items()}
    items = [
        {name: cell.value.replace(" ", "") for name, cell in item.items()}
        for item in document.items
    ]
    return fields, items


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_value_of_a_page_is_found(generated: Make, name: str) -> None:
    page, truth = generated(name, seed=7)
    (document,) = read_pages([page])
    assert document.kind is truth.kind
    assert values(document) == values(truth)
    assert [check.name for check in document.checks if not check.passed] == []
    for name, cell in truth.fields.items():
        box, right = document.fields[name].box, cell.box
        assert box is not None
        assert right is not None
        # Letters of one line share its height; across, a box may be off by a letter.
        assert abs(box.x - right.x) < 25
        assert abs(box.y - right.y) < 15


@pytest.mark.parametrize("slope", [-0.04, 0.03])
def test_a_page_that_stands_askew(generated: Make, slope: float) -> None:
    page, truth = generated("list_pairs", seed=3)

    def turned(line: TextLine) -> TextLine:
        a, b, c, d = ((x, y + slope * x) for x, y in line.corners)
        return replace(line, corners=(a, b, c, d))

    (document,) = read_pages([replace(page, lines=[turned(line) for line in page.lines])])
    assert values(document) == values(truth)


@pytest.mark.parametrize("name", ["outpatient_paper", "list_grid", "settlement_insured"])
def test_a_misread_amount_is_put_right_or_flagged(generated: Make, name: str) -> None:
    page, truth = generated(name, seed=5)
    random = Random(1)
    amounts = [
        number for number, line in enumerate(page.lines)
        if line.text.replace(",", "").replace(".", "").isdigit() and "." in line.text
    ]  # fmt: skip
    for number in random.sample(amounts, min(12, len(amounts))):
        line = page.lines[number]
        wrong = {"3": "8", "8": "3", "1": "7", "5": "6", "0": "6"}.get(line.text[0], "9")
        if wrong == line.text[0]:
            continue
        lines = list(page.lines)
        # Of every second one the right figures are among what else was read there.
        others = (f"7{line.text[1:]}", line.text) if number % 2 else ()
        lines[number] = replace(line, text=wrong + line.text[1:], others=others)
        (document,) = read_pages([replace(page, lines=lines)])
        right, said = values(truth), values(document)
        if said != right:
            assert [check for check in document.checks if not check.passed]
            assert document_doubts(document)
        else:
            cells = [*document.fields.values(), *(c for i in document.items for c in i.values())]
            # The total stands on some pages twice: the other one was read.
            assert any(cell.corrected for cell in cells) or line.text == right[0]["total"]


def document_doubts(document: BillDocument) -> list[str]:
    """The doubts of all cells."""
    cells = [*document.fields.values(), *(c for item in document.items for c in item.values())]
    return [cell.doubt for cell in cells if cell.doubt]


def bill(printed: Print, *rows: list[tuple[float, str]], **labels: str) -> BillDocument:
    (document,) = read_pages([printed(rows)], **labels)
    return document


HEAD = [
    [(300.0, "门诊收费票据")],
    [(20.0, "姓名：张三"), (300.0, "性别：女"), (600.0, "日期：2024-03-05")],
    [(20.0, "项目名称"), (300.0, "数量"), (450.0, "单价"), (600.0, "金额")],
]


def test_a_lost_point_is_mended_where_row_and_total_prove_it(printed: Print) -> None:
    rows = [
        *HEAD,
        [(20.0, "血常规"), (300.0, "2"), (450.0, "20.00"), (600.0, "4000")],
        [(20.0, "尿常规"), (300.0, "1"), (450.0, "14.00"), (600.0, "14.00")],
        [(20.0, "合计：54.00"), (300.0, "大写：伍拾肆元整")],
    ]
    document = bill(printed, *rows)
    cell = document.items[0]["amount"]
    assert (cell.value, cell.corrected) == ("40.00", True)
    assert "4000" in cell.doubt


def test_nothing_is_mended_that_the_total_does_not_prove(printed: Print) -> None:
    rows = [
        *HEAD,
        [(20.0, "血常规"), (300.0, "2"), (450.0, "20.00"), (600.0, "48.00")],
        [(20.0, "尿常规"), (300.0, "1"), (450.0, "14.00"), (600.0, "14.00")],
        [(20.0, "合计：62.00"), (300.0, "大写：陆拾贰元整")],
    ]
    document = bill(printed, *rows)
    assert document.items[0]["amount"].value == "48.00"
    failed = [check for check in document.checks if not check.passed]
    assert [check.name for check in failed] == ["quantity_price"]
    assert "24.00" in failed[0].suggestion
    assert document.items[0]["unit_price"].doubt


def _also(page: ReadPage, others: Mapping[str, tuple[str, ...]]) -> ReadPage:
    """The page with what else its lines were read as, by what they were read as first."""
    lines = [replace(line, others=others.get(line.text, ())) for line in page.lines]
    return replace(page, lines=lines)


TWO = [
    *HEAD,
    [(20.0, "血常规"), (300.0, "2"), (450.0, "20.00"), (600.0, "48.00")],
    [(20.0, "尿常规"), (300.0, "1"), (450.0, "14.00"), (600.0, "14.00")],
    [(20.0, "合计：54.00"), (300.0, "大写：伍拾肆元整")],
]


@pytest.mark.parametrize(
    ("others", "amount", "count"),
    [
        # Another reading of the amount makes the row and the sum come out.
        ({"48.00": ("46.00", "40.00")}, "40.00", "2"),
        # None does: no figure is made up.
        ({"48.00": ("46.00",)}, "48.00", "2"),
        # 4 × 12.00 = 48.00 is right in itself, and the total says that it is not meant.
        ({"48.00": ("40.00",), "2": ("4",), "20.00": ("12.00",)}, "40.00", "2"),
    ],
)
def test_arithmetic_decides_among_what_was_read(
    printed: Print, others: dict[str, tuple[str, ...]], amount: str, count: str
) -> None:
    (document,) = read_pages([_also(printed(TWO), others)])
    item = document.items[0]
    assert (item["amount"].value, item["quantity"].value) == (amount, count)
    assert item["amount"].doubt
    assert item["amount"].corrected == (amount == "40.00")
    if amount == "40.00":
        assert "48.00" in item["amount"].doubt
        assert "48.00" in item["amount"].readings
        # Whoever saves something else has not looked at it.
        recheck(document)
        assert item["amount"].doubt


def test_a_count_that_may_be_either_is_decided_by_the_total(printed: Print) -> None:
    rows = [*TWO[:3], [(20.0, "血常规"), (300.0, "2"), (450.0, "20.00"), (600.0, "60.00")],
            [(20.0, "合计：60.00")]]  # fmt: skip
    page = _also(printed(rows), {"2": ("3", "8"), "20.00": ("30.00",)})
    (document,) = read_pages([page])
    item = document.items[0]
    # 3 × 20.00 and 2 × 30.00 are both 60.00: the amount is sure, and neither is changed.
    assert [item[name].value for name in ("quantity", "unit_price", "amount")] == [
        "2", "20.00", "60.00",
    ]  # fmt: skip
    assert item["quantity"].doubt


@pytest.mark.parametrize("lost", ["数量", "单价", "金额"])
def test_a_column_whose_head_was_not_read_is_told_by_its_products(
    printed: Print, lost: str
) -> None:
    head = [(x, text) for x, text in HEAD[2] if text != lost]
    document = bill(
        printed, *HEAD[:2], head,
        [(20.0, "血常规"), (310.0, "2"), (440.0, "20.00"), (600.0, "40.00")],
        [(20.0, "尿常规"), (310.0, "3"), (440.0, "14.00"), (600.0, "42.00")],
        [(20.0, "合计：82.00")],
    )  # fmt: skip
    said = [[item[name].value for name in ("quantity", "unit_price", "amount")]
            for item in document.items]  # fmt: skip
    assert said == [["2", "20.00", "40.00"], ["3", "14.00", "42.00"]]


def test_cells_that_were_read_as_one_are_parted(printed: Print) -> None:
    document = bill(
        printed,
        *HEAD,
        [(20.0, "血常规"), (310.0, "2"), (430.0, "20.00"), (600.0, "40.00")],
        [(20.0, "尿常规"), (310.0, "1"), (430.0, "14.00"), (600.0, "14.00")],
        [(20.0, "粪便常规"), (310.0, "3"), (430.0, "7.00"), (600.0, "21.00")],
        [(20.0, "合计：75.00")],
    )
    said = [[item[name].value for name in ("quantity", "unit_price", "amount")]
            for item in document.items]  # fmt: skip
    assert said == [["2", "20.00", "40.00"], ["1", "14.00", "14.00"], ["3", "7.00", "21.00"]]


def test_a_bill_of_another_patient_is_told_of(printed: Print) -> None:
    document = bill(printed, *HEAD, [(20.0, "血常规"), (600.0, "20.00")], patient="李四")
    assert OTHER_PATIENT in document.warnings
    assert document.fields["patient"].doubt == OTHER_PATIENT
    same = bill(printed, *HEAD, [(20.0, "血常规"), (600.0, "20.00")], patient="张三")
    assert OTHER_PATIENT not in same.warnings


@pytest.mark.parametrize(
    "rows", [[], [[(40.0, "喵")]], [[(20.0, "请勿踩踏草坪")], [(20.0, "开放时间 8:00")]]]
)
def test_what_is_no_bill_is_unknown_and_has_no_fields(printed: Print, rows: Any) -> None:
    document = bill(printed, *rows)
    assert document.kind is DocumentKind.UNKNOWN
    assert (document.fields, document.items) == ({}, [])
    assert document.warnings


def test_a_list_goes_on_over_two_pages(printed: Print) -> None:
    first = printed([
        [(300.0, "住院费用清单")],
        [(20.0, "姓名：张三"), (300.0, "住院号：123456")],
        [(20.0, "项目名称"), (300.0, "数量"), (450.0, "单价"), (600.0, "金额")],
        [(20.0, "血常规"), (310.0, "2"), (430.0, "20.00"), (600.0, "40.00")],
    ])  # fmt: skip
    second = printed([
        [(20.0, "项目名称"), (300.0, "数量"), (450.0, "单价"), (600.0, "金额")],
        [(20.0, "尿常规"), (310.0, "1"), (430.0, "14.00"), (600.0, "14.00")],
        [(20.0, "合计"), (600.0, "54.00")],
    ])  # fmt: skip
    (document,) = read_pages([first, replace(second, number=2)])
    assert document.pages == [1, 2]
    assert [item["amount"].page for item in document.items] == [1, 2]
    assert document.fields["total"].value == "54.00"
    assert {check.name: check.passed for check in document.checks}["items_total"]


def test_the_square_code_is_a_second_source(generated: Make) -> None:
    page, truth = generated("outpatient_electronic", seed=2)
    said = {name: cell.value for name, cell in truth.fields.items()}
    day = said["date"].replace("-", "")
    code = (
        f"01,01060101,{said['invoice_code']},{said['invoice_number']},%s,{day},{said['check_code']}"
    )
    (same,) = read_pages([replace(page, codes=[code % said["total"]])])
    assert {check.name for check in same.checks if check.passed} >= {
        "qr_number",
        "qr_total",
        "qr_date",
    }
    (other,) = read_pages([replace(page, codes=[code % "1.00"])])
    failed = [check for check in other.checks if not check.passed]
    assert [(check.name, "1.00" in check.suggestion) for check in failed] == [("qr_total", True)]
    (web,) = read_pages([replace(page, codes=["https://example.org/,a,b,c,d,e,f"])])
    assert not any(check.name.startswith("qr_") for check in web.checks)


def test_a_flag_that_contradicts_its_range_is_told_of(printed: Print) -> None:
    document = bill(
        printed,
        [(300.0, "检验报告单")],
        [(20.0, "姓名：张三")],
        [(20.0, "项目"), (250.0, "结果"), (350.0, "提示"), (450.0, "单位"), (600.0, "参考范围")],
        [(20.0, "血糖"), (250.0, "9.10"), (350.0, "↓"), (450.0, "mmol/L"), (600.0, "3.90-6.10")],
        [(20.0, "尿素"), (250.0, "9.10"), (350.0, "↑"), (450.0, "mmol/L"), (600.0, "3.10-8.00")],
    )
    assert [check.passed for check in document.checks if check.name == "flags"] == [False, True]
    assert document.items[0]["flag"].doubt


def test_of_what_was_read_the_range_and_the_kind_of_column_decide(printed: Print) -> None:
    page = printed([
        [(300.0, "检验报告单")],
        [(20.0, "姓名：张三")],
        [(20.0, "项目"), (250.0, "结果"), (350.0, "提示"), (450.0, "单位"), (600.0, "参考范围")],
        [(20.0, "血钾"), (250.0, "2.97"), (350.0, "↑"), (450.0, "mmol/L"), (600.0, "3.505.30")],
        [(20.0, "血氯"), (250.0, "162.9"), (350.0, "1"), (450.0, "mmol/L"), (600.0, "99-110")],
    ])  # fmt: skip
    others = {"↑": ("↓", "1"), "1": ("↑",), "3.505.30": ("3.50-5.30", "350530")}
    (document,) = read_pages([_also(page, others)])
    potassium, chloride = document.items
    assert (potassium["flag"].value, potassium["range"].value) == ("↓", "3.50-5.30")
    assert "↑" in potassium["flag"].doubt
    # Either of the two may be what was misread.
    assert potassium["value"].doubt
    assert potassium["range"].doubt
    assert potassium["range"].text == "3.505.30"
    assert (chloride["value"].value, chloride["flag"].value) == ("162.9", "↑")


def test_a_result_that_was_also_read_as_an_arrow_is_kept(printed: Print) -> None:
    page = printed([
        [(300.0, "检验报告单")],
        [(20.0, "姓名：张三")],
        [(20.0, "项目"), (250.0, "结果"), (450.0, "单位"), (600.0, "参考范围")],
        [(20.0, "尿红细胞"), (250.0, "1"), (450.0, "/HP"), (600.0, "0-3")],
        [(20.0, "尿白细胞"), (250.0, "9"), (320.0, "1"), (450.0, "/HP"), (600.0, "0-5")],
    ])  # fmt: skip
    (document,) = read_pages([_also(page, {"1": ("↑",)})])
    red, white = document.items
    assert red["value"].value == "1"
    assert "flag" not in red
    assert (white["value"].value, white["flag"].value) == ("9", "↑")


def test_a_lone_character_is_the_measure_word_or_figure_that_was_also_read(printed: Print) -> None:
    page = printed([
        *HEAD[:2],
        [(20.0, "项目名称"), (300.0, "数量"), (400.0, "单位"), (500.0, "单价"), (640.0, "金额")],
        [(20.0, "阿司匹林片"), (310.0, "q"), (410.0, "盘"), (500.0, "2.00"), (640.0, "18.00")],
        [(20.0, "叶酸片"), (310.0, "1"), (410.0, "瓶"), (500.0, "6.00"), (640.0, "6.00")],
    ])  # fmt: skip
    (document,) = read_pages([_also(page, {"q": ("9",), "盘": ("盆", "盒")})])
    first = document.items[0]
    assert (first["quantity"].value, first["unit"].value) == ("9", "盒")
    assert (first["unit"].text, first["unit"].corrected) == ("盘", True)
    (document,) = read_pages([_also(page, {"q": ("9",), "盘": ("盒", "瓶")})])
    assert document.items[0]["unit"].value == "盘"


def test_an_arrow_that_was_not_read_is_told_by_the_range(printed: Print) -> None:
    document = bill(
        printed,
        [(300.0, "检验报告单")],
        [(20.0, "姓名：张三")],
        [(20.0, "项目"), (250.0, "结果"), (350.0, "提示"), (450.0, "单位"), (600.0, "参考范围")],
        [(20.0, "血糖"), (250.0, "9.10"), (450.0, "mmol/L"), (600.0, "3.90-6.10")],
        [(20.0, "尿素"), (250.0, "4.10"), (450.0, "mmol/L"), (600.0, "3.10-8.00")],
        [(20.0, "血钾"), (250.0, "2.9"), (350.0, "↓"), (450.0, "mmol/L"), (600.0, "3.5-5.3")],
    )
    glucose, urea, potassium = document.items
    assert (glucose["flag"].value, glucose["flag"].doubt) == ("↑", BY_RANGE)
    # The value may be what was misread: it is looked at, too.
    assert glucose["value"].doubt
    assert "flag" not in urea
    assert not potassium["flag"].doubt
    # A person puts the value right, and the arrow goes with it.
    glucose["value"] = Cell(value="4.10", corrected=True)
    recheck(document)
    assert "flag" not in glucose


def test_money_whose_label_is_there_and_whose_value_is_not_is_told_of(printed: Print) -> None:
    document = bill(
        printed, *HEAD, [(20.0, "血常规"), (600.0, "20.00")], [(20.0, "合计：20.00")],
        [(20.0, "个人账户支付：")],
    )  # fmt: skip
    (check,) = [one for one in document.checks if one.name == "unread"]
    assert check.concerns == ["fields.account_paid"]


FUNDS = [
    [(300.0, "住院费用结算单")],
    [(20.0, "姓名：张三"), (300.0, "性别：女")],
    [(20.0, "费用总额：100.00"), (300.0, "大写：壹佰元整")],
]


def test_a_fund_is_mended_where_two_sums_prove_it(printed: Print) -> None:
    rows = [
        *FUNDS,
        [(20.0, "统筹支付：60.00"), (300.0, "账户支付：10.00"), (600.0, "现金支付：3000")],
        [(20.0, "个人自付：25.00"), (300.0, "个人自费：15.00")],
    ]
    cell = bill(printed, *rows).fields["cash_paid"]
    assert (cell.value, cell.corrected) == ("30.00", True)
    assert "3000" in cell.doubt


def test_a_reading_that_a_sum_agrees_with_is_taken(printed: Print) -> None:
    page = printed([
        *FUNDS,
        [(20.0, "统筹支付：60.00"), (300.0, "账户支付：18.00"), (600.0, "现金支付：30.00")],
    ])  # fmt: skip
    others = {"账户支付：18.00": ("账户支付：13.00", "账户支付：10.00")}
    (document,) = read_pages([_also(page, others)])
    cell = document.fields["account_paid"]
    assert (cell.value, cell.corrected, "13.00" in cell.readings) == ("10.00", True, True)
    assert "18.00" in cell.doubt


def test_amounts_whose_labels_were_not_read_are_found_by_what_sums_lack(printed: Print) -> None:
    document = bill(
        printed,
        *FUNDS,
        # The label of the account has lost a part, the one of what is not insured is gone.
        [(20.0, "统筹支付：60.00"), (300.0, "支忖：12.00"), (600.0, "现金支付：28.00")],
        [(20.0, "个人自付：25.00"), (300.0, "15.00"), (600.0, "99.00")],
    )
    assert {name: document.fields[name].value for name in ("account_paid", "own_expense")} == {
        "account_paid": "12.00",
        "own_expense": "15.00",
    }
    assert all(document.fields[name].doubt for name in ("account_paid", "own_expense"))
    # Nothing lacks the other one.
    assert "99.00" not in {cell.value for cell in document.fields.values()}


def test_one_sum_alone_does_not_say_which_part_is_wrong(printed: Print) -> None:
    rows = [
        *FUNDS,
        [(20.0, "统筹支付：60.00"), (300.0, "账户支付：10.00"), (600.0, "现金支付：80.00")],
    ]
    document = bill(printed, *rows)
    assert document.fields["cash_paid"].value == "80.00"
    assert all(document.fields[name].doubt for name in ("fund_paid", "account_paid", "cash_paid"))


@pytest.mark.parametrize("read", ["", "1l1"])
def test_a_count_that_was_overlooked_is_told_by_price_and_amount(printed: Print, read: str) -> None:
    document = bill(
        printed,
        *HEAD,
        [(20.0, "血常规"), (310.0, "2"), (430.0, "20.00"), (600.0, "40.00")],
        [(20.0, "尿常规"), *[(310.0, read)] * bool(read), (430.0, "14.00"), (600.0, "42.00")],
        [(20.0, "合计：82.00")],
    )
    cell = document.items[1]["quantity"]
    assert (cell.value, cell.text, cell.corrected) == ("3", read, True)
    assert cell.doubt


def test_dates_out_of_order_are_told_of(printed: Print) -> None:
    document = bill(
        printed, *FUNDS, [(20.0, "入院日期：2024-03-05"), (300.0, "出院日期：2024-03-01")]
    )
    (check,) = [one for one in document.checks if one.name == "dates"]
    assert not check.passed
    assert "2024-03-01" in check.suggestion


def test_an_amount_that_a_sum_lacks_is_told_of(printed: Print) -> None:
    rows = [*FUNDS, [(20.0, "统筹支付：60.00"), (300.0, "账户支付：10.00")]]
    document = bill(printed, *rows)
    (check,) = [one for one in document.checks if one.name == "unread"]
    assert check.concerns == ["fields.cash_paid"]
    assert "30.00" in check.suggestion
    whole = [*FUNDS, [(20.0, "统筹支付：60.00"), (300.0, "账户支付：40.00")]]
    assert not [one for one in bill(printed, *whole).checks if one.name == "unread"]


def test_a_name_that_runs_on_to_the_units_is_not_parted(printed: Print) -> None:
    rows = [
        [(300.0, "住院费用清单")],
        [(20.0, "姓名:陈国栋"), (300.0, "性别:男")],
        [(20.0, "收费项目"), (440.0, "单位"), (540.0, "数量"), (640.0, "单价"), (760.0, "金额")],
    ]
    names = [
        "注射用头孢哌酮钠舒巴坦钠(舒普深)1.5g", "冠状动脉CT血管成像(CTA)三维重建", "一级护理",
        "阿托伐他汀钙片20mg*7片", "低分子肝素钠注射液0.4ml:4250IU", "N端-B型钠尿肽前体测定检查费",
    ]  # fmt: skip
    rows += [
        [(20.0, n), (440.0, "次"), (560.0, "2"), (640.0, "10.00"), (760.0, "20.00")] for n in names
    ]
    document = bill(printed, *rows)
    assert [item["name"].value for item in document.items] == names
    assert {item["unit"].value for item in document.items} == {"次"}
