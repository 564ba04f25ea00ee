"""What a table may be, and what is said of one that cannot be used."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from cohort_tables import CLASS, FOLLOW_UP, SMALL, Rows, draw, write
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.tasks.radiomics.cohort.cells import read_cells
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.tasks.radiomics.cohort.settings import CohortSettings, read_settings
from assistant.tasks.radiomics.cohort.table import Roles, read_cohort

_CHINESE = re.compile(r"[一-鿿].*请|请.*[一-鿿]", re.DOTALL)


def refused(path: Path, roles: Roles = CLASS, chosen: CohortSettings = SMALL) -> str:
    with pytest.raises(CohortRefused) as caught:
        read_cohort(path, roles, chosen)
    said = str(caught.value)
    assert _CHINESE.search(said), said
    return said


def changed(rows: Rows, column: str, values: dict[int, str]) -> Rows:
    place = rows[0].index(column)
    made = [list(row) for row in rows]
    for number, value in values.items():
        made[number][place] = value
    return made


def test_what_is_read(tmp_path: Path) -> None:
    cohort = read_cohort(write(tmp_path / "t.csv", draw(False)), CLASS, SMALL)
    assert cohort.x.shape == (100, 12)
    assert cohort.names[:3] == ("性别=女", "年龄", "f0") or cohort.names[0] == "性别=男"
    assert cohort.positive == "是"
    assert set(cohort.sites.tolist()) == {"甲", "乙"}
    assert cohort.ids[0] == "病例0"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    cohort = read_cohort(write(tmp_path / "t.csv", draw(False), encoding), CLASS, SMALL)
    assert "年龄" in cohort.names


def test_one_class(tmp_path: Path) -> None:
    rows = draw(False)
    same = changed(rows, "复发", dict.fromkeys(range(1, len(rows)), "是"))
    assert "只有 1 类" in refused(write(tmp_path / "t.csv", same))


def test_three_cases(tmp_path: Path) -> None:
    rows = changed(draw(False)[:4], "复发", {1: "是", 2: "否", 3: "是"})
    assert "病例太少" in refused(write(tmp_path / "t.csv", rows))


def test_an_id_that_is_there_twice_is_told_by_its_lines(tmp_path: Path) -> None:
    said = refused(write(tmp_path / "t.csv", changed(draw(False), "编号", {5: "病例0"})))
    assert "2、6" in said
    assert "病例0" not in said


def test_a_column_without_values_is_left_out_and_said(tmp_path: Path) -> None:
    rows = changed(draw(False), "f5", dict.fromkeys(range(1, 101), "NA"))
    cohort = read_cohort(write(tmp_path / "t.csv", rows), CLASS, SMALL)
    assert "f5" not in cohort.names
    assert ("f5", "全部缺失") in [(c.name, c.why) for c in cohort.columns.left_out]


def test_text_in_a_column_of_numbers(tmp_path: Path) -> None:
    said = refused(write(tmp_path / "t.csv", changed(draw(False), "年龄", {7: "张三"})))
    assert "年龄" in said
    assert "第 8 行" in said
    assert "张三" not in said


def test_cases_without_an_outcome_are_counted(tmp_path: Path) -> None:
    rows = changed(draw(False), "复发", {1: "", 2: "NA"})
    cohort = read_cohort(write(tmp_path / "t.csv", rows), CLASS, SMALL)
    assert len(cohort.outcome) == 98
    assert [(e.why, e.cases) for e in cohort.excluded] == [("结局缺失", 2)]


def test_an_outcome_that_is_not_there_names_what_is_near(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", draw(False))
    assert "复发" in refused(path, Roles(outcome="复发否"))


def test_more_columns_than_are_read(tmp_path: Path) -> None:
    wide = [[f"c{n}" for n in range(100_001)], ["1"] * 100_001]
    assert "最多 100000 列" in refused(write(tmp_path / "t.csv", wide))


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0", b"a,b\n1,\xff\xff\n", b"", b'a,b\n"1,2\n' + b"x" * 200_000]
)
def test_what_is_no_table(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    refused(path, Roles(outcome="a"))


def test_a_line_with_other_cells_than_the_header(tmp_path: Path) -> None:
    rows = draw(False)
    rows[3] = rows[3][:-1]
    assert "第 4 行" in refused(write(tmp_path / "t.csv", rows))


def test_infinity(tmp_path: Path) -> None:
    assert "无穷大" in refused(write(tmp_path / "t.csv", changed(draw(False), "f1", {2: "inf"})))


def test_a_value_whose_square_is_infinite(tmp_path: Path) -> None:
    assert "过大" in refused(write(tmp_path / "t.csv", changed(draw(False), "f1", {2: "1e300"})))


def test_decimal_commas_do_not_become_classes(tmp_path: Path) -> None:
    rows = draw(False)
    place = rows[0].index("f1")
    made = [
        rows[0],
        *([*row[:place], f"{n % 4},5", *row[place + 1 :]] for n, row in enumerate(rows[1:])),
    ]
    said = refused(write(tmp_path / "t.csv", made))
    assert "f1" in said
    assert "第 2 行" in said
    assert "小数点" in said


def test_several_classes_need_one_to_be_found(tmp_path: Path) -> None:
    rows = changed(draw(False), "复发", {1: "未知类"})
    path = write(tmp_path / "t.csv", rows)
    assert "--positive" in refused(path)
    chosen = SMALL.model_copy(update={"positive": "是"})
    assert read_cohort(path, CLASS, chosen).positive == "是"


def test_a_measurement_is_no_class(tmp_path: Path) -> None:
    assert "像是测量值" in refused(write(tmp_path / "t.csv", draw(False)), Roles(outcome="f1"))


def test_a_column_that_gives_the_outcome_away_is_pointed_out(tmp_path: Path) -> None:
    rows = draw(False)
    end = rows[0].index("复发")
    told = [[*rows[0], "泄漏"], *([*row, str(int(row[end] == "是"))] for row in rows[1:])]
    cohort = read_cohort(write(tmp_path / "t.csv", told), CLASS, SMALL)
    assert len(cohort.notes) == 1
    assert "泄漏" in cohort.notes[0]


def test_names_of_many_cases_are_no_feature(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", draw(False))
    cohort = read_cohort(path, Roles(outcome="复发", site="医院"), SMALL)
    assert not any("编号" in name for name in cohort.names)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [("天数", "-3", "负数"), ("天数", "三天", "文字"), ("死亡", "2", "只能是 1")],
)
def test_follow_up_that_cannot_be(tmp_path: Path, column: str, value: str, said: str) -> None:
    rows = changed(draw(True), column, {4: value})
    assert said in refused(write(tmp_path / "t.csv", rows), FOLLOW_UP)


def test_cases_that_were_never_followed_are_counted(tmp_path: Path) -> None:
    rows = changed(changed(draw(True), "天数", {4: "0"}), "死亡", {6: ""})
    cohort = read_cohort(write(tmp_path / "t.csv", rows), FOLLOW_UP, SMALL)
    assert {e.why: e.cases for e in cohort.excluded} == {"时间或事件缺失": 1, "随访时间为零": 1}


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_are_a_table_or_a_sentence(tmp_path_factory: object, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "t.csv"  # type: ignore[attr-defined]
    path.write_bytes(data)
    said = ""
    try:
        cells = read_cells(path)
    except CohortRefused as error:
        said = str(error)
    if said:
        assert re.search("[一-鿿]", said)
    else:
        assert cells.numbers.shape == (len(cells.lines), len(cells.names))


@given(
    st.lists(
        st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=3, max_size=3), min_size=1, max_size=8
    ),
    st.sampled_from([",", ";", "\t"]),
)
@settings(max_examples=40)
def test_numbers_come_back(
    tmp_path_factory: object, rows: list[list[float | None]], delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "t.csv"  # type: ignore[attr-defined]
    kept = [row for row in rows if any(v is not None for v in row)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(["a", "b", "c"])
        writer.writerows([["" if v is None else repr(v) for v in row] for row in kept])
    wanted = np.array([[np.nan if v is None else v for v in row] for row in kept])
    np.testing.assert_array_equal(read_cells(path).numbers, wanted.reshape(-1, 3))


def test_settings_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("outer_folds: 4\nmodels: [logistic]\n", "utf-8")
    assert read_settings(path, positive="是").outer_folds == 4
    path.write_text("outer_fold: 4\n", "utf-8")
    with pytest.raises(CohortRefused, match="outer_fold"):
        read_settings(path)
    path.write_text("[1, 2", "utf-8")
    with pytest.raises(CohortRefused, match="YAML"):
        read_settings(path)
