"""Synthetic encounters with known facts, made from the stories; the same seed makes the same ones.

All of it is invented by the authors and has been read by no clinician.
"""

from __future__ import annotations

from typing import Literal

from assistant.record.diagnosis import Diagnosis
from assistant.record.encounter import Encounter
from assistant.record.medication import Medication
from assistant.record.note import Note
from assistant.record.observation import Observation
from assistant.record.operation import Operation
from assistant.record.order import Order
from eval.clinical.discharge.draw import Draw, draw, flag
from eval.clinical.discharge.known import KnownEncounter
from eval.clinical.discharge.story import Drug, stories
from eval.clinical.discharge.truth import facts, traps

COUNT = 40
"""Encounters by default: two of each story."""

SEED = 1
_SIDES: dict[str, Literal["left", "right"]] = {"左": "left", "右": "right"}


def generate(count: int = COUNT, seed: int = SEED) -> list[KnownEncounter]:
    """``count`` encounters, every story once before one comes again."""
    told = stories()
    return [_known(draw(told[n % len(told)], n // len(told), seed)) for n in range(count)]


def _known(drawn: Draw) -> KnownEncounter:
    encounter = Encounter(
        id=drawn.id,
        patient=drawn.patient,
        department=drawn.story.department,
        admitted_at=drawn.admitted_at,
        discharged_at=drawn.at(drawn.days, 11),
        diagnoses=_diagnoses(drawn),
        notes=_notes(drawn),
        observations=_observations(drawn),
        orders=_orders(drawn),
        medications=_medications(drawn),
        operations=_operations(drawn),
    )
    return KnownEncounter(
        encounter=encounter,
        speciality=drawn.story.department,
        facts=tuple(facts(drawn, encounter)),
        traps=tuple(traps(drawn, encounter)),
    )


def _diagnoses(drawn: Draw) -> list[Diagnosis]:
    story = drawn.story
    kinds: dict[Literal["admission", "discharge"], tuple[str, str]] = {
        "admission": story.admitted_as or story.diagnosis,
        "discharge": story.diagnosis,
    }
    brought = [(c.name, c.icd10) for c, _ in drawn.comorbidities]
    return [
        Diagnosis(kind=kind, name=drawn.fill(name), icd10=code, primary=number == 0)
        for kind, first in kinds.items()
        for number, (name, code) in enumerate([first, *brought])
    ]


def _notes(drawn: Draw) -> list[Note]:
    story = drawn.story
    notes = [
        ("admission", "入院记录", 0, 9, _admission(drawn)),
        ("first_progress", "首次病程记录", 0, 17, _first_progress(drawn)),
    ]
    notes += [
        ("progress", "日常病程记录", day, 9, drawn.fill(text)) for day, text in story.progress
    ]
    if story.operation:
        day, name, text, _ = story.operation
        told = f"手术名称：{drawn.fill(name)}。{drawn.fill(text)}"
        notes.append(("operation", "手术记录", day, 15, told))
    leaving = (
        f"{drawn.fill(story.leaving)}出院时{drawn.leaving_vitals}。"
        f"今日出院，{drawn.fill(story.advice)}"
    )
    notes.append(("discharge_day", "出院当日病程记录", drawn.days, 8, leaving))
    notes.sort(key=lambda n: (n[2], n[3]))
    return [
        Note(
            id=f"n{number}",
            kind=kind,
            title=title,
            written_at=drawn.at(day, hour),
            author=drawn.doctor,
            text=text,
        )
        for number, (kind, title, day, hour, text) in enumerate(notes, 1)
    ]


def _admission(drawn: Draw) -> str:
    story = drawn.story
    past = [drawn.fill(story.earlier), *(text for _, text in drawn.comorbidities)]
    tests = "，".join(
        f"{name}{_written(drawn.labs[key][0], unit)}"
        for key, (name, unit, _, _) in story.labs.items()
        if 0 in drawn.labs[key]
    )
    seen = "".join(
        f"{drawn.fill(study)}：{drawn.fill(finding)}。"
        for day, study, finding in story.imaging
        if day == 0
    )
    return "\n".join(
        [
            f"主诉：{drawn.fill(story.complaint)}。",
            f"现病史：{drawn.fill(story.illness)}",
            f"既往史：{'。'.join(past)}。{drawn.allergy.text}。",
            f"个人史：{drawn.habit}。",
            f"家族史：{drawn.family.text}，否认其他家族遗传病史。",
            f"体格检查：{drawn.vitals}。{drawn.fill(story.exam)}",
            f"辅助检查：{tests}。{seen}",
        ]
    )


def _written(value: float, unit: str) -> str:
    times = "×" if unit.startswith("10^") else ""
    return f"{value:g}{times}{unit}"


def _first_progress(drawn: Draw) -> str:
    sex = "男性" if drawn.patient.sex == "male" else "女性"
    return "\n".join(
        [
            f"病例特点：1.{sex}，{drawn.patient.age_words(drawn.day(0))}。"
            f"2.{drawn.fill(drawn.story.complaint)}。",
            f"鉴别诊断：{drawn.fill(drawn.story.differential)}",
            f"诊疗计划：{drawn.fill(drawn.story.plan)}",
        ]
    )


def _observations(drawn: Draw) -> list[Observation]:
    rows = [
        (name, value, unit, reference, day)
        for key, (name, unit, reference, _) in drawn.story.labs.items()
        for day, value in drawn.labs[key].items()
    ]
    found = [
        Observation(
            id=f"o{number}",
            name=name,
            value=f"{value:g}",
            unit=unit,
            reference=reference,
            flag=flag(value, reference),
            at=drawn.at(day, 7),
        )
        for number, (name, value, unit, reference, day) in enumerate(rows, 1)
    ]
    if drawn.story.pending:
        found.append(Observation(id="pending", name=drawn.story.pending, status="pending"))
    return found


def _orders(drawn: Draw) -> list[Order]:
    return [
        Order(
            id=f"r{number}",
            kind="imaging",
            text=drawn.fill(study),
            ordered_at=drawn.at(day, 8),
            status="completed",
        )
        for number, (day, study, _) in enumerate(drawn.story.imaging, 1)
    ]


def _medications(drawn: Draw) -> list[Medication]:
    story = drawn.story
    rows = [_medication(drawn, row) for row in story.drugs]
    if story.stopped:
        rows.append(_medication(drawn, story.stopped))
    for comorbidity, _ in drawn.comorbidities:
        rows.append(_medication(drawn, [*comorbidity.drug, "home", 30]))
    return [row.model_copy(update={"id": f"m{n}"}) for n, row in enumerate(rows, 1)]


def _medication(drawn: Draw, row: Drug) -> Medication:
    name, specification, dose, route, frequency = (str(part) for part in row[:5])
    home = row[5] == "home"
    first = drawn.days if home else int(row[5])
    days = int(row[6]) if home else min(int(row[6]), drawn.days - 1) - first + 1
    return Medication(
        id="m",
        name=name,
        specification=specification,
        dose=dose,
        route=route,
        frequency=frequency,
        days=days,
        start=drawn.day(first),
        stop=drawn.day(first + days - 1),
        discharge=home,
    )


def _operations(drawn: Draw) -> list[Operation]:
    if not drawn.story.operation:
        return []
    day, name, _, _ = drawn.story.operation
    side = _SIDES[drawn.words["side"]] if "<side>" in name else None
    return [Operation(id="p1", name=drawn.fill(name), at=drawn.at(day, 13), laterality=side)]
