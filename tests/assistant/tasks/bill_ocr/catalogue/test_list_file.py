"""Lists as hospitals get them: CSV in two encodings, XLSX, headers of all kinds."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.tasks.bill_ocr.catalogue.columns import MapError, read_map
from assistant.tasks.bill_ocr.catalogue.list_file import ListError, Tally, read_list
from assistant.tasks.bill_ocr.catalogue.workbook import WorkbookError, first_sheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(path: Path, sheet: str, shared: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="a" sheetId="1" r:id="rId7"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="rId7" Target="worksheets/one.xml"/></Relationships>',
        )
        if shared:
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{shared}</sst>')
        archive.writestr(
            "xl/worksheets/one.xml",
            f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>',
        )
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_csv_list_with_a_title_above_its_header(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "drugs.csv"
    path.write_text(
        "国家医保药品目录,,,,\n医保编码,药品名称,规格,医保类别,支付标准\n"
        "XJ01,阿莫西林胶囊,0.25g,甲类,12.50\n,空编码,,,\n",
        encoding=encoding,
    )
    (entry,) = read_list(path, {}, "drugs")
    assert (entry.code, entry.name, entry.category) == ("XJ01", "阿莫西林胶囊", "甲")
    assert (entry.limit_price, entry.list) == ("12.50", "drugs")


def test_a_workbook_with_shared_inline_and_number_cells(tmp_path: Path) -> None:
    shared = "<si><t>编码</t></si><si><r><t>名</t></r><r><t>称</t></r></si><si><t>规格</t></si>"
    sheet = (
        '<row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="s"><v>2</v></c>'
        '</row><row><c r="A2"><v>1001</v></c><c r="B2" t="inlineStr"><is><t>血细胞分析</t></is></c>'
        '<c r="D2"><v>1.5E-2</v></c></row>'
    )
    (entry,) = read_list(workbook(tmp_path / "a.xlsx", sheet, shared), {}, "a")
    assert (entry.code, entry.name, entry.specification) == ("1001", "血细胞分析", "0.015")


def test_columns_that_the_header_does_not_tell_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "local.csv"
    path.write_text("甲,乙,丙\nC1,护理费,10\n", encoding="utf-8")
    with pytest.raises(MapError, match="--map"):
        list(read_list(path, {}, "local"))
    (entry,) = read_list(path, read_map("code=甲,name=乙"), "local")
    assert (entry.code, entry.name) == ("C1", "护理费")
    chosen = tmp_path / "map.yaml"
    chosen.write_text("code: 甲\nname: 乙\nlimit_price: 丙\n", encoding="utf-8")
    (again,) = read_list(path, read_map(str(chosen)), "local")
    assert again.limit_price == "10"


def test_bad_maps_and_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="未知的列"):
        read_map("price=甲")
    with pytest.raises(MapError, match="YAML"):
        read_map(str(tmp_path / "none.yaml"))
    old = tmp_path / "a.xls"
    old.write_bytes(b"x")
    with pytest.raises(ListError, match="XLSX"):
        list(read_list(old, {}, "a"))
    empty = tmp_path / "e.csv"
    empty.write_bytes(b"")
    with pytest.raises(ListError, match="空"):
        list(read_list(empty, {}, "e"))


def test_a_workbook_that_declares_entities_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "xl/workbook.xml", '<!DOCTYPE a [<!ENTITY b "bb">]><workbook>&b;</workbook>'
        )
    with pytest.raises(WorkbookError):
        list(first_sheet(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.binary(max_size=300), cut=st.integers(0, 900))
def test_any_bytes_are_a_workbook_or_refused(tmp_path: Path, data: bytes, cut: int) -> None:
    path = tmp_path / "any.xlsx"
    whole = workbook(path, '<row><c r="A1"><v>1</v></c></row>').read_bytes()
    path.write_bytes(whole[:cut] + data + whole[cut:])
    # Anything but a sentence for the user fails the test.
    with contextlib.suppress(WorkbookError):
        assert all(isinstance(row, list) for row in first_sheet(path))


def test_a_national_list_with_odd_headers_and_the_pack_apart(tmp_path: Path) -> None:
    path = tmp_path / "国家.csv"
    path.write_text(
        "序号,国家药品代码,医保编码(新),通用名,剂型,规格,包装,企业,医保支付标准\n"
        "1,G1,Y1,阿莫西林,胶囊剂,0.25g,24粒/盒,哈药集团,￥12.50元\n"
        "2,G1,Y1,阿莫西林,胶囊剂,0.25g,24粒/盒,哈药集团,12.50\n"
        "3,G2,,阿莫西林,胶囊剂,0.5g,,哈药集团,-\n"
        ",,,,,,,,\n",
        encoding="gb18030",
    )
    tally = Tally()
    (entry,) = read_list(path, {}, "a", tally)
    # The insurer's code goes before the nation's; the price is a number.
    assert (entry.code, entry.specification, entry.maker) == ("Y1", "0.25g*24粒/盒", "哈药集团")
    assert entry.limit_price == "12.50"
    assert (tally.lacking, tally.repeated) == (1, 1)


def test_a_column_of_a_single_code_is_found_by_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("院内收费代码;诊疗服务名称\nC1;护理\n", encoding="utf-8")
    (entry,) = read_list(path, {}, "a")
    assert (entry.code, entry.name) == ("C1", "护理")
    path.write_text("院内收费代码;物价代码;诊疗服务名称\nC1;W1;护理\n", encoding="utf-8")
    with pytest.raises(MapError, match="物价代码"):
        list(read_list(path, {}, "a"))


def test_unicode_text_of_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("编码\t名称\nC1\t护理费\n", encoding="utf-16")
    (entry,) = read_list(path, {}, "a")
    assert (entry.code, entry.name) == ("C1", "护理费")


def _inline(row: int, *cells: str) -> str:
    made = (
        f'<c r="{chr(65 + at)}{row}" t="inlineStr"><is><t>{text}</t></is></c>'
        for at, text in enumerate(cells)
        if text
    )
    return f'<row r="{row}">{"".join(made)}</row>'


def test_a_name_that_is_merged_downwards_is_in_each_of_its_rows(tmp_path: Path) -> None:
    rows = (
        _inline(1, "通用名", "编码", "规格"),
        _inline(2, "阿莫西林胶囊", "D1", "0.25g"),
        _inline(3, "", "D2", "0.5g"),
        _inline(4, "", "D3", "0.5g"),
    )
    sheet = (
        f'{"".join(rows)}</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells><sheetData>'
    )
    tally = Tally()
    found = list(read_list(workbook(tmp_path / "a.xlsx", sheet), {}, "a", tally))
    assert [(one.name, one.code) for one in found] == [
        ("阿莫西林胶囊", "D1"),
        ("阿莫西林胶囊", "D2"),
    ]
    assert tally.lacking == 1  # the row below the merged cells has no name


def test_a_formula_gives_what_was_saved_or_is_told(tmp_path: Path) -> None:
    sheet = _inline(1, "编码", "名称", "规格") + (
        '<row r="2"><c r="A2" t="str"><f>"C"&amp;1</f><v>C1</v></c>'
        '<c r="B2" t="inlineStr"><is><t>护理费</t></is></c><c r="C2" t="e"><v>#REF!</v></c></row>'
    )
    (entry,) = read_list(workbook(tmp_path / "a.xlsx", sheet), {}, "a")
    assert (entry.code, entry.specification) == ("C1", "")
    never = _inline(1, "编码", "名称") + '<row r="2"><c r="A2"><f>B1</f></c></row>'
    with pytest.raises(ListError, match="A2 的公式"):
        list(read_list(workbook(tmp_path / "b.xlsx", never), {}, "b"))
