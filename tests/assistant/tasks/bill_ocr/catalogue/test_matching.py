"""What a written name is in the catalogue, and when nothing is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.tasks.bill_ocr.catalogue.building import build
from assistant.tasks.bill_ocr.catalogue.entry import Entry, Match, Written
from assistant.tasks.bill_ocr.catalogue.matching import match, memory_key
from assistant.tasks.bill_ocr.catalogue.search import MOST_ENTRIES, Catalogue
from assistant.tasks.bill_ocr.catalogue.wording import read_wording


def found(catalogue: Catalogue, name: str, specification: str = "", maker: str = "") -> Match:
    asked = Written(name=name, specification=specification, maker=maker)
    return match(catalogue, asked)


@pytest.mark.parametrize(
    ("name", "specification", "code"),
    [
        ("阿莫西林胶囊", "0.25g*24粒", "D1"),
        ("阿莫西林胶囊 250mg×24粒", "", "D1"),
        ("阿莫西林胶囊", "500mg", "D2"),
        ("０．２５ｇ 阿莫西林胶囊", "", "D1"),
        ("阿莫西林胶襄", "O.25g*24粒", "D1"),  # two misreadings
        ("阿莫西临胶囊", "0.25g*24粒", "D1"),  # the same sound
        ("阿莫仙", "0.25g", "D1"),  # the brand
        ("头孢曲松", "1g", "D4"),  # salt and form left out
        ("阿莫西林胶囊(哈药集团)", "0.5g", "D2"),
        ("CT平扫 头部", "", "S1"),
        ("血常规", "", "S3"),
        ("维生素B6片", "10mg", "D10"),
    ],
)
def test_a_name_is_found(catalogue: Catalogue, name: str, specification: str, code: str) -> None:
    result = found(catalogue, name, specification)
    assert result.entry is not None, result
    assert result.entry.code == code
    assert result.status == "matched"


@pytest.mark.parametrize(
    ("name", "specification", "reason"),
    [
        ("阿莫西林胶囊", "0.3g", "conflict"),  # no such strength
        ("头孢曲松钠", "2.0g", "conflict"),
        ("甲硝唑片", "100ml:0.5g", "conflict"),  # tablets are no infusion
        ("硝苯地平控释片", "30mg", "conflict"),
        ("阿莫西林胶囊", "", "ambiguous"),  # two strengths
        ("氯化钠注射液", "100ml:0.9g", "ambiguous"),  # two makers
        ("可吸收缝线", "4-0", "conflict"),
        ("全身骨显像", "", "none"),
    ],
)
def test_nothing_is_said_instead_of_something_wrong(
    catalogue: Catalogue, name: str, specification: str, reason: str
) -> None:
    result = found(catalogue, name, specification)
    assert result.entry is None
    assert (result.status, result.reason) == ("abstained", reason)
    assert result.message


def test_no_form_is_matched_with_another(catalogue: Catalogue) -> None:
    for name in ("阿莫西林片", "阿莫西林颗粒", "阿莫西林口服液", "注射用阿莫西林"):
        result = found(catalogue, name, "0.25g*24粒")
        assert (result.entry, result.reason) == (None, "conflict"), name


@pytest.mark.parametrize(
    ("listed", "written"),
    [("阿洛西林胶囊", "阿莫西林胶囊"), ("左氧氟沙星片", "氧氟沙星片"), ("尿酸测定", "尿素测定")],
)
def test_what_the_list_has_not_is_not_its_neighbour(
    tmp_path: Path, listed: str, written: str
) -> None:
    path = tmp_path / "c.sqlite"
    build(path, [Entry(code="A", name=listed, specification="0.25g", list="a")])
    assert found(Catalogue(path), written, "0.25g").entry is None
    assert found(Catalogue(path), listed, "0.25g").entry is not None


def test_the_maker_decides(catalogue: Catalogue) -> None:
    result = found(catalogue, "氯化钠注射液", "100ml:0.9g", "石药集团")
    assert result.entry is not None
    assert result.entry.code == "M2"
    other = found(catalogue, "氯化钠注射液", "100ml:0.9g", "华润双鹤")
    assert other.reason == "conflict"


def test_suture_that_dissolves_is_not_taken_for_one_that_does_not(catalogue: Catalogue) -> None:
    assert found(catalogue, "可吸收缝线", "3-0").entry.code == "C1"  # type: ignore[union-attr]
    assert found(catalogue, "不可吸收缝线", "3-0").entry.code == "C2"  # type: ignore[union-attr]


class _Taught:
    def __init__(self, codes: dict[str, str]) -> None:
        self.codes = codes

    def code(self, key: str) -> str | None:
        return self.codes.get(key)

    def names(self, core: str) -> list[str]:
        return ["阿莫西林"] if core == "安灭菌" else []


def test_what_people_taught_is_found(catalogue: Catalogue) -> None:
    asked = Written(name="消炎胶囊", specification="0.25g")
    key = memory_key(read_wording(asked, catalogue.makers))
    result = match(catalogue, asked, _Taught({key: "D1"}))
    assert (result.source, result.entry.code) == ("learned", "D1")  # type: ignore[union-attr]
    renamed = match(catalogue, Written(name="安灭菌胶囊", specification="0.5g"), _Taught({}))
    assert renamed.entry is not None
    assert renamed.entry.code == "D2"


def test_no_teaching_makes_another_strength_of_it(catalogue: Catalogue) -> None:
    asked = Written(name="阿莫西林胶囊", specification="0.5g*24粒")
    key = memory_key(read_wording(asked, catalogue.makers))
    result = match(catalogue, asked, _Taught({key: "D1"}))
    assert result.entry is not None
    assert result.entry.code == "D2"


def test_of_two_makers_with_one_core_that_is_meant_whose_name_is_written_out(
    tmp_path: Path,
) -> None:
    makers = ("同仁堂制药有限公司", "同仁堂制药集团有限公司")
    path = tmp_path / "catalogue.sqlite"
    build(
        path,
        [
            Entry(code=f"D{n}", name="丹红软膏", specification="10g", maker=maker, list="a")
            for n, maker in enumerate(makers)
        ],
    )
    catalogue = Catalogue(path)
    for number, maker in enumerate(makers):
        result = found(catalogue, "丹红软膏", "10g", maker)
        assert result.entry is not None, result
        assert result.entry.code == f"D{number}"
    assert found(catalogue, "丹红软膏", "10g", "同仁堂").reason == "ambiguous"


def test_a_size_is_found_below_a_title_of_very_many_entries(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    entries = [
        Entry(code=f"C{n}", name="透析器", specification=f"{n}-0", maker=f"第{n}药业", list="a")
        for n in range(MOST_ENTRIES + 30)
    ]
    build(path, [*entries, Entry(code="V", name="透析器", specification="5ml", list="a")])
    result = found(Catalogue(path), "透析器", "5ml")
    assert result.entry is not None, result
    assert result.entry.code == "V"


def test_a_maker_is_found_below_a_title_of_very_many_entries(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    entries = [
        Entry(
            code=f"C{n}", name="注射器", specification="B型", maker=f"第{n}药业有限公司", list="a"
        )
        for n in range(2 * MOST_ENTRIES)
    ]
    meant = Entry(code="M", name="注射器", specification="B型", maker="华海股份有限公司", list="a")
    build(path, [*entries, meant])
    result = found(Catalogue(path), "注射器", "B型", "华海股份有限公司")
    assert result.entry is not None, result
    assert result.entry.code == "M"


@pytest.fixture(scope="module")
def long_list(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Names enough to tell which characters names have."""
    names = ("地西泮缓释片", "地高辛片", "他克莫司片", "奥硝唑片", "普罗帕酮片")
    parts = [chr(code) for code in range(0x8840, 0x8840 + 34)]
    fillers = [f"{a}{b}检查" for a in parts for b in parts]
    path = tmp_path_factory.mktemp("long") / "catalogue.sqlite"
    build(
        path,
        [
            Entry(code=name, name=name, specification="10mg", maker="甲制药", list="a")
            for name in (*names, *fillers)
        ],
    )
    return Catalogue(path)


@pytest.mark.parametrize(
    ("written", "listed"),
    [
        ("地西泮欢释片", "地西泮缓释片"),  # the form misread: only 片 is left of it
        ("地西泮缓成片", "地西泮缓释片"),
        ("地定泮缓释片", "地西泮缓释片"),  # a character that no name has
        ("晋罗帕酮片", "普罗帕酮片"),
    ],
)
def test_a_misprint_is_told_from_another_name(
    long_list: Catalogue, written: str, listed: str
) -> None:
    result = found(long_list, written, "10mg", "甲制药")
    assert result.entry is not None, result
    assert result.entry.name == listed


def test_another_form_is_no_misprint_of_it(long_list: Catalogue) -> None:
    for name in ("地西泮控释片", "地西泮片", "地西泮分散片", "地西泮肠溶片"):
        assert found(long_list, name, "10mg", "甲制药").entry is None, name
