"""A prescription without a table, as the usual form has it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.tasks.bill_ocr.document import DocumentKind
from assistant.tasks.bill_ocr.page import ReadPage
from assistant.tasks.bill_ocr.reading import read_pages

Print = Callable[..., ReadPage]
HEAD = [
    [(300.0, "处方笺")],
    [(20.0, "姓名：何雨桐"), (300.0, "性别：女"), (560.0, "开具日期：2025年07月04日")],
    [(20.0, "Rp")],
]


def test_drugs_are_read_with_their_usage(printed: Print) -> None:
    rows = [
        *HEAD,
        [(30.0, "1. 盐酸莫西沙星片"), (450.0, "0.4g×6片"), (700.0, "×1盒")],
        [(60.0, "用法：0.4g 每日一次 口服")],
        [(30.0, "2.阿莫西林胶囊0.25g*24粒"), (700.0, "x2盒")],
        [(60.0, "Sig: 0.5g tid po")],
        [(30.0, "3、维生素B12片"), (450.0, "25ug*100片"), (700.0, "1瓶")],
        [(60.0, "(以下空白)")],
        [(20.0, "医师：刘建国"), (350.0, "药品金额：¥186.40")],
    ]
    (document,) = read_pages([printed(rows)])
    assert document.kind is DocumentKind.PRESCRIPTION
    read = [{name: cell.value for name, cell in item.items()} for item in document.items]
    assert read == [
        {"name": "盐酸莫西沙星片", "specification": "0.4g*6片", "quantity": "1", "unit": "盒",
         "usage": "0.4g每日一次口服"},
        {"name": "阿莫西林胶囊", "specification": "0.25g*24粒", "quantity": "2", "unit": "盒",
         "usage": "0.5g tid po"},
        {"name": "维生素B12片", "specification": "25ug*100片", "quantity": "1", "unit": "瓶"},
    ]  # fmt: skip
    box = document.items[0]["quantity"].box
    assert box is not None
    assert 690 < box.x < 730
    assert document.fields["total"].value == "186.40"
    assert not any(check.name == "complete" and not check.passed for check in document.checks)


@pytest.mark.parametrize("line", ["本处方当日有效", "姓名：何雨桐 2盒", "12", "电话：8890盒"])
def test_what_is_no_drug_is_none(printed: Print, line: str) -> None:
    (document,) = read_pages([printed([*HEAD, [(30.0, line)]])])
    assert document.items == []
