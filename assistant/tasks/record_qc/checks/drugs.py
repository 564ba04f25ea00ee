"""Drugs against allergies, reasons, notes, and what is taken home."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from assistant.grounding.segments import Scope
from assistant.record.medication import Medication
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.checks.denials import allergens
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import one_quantity
from assistant.tasks.record_qc.rules import Rules, patterns
from knowledge.text.amount import Quantity
from knowledge.text.drugs import DrugNames, generic_name
from knowledge.text.finding import Polarity
from knowledge.text.regimens import regimens

_SHORTEST = 3
"""Characters of a name that is no part of many others."""
_GIVEN = re.compile(r"予|给予|使用|应用|静滴|静脉滴注|口服|联合|加用|换用|改用|继续")


def check_allergy_orders(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``allergy_order``: the class of an allergen is ordered, or given by the notes."""
    reported: set[str] = set()
    for page, entity, name in allergens(chart):
        for number, drug in enumerate(chart.encounter.medications):
            bare = generic_name(drug.name)
            if len(bare) >= _SHORTEST and bare in name and bare not in reported:
                reported.add(bare)
                yield Found(
                    "allergy_order",
                    f"{page.name}记有“{name}”过敏，医嘱却有{drug.name}。",
                    [*chart.row("medications", number), page.of(entity)],
                )
        for row in patterns("allergens", 1):
            group, _, drugs = row.cells[:3]
            if group in reported or not row.pattern.search(name):
                continue
            given = re.compile(drugs)
            hit = next(
                (n for n, m in enumerate(chart.encounter.medications) if given.search(m.name)), None
            )
            if hit is not None:
                reported.add(group)
                yield Found(
                    "allergy_order",
                    f"{page.name}记有“{name}”过敏，医嘱却有{chart.encounter.medications[hit].name}"
                    f"（{group}）。",
                    [*chart.row("medications", hit), page.of(entity)],
                )
                continue
            place = _in_notes(chart, given)
            if place is not None:
                reported.add(group)
                where, start, end = place
                yield Found(
                    "allergy_order",
                    f"{page.name}记有“{name}”过敏，{where.name}却使用"
                    f"“{where.text[start:end]}”（{group}）。",
                    [where.span(start, end), page.of(entity)],
                )


def _in_notes(chart: Chart, given: re.Pattern[str]) -> tuple[Page, int, int] | None:
    for page in chart.of_kind("progress", "operation", "first_progress", "discharge_day"):
        for one in regimens(page.text):
            # 哌拉西林3.0g: a dose says that it is given, as the word 予 does.
            name, start, end = one.drug.name, one.drug.start, one.drug.end
            clause = page.clause_at(start)
            if not given.search(name) or clause is None or clause.scope is Scope.PRIOR:
                continue
            if "过敏" in clause.text or not (one.dose or _GIVEN.search(clause.text)):
                continue
            # What it is to prevent is only thought of; the drug is given.
            prevents = (
                one.dose is not None
                and "预防" in page.text[max(0, clause.start - 12) : one.end + 8]
            )
            against = {"stopped", "undone", "refused", "family"}
            if one.stopped or (against if prevents else against | {"thought"}) & clause.stances:
                continue
            return page, start, end
    return None


