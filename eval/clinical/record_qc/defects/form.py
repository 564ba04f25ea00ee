"""Defects of form: notes, parts, times, signatures, templates."""

from __future__ import annotations

import re
from datetime import timedelta

from assistant.tasks.record_qc.record import CheckedEncounter
from eval.clinical.record_qc.edit import Defect, Dice, noted, pick, with_sentence, without, wordings


def _lost(*kinds: str) -> Defect:
    def make(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
        notes = [n for n in encounter.notes if n.kind in kinds]
        if len(notes) != 1 or (kinds == ("operation",) and not encounter.operations):
            return None
        return without(encounter, notes[0])

    return make


def _died(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    words = dice.choice(
        ["经抢救无效，于14:20宣布临床死亡。", "心电图呈直线，宣布死亡。", "抢救无效死亡。"]
    )
    note = pick(encounter, dice, "progress")
    return noted(encounter, note.id, text=note.text + words) if note else None


def _headless(*parts: str, kind: str = "admission") -> Defect:
    """A section is gone, heading and all."""

    def make(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
        note = pick(encounter, dice, kind)
        if note is None:
            return None
        part = dice.choice(parts)
        text = re.sub(rf"(?:^|\n){part}[:：][^\n]*", "", note.text).strip()
        if text == note.text or part[:2] in text:
            return None
        return noted(encounter, note.id, text=text)

    return make


def _empty(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    note = pick(encounter, dice, "admission")
    if note is None:
        return None
    part = dice.choice(["个人史", "家族史", "辅助检查"])
    text = re.sub(rf"(\n{part}[:：])[^\n]*", r"\1", note.text)
    return noted(encounter, note.id, text=text) if text != note.text else None


def _undifferentiated(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    note = pick(encounter, dice, "first_progress")
    if note is None:
        return None
    text = re.sub(r"(?:^|\n)鉴别诊断[:：][^\n]*", "", note.text)
    return noted(encounter, note.id, text=text) if text != note.text else None


def _unasked(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """No word of allergies in the opening notes."""
    changed = encounter
    for note in encounter.notes:
        if note.kind in ("admission", "first_progress"):
            text = re.sub(
                r"[，。；]?[^，。；\n]*(?:过敏|皮试|荨麻疹)[^，。；\n]*(?=[，。；\n]|$)",
                "",
                note.text,
            )
            changed = noted(changed, note.id, text=text)
    opening = [n for n in changed.notes if n.kind in ("admission", "first_progress")]
    gone = not any(re.search("过敏|皮试", n.text) for n in opening)
    return changed if gone and changed is not encounter else None


def _late(kind: str, least: int, most: int) -> Defect:
    def make(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
        note = pick(encounter, dice, kind)
        event = encounter.admitted_at
        if kind == "operation":
            if len(encounter.operations) != 1:
                return None
            event = encounter.operations[0].at
        if kind == "discharge_day":
            event = encounter.discharged_at
        if note is None or event is None:
            return None
        at = event + timedelta(hours=dice.randint(least, most))
        return noted(encounter, note.id, written_at=at)

    return make


def _late_round(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """The first round of a senior doctor comes on the fourth day."""
    progress = [n for n in encounter.notes if n.kind == "progress"]
    admitted, left = encounter.admitted_at, encounter.discharged_at
    if not progress or admitted is None or left is None or left - admitted < timedelta(days=5):
        return None
    if any(re.search("查房|主治|主任", n.title + n.text) for n in encounter.notes):
        return None
    late = [n for n in progress if n.written_at and n.written_at - admitted > timedelta(hours=60)]
    if not late:
        return None
    title = dice.choice(["主治医师查房记录", "主任医师查房记录", "上级医师首次查房记录"])
    return noted(encounter, late[0].id, title=title, author="白启明")


def _unsigned(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    note = pick(encounter, dice, "admission", "progress", "first_progress", "operation")
    return noted(encounter, note.id, author=dice.choice(["", " "])) if note else None


def _blank_signature(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    note = pick(encounter, dice, "admission", "progress", "discharge_day")
    words = dice.choice(["\n医师签名：", "\n签名：\n", "\n医生签名： "])
    return noted(encounter, note.id, text=note.text + words) if note else None


def _too_early(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    note = pick(encounter, dice, "admission", "progress", "first_progress")
    if note is None or encounter.admitted_at is None:
        return None
    at = encounter.admitted_at - timedelta(days=dice.randint(1, 40))
    return noted(encounter, note.id, written_at=at)


def _too_late(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    note = pick(encounter, dice, "progress")
    if note is None or encounter.discharged_at is None:
        return None
    at = encounter.discharged_at + timedelta(days=dice.randint(2, 20))
    return noted(encounter, note.id, written_at=at)


def _before_operation(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    notes = [n for n in encounter.notes if n.kind == "operation"]
    if len(encounter.operations) != 1 or len(notes) != 1 or encounter.operations[0].at is None:
        return None
    at = encounter.operations[0].at - timedelta(hours=dice.randint(2, 9))
    return noted(encounter, notes[0].id, written_at=at)


def _reversed(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    if encounter.admitted_at is None:
        return None
    left = encounter.admitted_at - timedelta(days=dice.randint(1, 30), hours=dice.randint(0, 9))
    return encounter.model_copy(update={"discharged_at": left})


def _said(name: str, *kinds: str) -> Defect:
    def make(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
        return with_sentence(encounter, dice.choice(wordings()[name]), dice, *kinds)

    return make


def _short_diagnosis(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    shorts = {"心肌梗死": "心梗", "脑梗死": "脑梗", "心房颤动": "房颤", "心力衰竭": "心衰"}
    for number, row in enumerate(encounter.diagnoses):
        for full, short in shorts.items():
            if full in row.name:
                diagnoses = list(encounter.diagnoses)
                diagnoses[number] = row.model_copy(update={"name": row.name.replace(full, short)})
                return encounter.model_copy(update={"diagnoses": diagnoses})
    return None


_ANY = ("admission", "first_progress", "progress", "discharge_day", "operation")
DEFECTS: dict[str, list[Defect]] = {
    "missing_note": [
        _lost("admission"), _lost("first_progress"), _lost("operation"), _lost("discharge_day"),
        _died,
    ],
    "missing_part": [
        _headless("主诉", "现病史", "家族史", "体格检查", "辅助检查"),
        _headless("诊疗计划", kind="first_progress"),
        _headless("病例特点", kind="first_progress"), _empty,
    ],
    "missing_differential": [_undifferentiated],
    "missing_allergy": [_unasked],
    "late_note": [
        _late("admission", 26, 70), _late("first_progress", 10, 22), _late("operation", 26, 60),
        _late("discharge_day", 27, 80), _late_round,
    ],
    "missing_signature": [_unsigned, _blank_signature],
    "date_order": [_too_early, _too_late, _before_operation],
    "discharge_before_admission": [_reversed],
    "template_remnant": [_said("template_remnant", *_ANY)],
    "forbidden_abbreviation": [
        _said("forbidden_abbreviation", "admission", "progress", "discharge_day"), _short_diagnosis,
    ],
    "impossible_date": [_said("impossible_date", "admission", "progress", "discharge_day")],
}  # fmt: skip
