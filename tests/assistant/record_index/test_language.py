"""The query language: what it reads, and what it says of what it cannot read."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.record_index.errors import QueryError
from assistant.record_index.language import parse
from assistant.record_index.query import And, Compare, Dated, Has, Not, Or, Outcome, leaves

names = st.text("肺癌发热咳嗽胸痛ABCxyz", min_size=1, max_size=6).filter(
    lambda name: name.lower() not in ("and", "or", "not")
)
conditions = st.one_of(
    names,
    names.map(lambda name: f"{name}:阳性"),
    names.map(lambda name: f"诊断:{name}"),
    names.map(lambda name: f"{name}>120umol/L"),
    st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(lambda day: f"日期>={day:%Y-%m-%d}"),
)
queries = st.recursive(
    conditions,
    lambda inner: st.one_of(
        inner.map(lambda one: f"NOT ({one})"),
        st.lists(inner, min_size=2, max_size=3).map(" AND ".join).map("({})".format),
        st.lists(inner, min_size=2, max_size=3).map(" OR ".join).map("({})".format),
    ),
    max_leaves=8,
)


def _error(text: str) -> QueryError | None:
    try:
        parse(text)
    except QueryError as error:
        return error
    return None


@given(queries)
def test_every_condition_of_a_query_is_in_its_tree(query: str) -> None:
    found = [leaf.words for leaf, _ in leaves(parse(query))]
    assert found
    at = 0
    for words in found:
        at = query.index(words, at) + len(words)


@given(
    st.text(max_size=60) | st.text("肺癌 ():：<>=\"'ANDORNOT;--%_\\,。日期*阳性120", max_size=60)
)
def test_any_text_is_a_tree_or_an_error_with_its_place(text: str) -> None:
    error = _error(text)
    if error is not None:
        assert 0 <= error.at <= len(text)
        assert "个字符" in str(error)


def test_precedence_and_the_example_of_the_manual() -> None:
    tree = parse("EGFR:阳性 AND NOT 胸腔积液 OR 日期>=2025-01-01 且 肌酐>120umol/L")
    assert isinstance(tree, Or)
    first, second = tree.parts
    assert isinstance(first, And)
    assert isinstance(first.parts[0], Outcome)
    assert isinstance(first.parts[1], Not)
    assert isinstance(second, And)
    day, creatinine = second.parts
    assert isinstance(day, Dated)
    assert day.begin == "2025-01-01"
    assert isinstance(creatinine, Compare)
    assert creatinine.number == pytest.approx(1.2e-4)


def test_wide_characters_and_words_mean_the_same() -> None:
    wide, plain = parse("肌酐＞120umol/L"), parse("肌酐>120umol/L")
    assert isinstance(wide, Compare)
    assert isinstance(plain, Compare)
    assert (wide.number, wide.operator) == (plain.number, plain.operator)


def test_the_filtration_rate_is_not_the_gene() -> None:
    rate, gene = parse("eGFR"), parse("EGFR")
    assert isinstance(rate, Has)
    assert isinstance(gene, Has)
    assert rate.name != gene.name


@pytest.mark.parametrize(
    ("query", "at", "said"),
    [
        ("", 0, "空"),
        ("(肺癌 AND 发热", 0, "括号"),
        ("肺癌)", 2, "右括号"),
        ("肺癌 发热", 3, "AND"),
        ("年龄段:青年", 0, "没有字段“年龄段”"),
        ("肌酐>高", 3, "数值"),
        ("肌酐>120毫克拉/L", 8, "单位"),
        ("日期>=2025-02-30", 4, "不是日期"),
        ("文本:“胸膜", 3, "引号"),
        ("肺癌 AND", 6, "名称或条件"),
        ("(" * 40 + "肺癌", 31, "层"),
        ("诊断:肺癌:紫色", 6, "没有状态"),
        ("肺癌 OR " * 1300, 2000, "最多 2000"),
        (" OR ".join(["肺癌"] * 31), 180, "条件超过 30"),
    ],
)
def test_an_error_points_at_the_character(query: str, at: int, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert caught.value.at == at
    assert said in str(caught.value)


def test_ten_thousand_characters_are_refused_in_a_sentence() -> None:
    with pytest.raises(QueryError, match="10000 个字符"):
        parse("肺" * 10_000)
