"""Pages that are laid out otherwise than any of the generator's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.tasks.bill_ocr.document import BillDocument, DocumentKind
from assistant.tasks.bill_ocr.page import ReadPage
from assistant.tasks.bill_ocr.reading import read_pages

Print = Callable[..., ReadPage]


def fields(document: BillDocument) -> dict[str, str]:
    return {name: cell.value for name, cell in document.fields.items()}


def items(document: BillDocument) -> list[dict[str, str]]:
    return [{name: cell.value for name, cell in item.items()} for item in document.items]


def failed(document: BillDocument) -> list[str]:
    return [check.name for check in document.checks if not check.passed]


def test_a_narrow_slip_with_its_names_over_its_figures(printed: Print) -> None:
    (document,) = read_pages([printed([
        [(200, "青浦区中心医院")],
        [(150, "门诊收费清单（报销凭证）")],
        [(30, "姓名"), (100, "何志强性别男年龄46岁")],
        [(30, "科室骨科门诊医生张建国")],
        [(30, "费别"), (100, "城镇职工"), (300, "日期"), (380, "2026/05/11 10:32")],
        [(30, "名称"), (280, "单价×数量"), (540, "金额")],
        [(30, "膝关节正侧位片")],
        [(280, "75.00×2"), (530, "150.00")],
        [(30, "云南白药膏")],
        [(280, "32.50×2"), (540, "65.00")],
        [(30, "诊察费")],
        [(280, "22.00×1"), (540, "22.00")],
        [(30, "合计金额"), (530, "￥237.00")],
        [(30, "统筹支付"), (530, "￥115.00")],
        [(30, "账户支付"), (530, "￥100.00")],
        [(30, "现金支付"), (530, "￥22.00")],
    ])])  # fmt: skip
    assert document.kind is DocumentKind.OUTPATIENT_INVOICE
    found = fields(document)
    assert {
        "hospital": "青浦区中心医院", "patient": "何志强", "sex": "男", "age": "46岁",
        "department": "骨科门诊", "doctor": "张建国", "date": "2026-05-11", "total": "237.00",
        "fund_paid": "115.00", "account_paid": "100.00", "cash_paid": "22.00",
    }.items() <= found.items()  # fmt: skip
    assert items(document) == [
        {"name": "膝关节正侧位片", "unit_price": "75.00", "quantity": "2", "amount": "150.00"},
        {"name": "云南白药膏", "unit_price": "32.50", "quantity": "2", "amount": "65.00"},
        {"name": "诊察费", "unit_price": "22.00", "quantity": "1", "amount": "22.00"},
    ]
    assert failed(document) == []


def test_a_laboratory_sheet_in_english(printed: Print) -> None:
    (document,) = read_pages([printed([
        [(300, "St. Mary's General Hospital")],
        [(250, "Department of Laboratory Medicine - Laboratory Report")],
        [(60, "Patient Name: John Carter"), (500, "Sex: M"), (700, "Age: 52")],
        [(60, "MRN: 00482913"), (500, "Specimen: Whole blood")],
        [(60, "Collected: 2026-02-14 08:15"), (500, "Reported: 2026-02-14 10:40")],
        [(60, "Test"), (450, "Result"), (600, "Flag"), (700, "Units"), (900, "Reference Range")],
        [(60, "White Blood Cell Count"), (450, "12.4"), (600, "H"), (700, "10^9/L"),
         (900, "(4.0 - 10.0)")],
        [(60, "Hemoglobin"), (450, "138"), (700, "g/L"), (900, "(130 - 175)")],
        [(60, "C-Reactive Protein"), (450, "64.2"), (600, "H"), (700, "mg/L"), (900, "< 8.0")],
    ])])  # fmt: skip
    assert document.kind is DocumentKind.LABORATORY_SHEET
    assert {
        "hospital": "St. Mary's General Hospital", "patient": "John Carter", "sex": "男",
        "age": "52", "inpatient_number": "00482913", "specimen": "Whole blood",
        "sampled_at": "2026-02-14 08:15", "reported_at": "2026-02-14 10:40",
    }.items() <= fields(document).items()  # fmt: skip
    first, second, third = items(document)
    assert first == {
        "name": "White Blood Cell Count", "value": "12.4", "flag": "H", "unit": "10^9/L",
        "range": "4.0-10.0",
    }  # fmt: skip
    assert (second["name"], second["value"], second["range"]) == ("Hemoglobin", "138", "130-175")
    assert (third["name"], third["range"]) == ("C-Reactive Protein", "<8.0")
    assert failed(document) == []


def test_an_inpatient_invoice_with_its_stay_and_its_foot(printed: Print) -> None:
    (document,) = read_pages([printed([
        [(300, "北辰市医疗住院收费票据"), (900, "NO"), (960, "0098812347")],
        [(60, "姓名："), (140, "冯国庆"), (350, "性别:男"), (600, "住院科室："),
         (720, "心血管内科")],
        [(60, "住院时间：2026年07月11日至2026年07月19日"), (700, "开票日期：2026年07月19日")],
        [(60, "收费项目"), (350, "金额(元)"), (600, "收费项目"), (900, "金额(元)")],
        [(60, "床位费"), (350, "560.00"), (600, "手术费"), (900, "6200.00")],
        [(60, "检查费"), (350, "2380.00"), (600, "西药费"), (900, "3312.46")],
        [(60, "合计（大写）"), (220, "壹万贰仟肆佰伍拾贰元肆角陆分"), (900, "￥12452.46")],
        [(60, "预缴金额"), (200, "9000.00"), (400, "补缴金额"), (550, "0.00"), (700, "退费金额"),
         (850, "5547.54")],
        [(60, "医保统筹支付"), (220, "8000.00"), (400, "个人账户支付"), (560, "1000.00"),
         (700, "个人支付金额"), (850, "3452.46")],
    ])])  # fmt: skip
    assert document.kind is DocumentKind.INPATIENT_INVOICE
    assert {
        "admitted_on": "2026-07-11", "discharged_on": "2026-07-19", "date": "2026-07-19",
        "total": "12452.46", "total_in_words": "12452.46", "deposit": "9000.00",
        "refund": "5547.54", "top_up": "0.00", "cash_paid": "3452.46",
        "department": "心血管内科",
    }.items() <= fields(document).items()  # fmt: skip
    assert sorted(item["name"] for item in items(document)) == [
        "床位费", "手术费", "检查费", "西药费",
    ]  # fmt: skip
    assert failed(document) == []


def test_a_list_of_one_day_by_group(printed: Print) -> None:
    (document,) = read_pages([printed([
        [(300, "住院费用一日清单")],
        [(280, "雪峰山医院"), (500, "2026-09-03")],
        [(40, "姓名：罗小平"), (300, "住院号：R778120"), (600, "病区：神经外科二病区")],
        [(45, "编码"), (170, "项目名称及规格"), (560, "单位"), (660, "单价"), (760, "数量"),
         (860, "金额"), (980, "自付比例")],
        [(45, "XB05"), (170, "甘露醇注射液"), (560, "瓶"), (660, "9.80"), (760, "4"),
         (860, "39.20"), (980, "0%")],
        [(45, "XN02"), (170, "丙戊酸钠缓释片"), (560, "盒"), (660, "78.40"), (760, "1"),
         (860, "78.40"), (980, "10%")],
        [(170, "西药费小计"), (860, "117.60")],
        [(45, "ZL33"), (170, "气管切开护理"), (560, "日"), (660, "40.00"), (760, "1"),
         (860, "40.00"), (980, "0%")],
        [(170, "治疗费小计"), (860, "40.00")],
        [(170, "当日合计"), (860, "157.60")],
        [(45, "累计费用：38211.07"), (400, "预交金余额：1788.93")],
    ])])  # fmt: skip
    assert document.kind is DocumentKind.ITEMISED_LIST
    found = fields(document)
    assert (found["date"], found["total"]) == ("2026-09-03", "157.60")
    assert found["department"] == "神经外科二病区"
    assert [item["amount"] for item in items(document)] == ["39.20", "78.40", "40.00"]
    assert failed(document) == []


def test_settlement_with_the_classes_of_the_insurer(printed: Print) -> None:
    (document,) = read_pages([printed([
        [(300, "基本医疗保险住院费用结算单")],
        [(60, "姓名"), (140, "钱秀英"), (350, "性别"), (420, "女"), (600, "住院号"),
         (700, "0088123")],
        [(60, "费用类别"), (300, "金额"), (480, "甲类"), (660, "乙类"), (840, "自费")],
        [(60, "床位费"), (290, "780.00"), (480, "780.00"), (660, "0.00"), (840, "0.00")],
        [(60, "西药费"), (290, "1213.56"), (470, "900.00"), (650, "200.00"), (830, "113.56")],
        [(60, "合计"), (290, "1993.56")],
    ])])  # fmt: skip
    assert document.kind is DocumentKind.SETTLEMENT_SHEET
    assert items(document)[1] == {
        "name": "西药费", "amount": "1213.56", "class_a": "900.00", "class_b": "200.00",
        "own_expense": "113.56",
    }  # fmt: skip
    assert fields(document)["total"] == "1993.56"
    assert failed(document) == []


def test_counts_without_a_head_are_parted_from_the_prices(printed: Print) -> None:
    (document,) = read_pages([printed([
        [(200, "青山县人民医院门诊收费票据")],
        [(40, "姓名："), (120, "王小明"), (400, "日期：2024-03-05")],
        [(40, "项目名称"), (480, "单价"), (640, "金额")],
        [(40, "导引导丝"), (440, "2145.00"), (640, "290.00")],
        [(40, "血细胞分析"), (440, "20.00"), (640, "20.00")],
        [(40, "取石网篮"), (440, "3620.00"), (640, "1861.00")],
        [(40, "合计"), (640, "2171.00")],
    ])])  # fmt: skip
    first, second, third = document.items
    assert (first["quantity"].value, first["unit_price"].value) == ("2", "145.00")
    assert "2145.00" in first["unit_price"].doubt
    assert (second["quantity"].value, second["unit_price"].value) == ("1", "20.00")
    # 3 × 620.00 is not 1861.00: nothing is changed, and a person is asked.
    assert third["unit_price"].value == "3620.00"
    assert third["unit_price"].doubt


@pytest.mark.parametrize("split", [False, True])
def test_a_foot_without_colons_is_no_row(printed: Print, split: bool) -> None:
    doctor = (
        [(60.0, "医师签"), (140.0, "名"), (180.0, "黄俊国")]
        if split
        else [(60.0, "医师签名黄俊国")]
    )
    total = [(520.0, "药费合计"), (640.0, "¥130.30")] if split else [(520.0, "药费合计 ¥130.30")]
    (document,) = read_pages([printed([
        [(380, "青河市妇幼保健院")],
        [(420, "普通处方")],
        [(60, "姓名吴志"), (340, "性别男"), (520, "诊断急性支气管炎")],
        [(60, "药名"), (420, "规格"), (690, "数量单位"), (900, "金额")],
        [(60, "哌拉西林钠他唑巴坦钠"), (420, "4.5g"), (720, "3"), (770, "支"), (880, "118.20")],
        [(60, "缬沙坦胶囊"), (420, "80mg*7粒"), (720, "1"), (770, "盒"), (890, "12.10")],
        [*doctor, *total],
    ])])  # fmt: skip
    assert len(document.items) == 2
    found = fields(document)
    assert (found["total"], found["diagnosis"]) == ("130.30", "急性支气管炎")


def test_a_sum_whose_label_was_misread_is_doubted(printed: Print) -> None:
    (document,) = read_pages([printed([
        [(300, "医疗住院收费票据（电子）")],
        [(40, "住院号：18900219"), (440, "科别：眼科"), (840, "姓名：吴志")],
        [(40, "项目名称"), (600, "金额")],
        [(40, "西药费"), (600, "100.00")],
        [(40, "金额合计（大写）：壹佰元整"), (840, "（小写）：100.00")],
        [(40, "预缴金额：200.00"), (440, "台缴金额：0.00"), (840, "退费金额：100.00")],
    ])])  # fmt: skip
    # It can only be the field that is missing, and a person is asked.
    cell = document.fields["top_up"]
    assert cell.value == "0.00"
    assert "台缴金额" in cell.doubt
