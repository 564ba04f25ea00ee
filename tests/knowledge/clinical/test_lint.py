"""Faults that the lint names, and the base that ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.clinical.entry import entry_files, read_entries, shipped_entries
from knowledge.clinical.lint import lint
from knowledge.clinical.vocabulary import read_vocabulary, vocabulary
from knowledge.clinical.wording import WordingError, parse_wording
from tests.knowledge.clinical.conftest import ENTRIES, FINDINGS, write_folder


def faults(folder: Path) -> list[str]:
    entries, unread = read_entries(entry_files(folder))
    known = read_vocabulary([folder])
    codes = frozenset({"I21", "J18"})
    found = [*known.faults, *unread, *lint(entries, known, codes=codes)]
    return [str(fault) for fault in found]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("大汗: 3/1", "大汉: 3/1", "unknown finding 大汉"),
        ("大汗: 3/1", "大汗: 7/1", "7/1"),
        ("icd10: [I21]", "icd10: [I99]", "I99 is no code"),
        ("icd10: [I21]", "icd10: [21]", "icd10"),
        ("names: [心肌梗死, AMI]", "names: [肺炎]", "the name 肺炎 is also a name of"),
        ("common: 4", "common: 9", "common"),
        ("common: 4", "comon: 4", "comon"),
        ("age: [25, 105, 45, 80]", "age: [50, 105, 45, 80]", "is not possible from"),
        ("肺炎: 发热、咳嗽在前", "肺癌: 咯血", "differs from 肺癌, no entry"),
        ("[ST段抬高]]", "[ST段太高]]", "unknown finding ST段太高"),
        ("- name: 肺炎\n", "- name: 肺炎\n  kinds: [支气管肺炎]\n", "kind 支气管肺炎, no entry"),
        ("- name: 肺炎\n", "- name: 肺炎\n  kinds: [肺炎]\n", "is a kind of itself"),
        ("  red_flags: 持续胸痛超过20分钟\n", "", "red flags"),
        ("- name: 急性心肌梗死", "- name: [", "no YAML"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ENTRIES
    folder = write_folder(tmp_path / "base", entries=ENTRIES.replace(old, new))
    assert any(said in fault for fault in faults(folder)), faults(folder)


def _alike(number: int, common: int, names: str = "[]", findings: str = "咳嗽: 4/1") -> str:
    return (
        f"- name: {'甲乙丙丁戊己'[number]}型肺炎\n  names: {names}\n  icd10: [A{number}0]\n"
        f"  common: {common}\n  symptoms: {{{findings}}}\n"
    )


@pytest.mark.parametrize(
    ("first", "rivals", "wide"),
    [
        (_alike(0, 2, "[型肺炎]"), 3, True),
        # The commonest of them is what the wide name means.
        (_alike(0, 5, "[型肺炎]"), 3, False),
        (_alike(0, 2, "[型肺炎]"), 1, False),
        (_alike(0, 2, "[大汗]", "大汗: 4/1"), 0, False),
    ],
)
def test_a_name_that_would_suit_others_is_too_wide(
    tmp_path: Path, first: str, rivals: int, wide: bool
) -> None:
    entries = first + "".join(_alike(n, 3) for n in range(1, 1 + rivals))
    found = faults(write_folder(tmp_path / "base", entries=entries))
    assert any("would suit" in fault for fault in found) is wide, found


def test_a_name_that_is_a_finding_of_many_is_too_wide(tmp_path: Path) -> None:
    entries = _alike(0, 3, "[大汗]", "大汗: 4/1")
    entries += "".join(_alike(n, 3, findings="大汗: 2/0") for n in range(1, 6))
    found = faults(write_folder(tmp_path / "base", entries=entries))
    assert any("the name 大汗 is a finding that 5 others have" in fault for fault in found), found


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("胸痛样\tsympton\t", "unknown kind"),
        ("某痛\tsymptom\t(左/右…痛", "not closed"),
        ("某痛\tsymptom\t\t无此行", "the broader finding 无此行 has no row"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    folder = write_folder(tmp_path / "base", findings=f"{FINDINGS}{row}\n")
    assert any(said in fault for fault in faults(folder)), faults(folder)


def test_a_cycle_of_broader_findings_ends(tmp_path: Path) -> None:
    rows = f"{FINDINGS}甲痛\tsymptom\t\t乙痛\n乙痛\tsymptom\t\t甲痛\n"
    known = read_vocabulary([write_folder(tmp_path / "base", findings=rows)])
    assert known.ancestors("甲痛") == ("乙痛",)


def test_wordings_stand_for_their_alternatives() -> None:
    assert parse_wording("(右上腹/右季肋部)…压痛") == ((("右上腹", "右季肋部"),), (("压痛",),))
    assert parse_wording("(压榨/紧缩)(性/)痛") == ((("压榨", "紧缩"), ("性", ""), ("痛",)),)
    assert parse_wording("HLA-B27(+)") == ((("hla-b27",), ("(+)",)),)
    with pytest.raises(WordingError):
        parse_wording("胸痛…(轻/)")


def test_the_base_that_ships_has_no_fault() -> None:
    known = vocabulary()
    assert known.faults == ()
    assert [str(fault) for fault in lint(shipped_entries(), known)] == []
    assert len(shipped_entries()) >= 800


def test_every_finding_is_read_from_its_own_name() -> None:
    from knowledge.clinical.reading import clinical_reader

    known, reader = {*vocabulary().findings}, clinical_reader()
    named = {name for entry in shipped_entries() for name in entry.findings}
    read = {name: {f.concept for f in reader.read(name, "n")} for name in named}
    lost = [name for name, found in read.items() if name not in found and not found & known]
    assert sorted(lost) == []
