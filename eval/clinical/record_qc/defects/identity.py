"""Facts of another patient, and what neither the sex nor the age allows."""

from __future__ import annotations

import re
from typing import Any

from assistant.tasks.record_qc.record import CheckedEncounter
from eval.clinical.discharge.story import common
from eval.clinical.record_qc.edit import Defect, Dice, rows, with_sentence, wordings

_KINDS = ("admission", "first_progress", "progress", "discharge_day", "nursing")
_SEX = {"male": "男", "female": "女"}
_OTHER = {"male": "女", "female": "男"}


def _filled(name: str) -> Defect:
    def make(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
        patient, admitted = encounter.patient, encounter.admitted_at
        if patient.sex is None or admitted is None:
            return None
        age = patient.age_at(admitted.date())
        if age is None:
            return None
        given = [n for group in common().given.values() for n in group]
        other = dice.choice(common().surnames) + dice.choice(given)
        if other[0] == patient.name[:1]:
            return None
        years = int(age) + dice.choice([-23, -17, -9, -5, 5, 8, 14, 21])
        own = int(re.sub(r"\D", "", encounter.bed) or 0)
        words: dict[str, Any] = {
            "other": other,
            "sex": _SEX[patient.sex],
            "othersex": _OTHER[patient.sex],
            "age": years if years > 0 else int(age) + 12,
            "bed": own + dice.randint(2, 40),
        }
        text = dice.choice(wordings()[name])
        for key, value in words.items():
            text = text.replace(f"<{key}>", str(value))
        return with_sentence(encounter, text, dice, *_KINDS)

    return make


def _organ(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    if encounter.patient.sex is None:
        return None
    words = dice.choice(wordings()[f"sex_{encounter.patient.sex}"])
    heading = dice.choice(["体格检查", "辅助检查", ""])
    if heading:
        return with_sentence(encounter, words, dice, "admission", heading=heading)
    return with_sentence(encounter, words, dice, "progress", "discharge_day")


def _illness(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    named = {
        "male": ["子宫肌瘤", "卵巢囊肿", "异位妊娠", "慢性宫颈炎", "妊娠期高血压"],
        "female": ["良性前列腺增生", "前列腺癌", "睾丸炎", "精索静脉曲张", "包皮过长"],
    }
    sex = encounter.patient.sex
    return _diagnosed(encounter, dice.choice(named[sex])) if sex else None


def _unaged(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    admitted = encounter.admitted_at
    age = encounter.patient.age_at(admitted.date()) if admitted else None
    if age is None:
        return None
    old = ["老年性白内障", "阿尔茨海默病", "绝经后骨质疏松症", "老年性痴呆"]
    young = ["新生儿肺炎", "小儿肺炎", "川崎病", "新生儿黄疸", "婴幼儿腹泻"]
    if 17 <= age < 30:
        return _diagnosed(encounter, dice.choice([*old[:2], *young[:4]]))
    return _diagnosed(encounter, dice.choice(old if age < 17 else young))


def _diagnosed(encounter: CheckedEncounter, name: str) -> CheckedEncounter:
    return rows(encounter, "diagnoses", {"kind": "discharge", "name": name})


DEFECTS: dict[str, list[Defect]] = {
    "wrong_name": [_filled("wrong_name")],
    "wrong_sex": [_filled("wrong_sex")],
    "wrong_age": [_filled("wrong_age")],
    "wrong_bed": [_filled("wrong_bed")],
    "sex_incompatible": [_organ, _illness],
    "age_incompatible": [_unaged],
}
