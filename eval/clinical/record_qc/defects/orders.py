"""Defects of drugs and of what is open at discharge."""

from __future__ import annotations

import re
from datetime import timedelta

from assistant.tasks.record_qc.record import CheckedEncounter
from eval.clinical.record_qc.edit import (
    Defect,
    Dice,
    inserted,
    noted,
    pick,
    rows,
    with_sentence,
    wordings,
)


def _without_allergies(
    encounter: CheckedEncounter, words: str, dice: Dice
) -> CheckedEncounter | None:
    note = pick(encounter, dice, "admission")
    if note is None:
        return None
    text = re.sub(
        r"[，。；]?[^，。；\n]*(?:过敏|皮试|荨麻疹)[^，。；\n]*(?=[，。；\n]|$)", "", note.text
    )
    return noted(encounter, note.id, text=inserted(text, words, dice, "既往史"))


def _allergen_ordered(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    _, allergy, product, bare = dice.choice(wordings()["allergens"])
    changed = _without_allergies(encounter, allergy, dice)
    if changed is None or encounter.admitted_at is None:
        return None
    if dice.random() < 0.7:
        day = encounter.admitted_at.date()
        row = {"id": "seeded", "name": product, "start": day, "stop": day + timedelta(days=2)}
        return rows(changed, "medications", row)
    words = dice.choice([f"予{bare}治疗。", f"加用{bare}。", f"今日改用{bare}。"])
    return with_sentence(changed, words, dice, "progress")


def _unreasoned(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    name, dose, frequency, reasons = dice.choice(wordings()["drugs"])
    everything = "".join(n.text for n in encounter.notes)
    everything += "".join(d.name for d in encounter.diagnoses)
    if re.search(reasons, re.sub(r"否认[^。]*|家族史[^\n]*", "", everything)):
        return None
    row = {"id": "seeded", "name": name, "dose": dose, "route": "口服", "frequency": frequency,
           "discharge": dice.random() < 0.5}  # fmt: skip
    return rows(encounter, "medications", row)


def _dose(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """A note of the stay tells of another dose than was ordered."""
    drugs = [m for m in encounter.medications if re.fullmatch(r"\d+(?:\.\d+)?(?:mg|g)", m.dose)]
    if not drugs:
        return None
    row = dice.choice(drugs)
    bare = re.sub(
        r"^(?:注射用|盐酸|硫酸|苯磺酸|琥珀酸|马来酸|吸入用)+|(?:肠溶|缓释|控释|分散)?(?:片|胶囊|注射液|颗粒)$|钠$|钙片$",
        "",
        row.name,
    )
    same = [m for m in encounter.medications if bare in m.name]
    hit = re.match(r"([\d.]+)(mg|g)", row.dose)
    if (
        hit is None
        or len({m.dose for m in same}) > 1
        or any(bare in n.text for n in encounter.notes)
    ):
        return None
    dose = f"{float(hit[1]) * dice.choice([2, 3, 10]):g}{hit[2]}"
    words = dice.choice(
        [f"予{bare}{dose}{row.route}{row.frequency}。", f"继续{bare}{dose}{row.frequency}。",
         f"{bare}{dose}{row.route}，{row.frequency}。"]
    )  # fmt: skip
    return with_sentence(encounter, words, dice, "progress")


def _stopped(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """What is stopped on the ward is taken home."""
    home = [m for m in encounter.medications if m.discharge]
    last = [n for n in encounter.notes if n.kind == "progress"][-1:]
    if not home or not last:
        return None
    row = dice.choice(home)
    words = dice.choice(wordings()["stops"]).replace("<drug>", row.name)
    text = "".join(n.text for n in encounter.notes if n.kind == "discharge_day")
    if row.name[:3] in text:
        return None
    return noted(encounter, last[0].id, text=last[0].text + words)


def _not_given(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    words = dice.choice(wordings()["takes"])
    drug = re.search("氯吡格雷|华法林|瑞舒伐他汀|呋塞米|普萘洛尔|环孢素", words)
    if drug is None or any(drug[0] in m.name for m in encounter.medications if m.discharge):
        return None
    if not any(m.discharge for m in encounter.medications):
        return None
    return with_sentence(encounter, words, dice, "discharge_day")


def _pending(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    name, _ = dice.choice(wordings()["pending"])
    if any(name[:3] in n.text for n in encounter.notes if n.kind == "discharge_day"):
        return None
    if dice.random() < 0.5:
        row = {"id": "seeded", "name": name, "status": "pending"}
        return rows(encounter, "observations", row)
    order = {"id": "seeded", "kind": "test", "text": name, "status": "pending"}
    return rows(encounter, "orders", order)


DEFECTS: dict[str, list[Defect]] = {
    "allergy_order": [_allergen_ordered],
    "treatment_without_diagnosis": [_unreasoned],
    "dose_conflict": [_dose],
    "discharge_medication": [_stopped, _not_given],
    "pending_result": [_pending],
}
