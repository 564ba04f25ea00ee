"""Facts of another patient: name, sex, age and bed that are not this patient's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.record.patient import SEX_ZH
from assistant.store.person_names import find_names
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules, patterns
from knowledge.text.phrases import phrases_of
from knowledge.text.quantity import quantities

_PHRASES = phrases_of("assistant.tasks.record_qc")
_WHO = _PHRASES["who"]
_BEFORE = _PHRASES["name_first"]
_BARE = _PHRASES["name_bare"]
_SEX = _PHRASES["sex"]
_NOT_HIM = _PHRASES["other_person"]
_AGED = _PHRASES["aged"]
_BED = _PHRASES["bed"]
_MOVED = _PHRASES["moved"]


def check_names(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``wrong_name``: somebody else is called the patient."""
    own = chart.encounter.patient.name.strip()
    if len(own) < 2:
        return
    for page in chart.pages:
        said: dict[str, re.Match[str]] = {}
        for pattern in (_WHO, _BARE, _BEFORE):
            for hit in page.find(pattern):
                said.setdefault(hit["name"], hit)
        for name, hit in said.items():
            if name == own or name in own or own in name:
                continue
            if _is_name(page, name):
                yield Found(
                    "wrong_name",
                    f"{page.name}把患者称为“{name}”，与本患者姓名不符。",
                    [page.span(hit.start("name"), hit.end("name"))],
                )


def _is_name(page: Page, name: str) -> bool:
    """Whether the reader of names takes it for one, and nothing clinical is in it."""
    if name not in page.names and name not in find_names(f"患者{name}今日复诊。"):
        return False
    at = page.text.find(name)
    return not any(e.start < at + len(name) and at < e.end for e in page.entities)


def check_sex(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``wrong_sex`` and ``sex_incompatible``."""
    sex = chart.encounter.patient.sex
    if sex is None:
        return
    other = "男" if sex == "female" else "女"
    for page in chart.pages:
        for hit in page.find(_SEX):
            around = page.text[max(0, hit.start() - 6) : hit.end() + 3]
            clause = page.clause_at(hit.start("sex"))
            family = clause is not None and ("family" in clause.stances or clause.section in _KIN)
            family = family and not re.search(r"患[者儿]|病人", around)
            if hit["sex"] == other and not family and not _NOT_HIM.search(around):
                yield Found(
                    "wrong_sex",
                    f"{page.name}写为{other}性，基本信息为{SEX_ZH[sex]}。",
                    [page.span(*hit.span())],
                )
                break
    yield from _organs(chart, sex)


_KIN = frozenset({"家族史", "婚育史", "月经婚育史", "生育史"})


def _organs(chart: Chart, sex: str) -> Iterator[Found]:
    for row in patterns("sexes", 1):
        if row.cells[0] == sex:
            continue
        for number, diagnosis in enumerate(chart.encounter.diagnoses):
            if row.pattern.search(diagnosis.name):
                yield Found(
                    "sex_incompatible",
                    f"{SEX_ZH[sex]}性患者的诊断“{diagnosis.name}”与性别不相容。",
                    chart.row("diagnoses", number),
                )
        for page in chart.pages:
            for hit in page.find(row.pattern):
                clause = page.clause_at(hit.start())
                section = page.section_at(hit.start())
                if section in _KIN or clause is None or "family" in clause.stances:
                    continue
                if _NOT_HIM.search(page.text[max(0, hit.start() - 12) : hit.start()]):
                    continue
                yield Found(
                    "sex_incompatible",
                    f"{SEX_ZH[sex]}性患者的{page.name}出现“{hit[0]}”。",
                    [page.span(clause.start, clause.end)],
                )
                break


def check_age(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``wrong_age`` and ``age_incompatible``."""
    age = chart.age
    if age is None:
        return
    for page in chart.pages:
        for quantity in quantities(page.text):
            if quantity.unit.shown != "岁" or quantity.shape != "one":
                continue
            before = page.text[max(0, quantity.start - 14) : quantity.start]
            years = float(quantity.low)
            if _AGED.search(before) and abs(years - age) >= (1.6 if age >= 3 else 1.1):
                yield Found(
                    "wrong_age",
                    f"{page.name}年龄写为“{page.text[quantity.start : quantity.end]}”，"
                    f"按基本信息为 {age:.0f} 岁。",
                    [page.span(quantity.start, quantity.end)],
                )
                break
    for row in patterns("ages"):
        low, high = float(row.cells[1]), float(row.cells[2])
        for number, diagnosis in enumerate(chart.encounter.diagnoses):
            if row.pattern.search(diagnosis.name) and not low <= age <= high:
                yield Found(
                    "age_incompatible",
                    f"{age:.0f} 岁患者的诊断“{diagnosis.name}”与年龄不相容。",
                    chart.row("diagnoses", number),
                )


def check_bed(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``wrong_bed``."""
    own = re.sub(r"\D", "", chart.encounter.bed)
    if not own:
        return
    for page in chart.pages:
        for hit in page.find(_BED):
            said = re.sub(r"\D", "", hit["bed"] or hit["no"])
            clause = page.clause_at(hit.start())
            moved = clause is not None and _MOVED.search(clause.text)
            if said and int(said) != int(own) and not moved:
                yield Found(
                    "wrong_bed",
                    f"{page.name}床号“{hit[0]}”与基本信息（{chart.encounter.bed}）不符。",
                    [page.span(*hit.span())],
                )
                break