def check_reasons(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``treatment_without_diagnosis``."""
    names = "；".join(d.name for d in chart.encounter.diagnoses)
    names += "；" + "；".join(o.name for o in chart.encounter.operations)
    done: set[str] = set()
    for row in patterns("indications"):
        reasons = re.compile(row.cells[1])
        for number, drug in enumerate(chart.encounter.medications):
            hit = row.pattern.search(drug.name)
            if hit is None or row.cells[2] in done:
                continue
            if reasons.search(names) or _said(chart, reasons, drug):
                continue
            done.add(row.cells[2])
            yield Found(
                "treatment_without_diagnosis",
                f"使用{drug.name}，病历中没有对应的诊断或指征（如{row.cells[2]}）。",
                chart.row("medications", number),
            )


def _said(chart: Chart, reasons: re.Pattern[str], drug: Medication) -> bool:
    """Whether a note has a reason, apart from the names of drugs and what it denies."""
    bare = generic_name(drug.name)
    for page in chart.pages:
        text = page.text.replace(drug.name, "　" * len(drug.name)).replace(bare, "　" * len(bare))
        for hit in reasons.finditer(text):
            inside = [e for e in page.entities if e.start <= hit.start() < e.end]
            if any(e.polarity is Polarity.ABSENT and not e.reassuring for e in inside):
                continue
            clause = page.clause_at(hit.start())
            if clause is not None and ({"family"} & clause.stances or clause.section == "家族史"):
                continue
            if clause is not None and re.search(
                r"否认|(?:^|[，,])无", clause.text[: hit.start() - clause.start]
            ):
                continue
            return True
    return False


_FORMED = re.compile(r"^注射用|(?:氯化钠|葡萄糖)?(?:注射液|片|胶囊|颗粒)$")
_SOLVED = re.compile(r"^注射用|(?:注射液|片|胶囊|颗粒)$")


def check_doses(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``dose_conflict``: a dose of the stay that no order of the drug has."""
    ordered: dict[str, list[tuple[int, Quantity]]] = {}
    drugs: dict[str, str] = {}
    for number, row in enumerate(chart.encounter.medications):
        quantity = one_quantity(row.dose) if row.dose else None
        bare = generic_name(row.name)
        drugs[bare] = row.name
        if quantity is not None:
            ordered.setdefault(bare, []).append((number, quantity))
    if not ordered:
        return
    names = DrugNames(
        [
            *drugs,
            *drugs.values(),
            *(d.removesuffix("钠") for d in drugs),
            *(p.sub("", d) for d in drugs.values() for p in (_FORMED, _SOLVED)),
        ]
    )
    for page in chart.of_kind("progress", "operation", "discharge_day", "consultation"):
        mentions = names.find(page.text)
        for one in regimens(page.text, mentions):
            bare = generic_name(one.drug.name)
            rows = [r for known, rs in ordered.items() if _is_one(bare, known) for r in rs]
            if page.day and not any(_begun(chart, n, page.day) for n, _ in rows):
                # Given before any order of it begins: a dose at once, written with what it was for.
                continue
            dose = one.dose
            if not rows or dose is None or one.planned or len(dose.values) != 1:
                continue
            clause = page.clause_at(dose.start)
            if clause is None or clause.scope is Scope.PRIOR:
                continue
            if {"thought", "planned", "needed", "family"} & clause.stances or "由" in clause.text:
                continue
            same_kind = [(n, q) for n, q in rows if q.unit.converts_to(dose.unit)]
            if not same_kind or any(set(q.base) & set(dose.base) for _, q in same_kind):
                continue
            if one.rate is not None or any(len(q.values) != 1 for _, q in same_kind):
                continue
            yield Found(
                "dose_conflict",
                f"{page.name}写{one.drug.name} {page.text[dose.start : dose.end]}，"
                f"医嘱为 {chart.encounter.medications[same_kind[0][0]].dose}。",
                [page.span(dose.start, dose.end), *chart.row("medications", same_kind[0][0])],
            )


def _begun(chart: Chart, number: int, day: date) -> bool:
    start = chart.encounter.medications[number].start
    return start is None or start <= day


def _is_one(one: str, other: str) -> bool:
    """Whether two generic names are of one drug: with and without its salt."""
    return one == other or (min(len(one), len(other)) >= 3 and (one in other or other in one))


_TAKE = re.compile(
    r"继续(?:口服|服用|使用|予)?|口服|服用|带药|出院带药|规律服|长期服|皮下注射|吸入"
)
_STOP = re.compile(
    r"停用|停服|停止(?:使用|服用|口服)?|已停|禁用|避免(?:使用|服用)|不再(?:使用|服用|口服)|停(?=[\u4e00-\u9fff])"
)
_AGAIN = re.compile(r"恢复|重新|再次(?:加用|予|口服)|继续|加用|改为|改用|换用|换为|起予|予")


def check_home(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``discharge_medication``: stopped and taken home, or to be taken and not given."""
    home = [(n, m) for n, m in enumerate(chart.encounter.medications) if m.discharge]
    if not home:
        return
    names = DrugNames([n for _, m in home for n in (m.name, generic_name(m.name))])
    for number, row in home:
        stopped = _stopped(chart, row, names)
        if stopped is not None:
            page, start, end = stopped
            yield Found(
                "discharge_medication",
                f"{page.name}已停用“{row.name}”，出院带药仍有。",
                [page.span(start, end), *chart.row("medications", number)],
            )
    yield from _not_given(chart, [m for _, m in home])


def _stopped(chart: Chart, row: Medication, names: DrugNames) -> tuple[Page, int, int] | None:
    """Where the stay last says that a drug is stopped, unless it goes on afterwards."""
    bare = generic_name(row.name)
    last: tuple[Page, int, int] | None = None
    for page in chart.of_kind("progress", "discharge_day", "consultation"):
        for mention in names.find(page.text):
            if not _is_one(generic_name(mention.name), bare):
                continue
            clause = page.clause_at(mention.start)
            if clause is None or clause.scope is Scope.PRIOR:
                continue
            before = page.text[clause.start : mention.start]
            after = page.text[mention.end : clause.end]
            stop = _STOP.search(before[-12:]) or re.match(
                r"[^，,。；;]{0,12}?(?:停用|停药|已停|停服)", after
            )
            partly = re.search(r"静脉|静滴|注射|泵|剂量|片(?=改)|改|前", before[-8:] + after[:12])
            ahead = re.search(r"不可|不能|勿|不得|切勿|不要|避免自行|自行", before[-8:] + after[:8])
            until = re.search(
                r"至\d|后停|[一二三四五六七八九十\d]+[天日周月年]后|满|疗程", before[-14:] + after
            )
            if stop and not ahead and not until and not partly:
                last = page, clause.start, clause.end
            elif not stop and _AGAIN.search(page.text[clause.start : clause.end]):
                last = None
    return last


_GROUP = re.compile(r"(?:药物?|激素|抗生素|制剂|补液|液|类|剂|中药|维生素|营养素)$")


def _not_given(chart: Chart, home: list[Medication]) -> Iterator[Found]:
    given = {generic_name(m.name) for m in home}
    for page in chart.of_kind("discharge_day"):
        for entity in page.entities:
            if entity.type.value != "drug" or entity.polarity is Polarity.ABSENT or entity.allergen:
                continue
            clause = page.clause_at(entity.start)
            before = page.text[max(0, clause.start - 8) : entity.start] if clause else ""
            if clause is None or not _TAKE.search(before):
                continue
            if {"stopped", "thought", "undone", "refused", "family", "needed"} & clause.stances:
                continue
            bare = generic_name(entity.text)
            if _GROUP.search(entity.text):
                continue
            if any(bare in g or g in bare or entity.text in m.name for g in given for m in home):
                continue
            if (
                not any(
                    bare in generic_name(m.name) or generic_name(m.name) in bare
                    for m in chart.encounter.medications
                )
                and len(entity.text) < _SHORTEST
            ):
                continue
            yield Found(
                "discharge_medication",
                f"{page.name}嘱服用“{entity.text}”，出院带药没有该药。",
                [page.span(clause.start, clause.end)],
            )
