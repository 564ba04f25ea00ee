"""Every row of the tables has an example, which is its test."""

from __future__ import annotations

import re

import pytest

from assistant.record.encounter import Encounter
from assistant.tasks.record_qa.chain import TOOLS
from assistant.tasks.record_qa.drugs import classes, drug_of
from assistant.tasks.record_qa.question import read_question
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.routing import Route, routes
from assistant.tasks.record_qa.tests import specimen_of, table, wordings
from assistant.tasks.record_qa.tests import test_of as named_test
from knowledge.text.folding import fold

STAY = Encounter.model_validate(
    {
        "id": "e",
        "patient": {"id": "p"},
        "admitted_at": "2025-06-11T21:40",
        "discharged_at": "2025-06-19T10:20",
        "medications": [{"id": "m1", "name": "甘精胰岛素注射液", "start": "2025-06-13"}],
        "notes": [{"id": "n", "text": "患者一般情况可。"}],
    }
)


@pytest.mark.parametrize("route", routes(), ids=lambda r: f"{r.kind}-{r.example}")
def test_the_example_of_a_route_takes_it(route: Route) -> None:
    assert read_question(route.example, RecordReading(STAY)).kind == route.kind


def test_every_kind_has_a_tool() -> None:
    assert {route.kind for route in routes()} <= {*TOOLS, "quoted"}


@pytest.mark.parametrize("row", wordings(), ids=lambda r: r[2])
def test_the_example_of_a_wording_names_its_tests(
    row: tuple[re.Pattern[str], list[str], str],
) -> None:
    _, tests, example = row
    found = read_question(example, RecordReading(STAY)).tests
    assert set(found) & set(tests)


@pytest.mark.parametrize("one", classes(), ids=lambda c: c.name)
def test_the_example_of_a_class_is_of_it(one: object) -> None:
    found = next(c for c in classes() if c is one)
    assert found.drugs.search(drug_of(found.example))


@pytest.mark.parametrize("name", ["sections.tsv", "lay_terms.tsv"])
def test_the_last_cell_of_a_row_is_an_example_of_its_pattern(name: str) -> None:
    for row in table(name):
        pattern = row[1] if name == "sections.tsv" else row[0]
        assert re.search(pattern, fold(row[-1])), row


def test_the_relatives_of_questions_are_found_in_their_examples() -> None:
    for _, asked, words, _, example in table("relatives.tsv"):
        assert re.search(asked, example)
        re.compile(words)


@pytest.mark.parametrize(
    ("name", "test", "specimen"),
    [
        ("血肌酐", "肌酐", ""),
        ("尿肌酐", "尿肌酐", "尿"),
        ("尿素", "尿素氮", ""),
        ("尿酸", "尿酸", ""),
        ("Hb", "血红蛋白", ""),
        ("丙氨酸氨基转移酶", "谷丙转氨酶", ""),
        ("24小时尿蛋白", "24小时尿蛋白", "尿"),
        ("空腹血糖", "血糖", ""),
    ],
)
def test_a_test_has_one_name_and_its_specimen(name: str, test: str, specimen: str) -> None:
    assert (named_test(name), specimen_of(name)) == (test, specimen)


@pytest.mark.parametrize(
    ("product", "drug"),
    [
        ("注射用头孢曲松钠", "头孢曲松"),
        ("盐酸二甲双胍片", "二甲双胍"),
        ("琥珀酸美托洛尔缓释片", "美托洛尔"),
        ("倍他乐克", "美托洛尔"),
        ("氯化钾缓释片", "氯化钾"),
    ],
)
def test_a_product_is_its_drug(product: str, drug: str) -> None:
    assert drug_of(product) == drug
