"""Every row of a table of phrases reads what its example marks, alone and among its like."""

from __future__ import annotations

import pytest

from knowledge.text.phrases import Phrases, parse_phrases, phrases_of

_TABLES = [
    ("assistant.store", "data/institution_phrases.tsv"),
    ("assistant.tasks.record_qa", "data/phrases.tsv"),
    ("assistant.tasks.record_qc", "data/phrases.tsv"),
    ("assistant.tasks.structuring", "data/phrases.tsv"),
    ("assistant.tasks.structuring", "data/specimens.tsv"),
    ("knowledge.clinical", "onset.tsv"),
]


def unread(phrases: Phrases) -> list[str]:
    """The rows that do not read what the braces of their example mark."""
    wrong = []
    for row in phrases.rows:
        before, _, rest = row.example.partition("{")
        marked, _, after = rest.partition("}")
        alone = parse_phrases(f"{row.name}\t{row.pattern}\t{row.example}")[row.name]
        hit = alone.match(before + marked + after, len(before))
        among = phrases[row.name].search(before + marked + after)
        if hit is None or hit[0] != marked or among is None:
            wrong.append(f"{row.name}: {row.example} → {hit and hit[0]}")
    return wrong


@pytest.mark.parametrize(("package", "place"), _TABLES)
def test_a_row_reads_its_example(package: str, place: str) -> None:
    assert not unread(phrases_of(package, place))


def test_a_row_that_does_not_read_its_example_is_found() -> None:
    assert unread(parse_phrases("later\t明[日天]\t{后日}复查")) == ["later: {后日}复查 → None"]


def test_rows_of_a_name_are_one_pattern_and_may_be_parts() -> None:
    phrases = parse_phrases("day\t明日\t{明日}\nday\t后日\t{后日}\nplan\t拟{day}行\t{拟后日行}")
    assert [hit[0] for hit in phrases["day"].finditer("明日或后日")] == ["明日", "后日"]
    assert phrases["plan"].search("拟明日行")
    assert not phrases["plan"].search("拟今日行")
    assert phrases.any_named({"a": "day", "b": "plan"}).search("拟明日行")["b"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("day\t明日", "line 1: expected"),
        ("day\t明日\t明日", "line 1: the example marks"),
        ("day\t(明日\t{明日}", "line 1: missing"),
        ("plan\t拟{day}\t{拟明日}", "line 1: .*no rows of day"),
    ],
)
def test_a_malformed_row_is_refused(row: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_phrases(row)
