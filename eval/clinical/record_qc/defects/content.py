"""Contradictions: sides, denials, times of onset, operations, copies."""

from __future__ import annotations

import re
from datetime import timedelta

from assistant.record.note import Note
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

_OTHER = {"左": "右", "右": "左"}


def _side_in_note(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """A side of the diagnosed or operated part is turned in one note, wherever it names it."""
    names = [d.name for d in encounter.diagnoses] + [o.name for o in encounter.operations]
    themes = {
        m[0] for n in names if not re.search("陈旧|术后", n)
        for m in re.finditer(r"[左右]侧?[\u4e00-\u9fff]{2}", n)
    }  # fmt: skip
    for theme in dice.sample(sorted(themes), len(themes)):
        part = re.sub(r"^[左右]侧?", "", theme)
        notes = [
            n for n in encounter.notes
            if n.kind in ("operation", "progress", "discharge_day", "first_progress")
            and re.search(rf"{theme[0]}侧?{part}", n.text)
        ]  # fmt: skip
        if not notes:
            continue
        note = dice.choice(notes)
        text = re.sub(rf"{theme[0]}(侧?{part})", rf"{_OTHER[theme[0]]}\1", note.text)
        return noted(encounter, note.id, text=text)
    return None


def _side_in_rows(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    for number, row in enumerate(encounter.diagnoses):
        hit = re.search("[左右]", row.name)
        if hit and row.kind == "discharge" and not re.search("陈旧|术后", row.name):
            name = row.name[: hit.start()] + _OTHER[hit[0]] + row.name[hit.end() :]
            diagnoses = list(encounter.diagnoses)
            diagnoses[number] = row.model_copy(update={"name": name})
            return encounter.model_copy(update={"diagnoses": diagnoses})
    return None


def _side_of_operation(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    for number, row in enumerate(encounter.operations):
        hit = re.search("[左右]", row.name)
        if hit:
            operations = list(encounter.operations)
            side = "right" if hit[0] == "左" else "left"
            operations[number] = row.model_copy(update={"laterality": side})
            return encounter.model_copy(update={"operations": operations})
    return None


def _denied_complaint(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """The story denies what the chief complaint is."""
    for note in encounter.notes:
        if note.kind != "admission":
            continue
        complaint = re.search(r"主诉[:：]([^\n]*)", note.text)
        story = re.search(r"现病史[:：]([^\n]*)", note.text)
        if not complaint or not story:
            return None
        for symptom in wordings()["symptoms"]:
            if symptom in complaint[1]:
                kept = re.sub(rf"[^，。]*{symptom}[^，。]*[，。]", "", story[1])
                words = dice.choice(
                    [f"病程中无{symptom}。", f"否认{symptom}。", f"无{symptom}、皮疹。"]
                )
                told_now = kept + words
                if symptom in kept or (symptom[-1] in "痛水肿" and re.search("[痛肿]", kept)):
                    # Told in other words: the denial would be of something else.
                    continue
                text = note.text.replace(story[1], told_now)
                return noted(encounter, note.id, text=text)
    return None


def _denied_history(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    core, denial, asserted = dice.choice(wordings()["history"])
    note = pick(encounter, dice, "admission")
    other = pick(encounter, dice, "first_progress", "admission")
    if note is None or other is None or any(core in d.name for d in encounter.diagnoses):
        return None
    if any(core in n.text for n in encounter.notes if n.kind in ("admission", "first_progress")):
        return None
    changed = noted(encounter, note.id, text=inserted(note.text, f"{denial}。", dice, "既往史"))
    again = next(n for n in changed.notes if n.id == other.id)
    heading = "既往史" if other.kind == "admission" else "病例特点"
    text = inserted(again.text, f"{asserted}。", dice, heading)
    return noted(changed, other.id, text=text) if text != again.text else None


def _denied_habit(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    denial, asserted = dice.choice(wordings()["smoking"])
    note = pick(encounter, dice, "admission")
    if note is None or not re.search(r"个人史[:：]", note.text) or (encounter.patient.sex is None):
        return None
    text = re.sub(r"(个人史[:：])[^\n]*", rf"\1{denial}。", note.text)
    text = inserted(text, asserted, dice, dice.choice(["现病史", "既往史"]))
    return noted(encounter, note.id, text=text)


def _denied_sign(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    pairs = [
        ("双肺可闻及湿啰音。", "双肺未闻及湿啰音。"), ("皮肤巩膜黄染。", "皮肤巩膜无黄染。"),
        ("心脏听诊可闻及杂音。", "各瓣膜区未闻及杂音。"), ("全身可见皮疹。", "全身皮肤无皮疹。"),
        ("可闻及哮鸣音。", "未闻及哮鸣音。"), ("口唇发绀。", "口唇无发绀。"),
    ]  # fmt: skip
    yes, no = dice.choice(pairs)
    note = pick(encounter, dice, "admission")
    if note is None:
        return None
    exam = re.search(r"体格检查[:：]([^\n]*)", note.text)
    word = re.search("湿啰音|黄染|杂音|皮疹|哮鸣音|发绀", yes)
    if not exam or not word or word[0] in exam[1] or "啰音" in exam[1]:
        return None
    text = inserted(inserted(note.text, yes, dice, "体格检查"), no, dice, "体格检查")
    return noted(encounter, note.id, text=text)


def _allergy(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """One note denies all allergies, another has one."""
    denial, had = dice.choice(wordings()["allergy"])
    note = pick(encounter, dice, "admission")
    if note is None or any(
        re.search("过敏|皮试", n.text) for n in encounter.notes if n is not note
    ):
        return None
    text = re.sub(
        r"[，。；]?[^，。；\n]*(?:过敏|皮试|荨麻疹)[^，。；\n]*(?=[，。；\n]|$)", "", note.text
    )
    changed = noted(encounter, note.id, text=inserted(text, f"{denial}。", dice, "既往史"))
    other = pick(changed, dice, "progress", "first_progress", "nursing")
    if other is None:
        return None
    return noted(changed, other.id, text=inserted(other.text, had, dice))


def _onset(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    note = pick(encounter, dice, "admission")
    if note is None:
        return None
    head = re.search(r"主诉[:：]([^\n]*)", note.text)
    if head is None or re.search("孕|停经|妊娠|术后|周期", head[1]):
        return None
    times = list(re.finditer(r"(\d+)(天|小时|年|周|个月)", head[1]))
    story = re.search(r"现病史[:：]([^\n]*)", note.text)
    if not times or story is None or re.search(r"\d{4}年|\d{4}-\d", story[1]):
        return None
    scale = {"小时": 1, "天": 24, "周": 168, "个月": 720, "年": 8760}
    hit = max(times, key=lambda m: int(m[1]) * scale[m[2]])
    number = int(hit[1]) * dice.choice([3, 4, 7]) + dice.randint(1, 3)
    new = head[1][: hit.start()] + f"{number}{hit[2]}" + head[1][hit.end() :]
    return noted(encounter, note.id, text=note.text.replace(head[1], new, 1))


def _copied(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    progress = [n for n in encounter.notes if n.kind == "progress" and len(n.text) > 45]
    if len(progress) < 2:
        return None
    one, other = dice.sample(progress, 2)
    if one.written_at and other.written_at and one.written_at.date() == other.written_at.date():
        return None
    text = one.text
    way = dice.randrange(4)
    if way == 1:
        text = f"今日查房，{text}"
    elif way == 2:
        text = text.replace("患者", "患者今日", 1)
    elif way == 3:
        text = text.replace("。", "，", 1) + "继续目前治疗。"
    return noted(encounter, other.id, text=text)


def _blood_lost(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    note = next((n for n in encounter.notes if n.kind == "operation"), None)
    hit = re.search(r"出血约?(\d+)ml", note.text) if note else None
    if note is None or hit is None:
        return None
    after = [
        n for n in encounter.notes
        if n.kind in ("progress", "discharge_day") and n.written_at and note.written_at
        and n.written_at > note.written_at and "出血" not in n.text
    ]  # fmt: skip
    if not after:
        return None
    other = dice.choice(after)
    volume = int(hit[1]) * dice.choice([2, 3, 5]) + 10
    words = dice.choice(
        [
            f"术中出血约{volume}ml。",
            f"手术顺利，术中失血{volume}ml。",
            f"术中出血量约{volume}ml，未输血。",
        ]
    )
    return noted(encounter, other.id, text=inserted(other.text, words, dice))


def _blood_group(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    first, second = dice.choice(wordings()["blood"])
    notes = [n for n in encounter.notes if n.kind in ("admission", "progress", "operation")]
    if len(notes) < 2 or any("型血" in n.text or "血型" in n.text for n in encounter.notes):
        return None
    one, other = dice.sample(notes, 2)
    changed = noted(encounter, one.id, text=inserted(one.text, first, dice))
    return noted(changed, other.id, text=inserted(other.text, second, dice))


def _consent_note(encounter: CheckedEncounter, dice: Dice, name: str) -> CheckedEncounter | None:
    operation = encounter.operations[0]
    if operation.at is None:
        return None
    words = dice.choice(wordings()["consents"]).replace("<operation>", name)
    note = Note(
        id="consent",
        kind="other",
        title=dice.choice(["手术知情同意书", "术前小结", "术前讨论记录"]),
        written_at=operation.at - timedelta(hours=3),
        author=encounter.notes[0].author,
        text=words,
    )
    return encounter.model_copy(update={"notes": [*encounter.notes, note]})


def _other_operation(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    if len(encounter.operations) != 1:
        return None
    own = encounter.operations[0].name
    names = [n for n in wordings()["operations"] if not set(n[-4:-1]) & set(own)]
    return _consent_note(encounter, dice, dice.choice(names)) if names else None


def _other_side(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    if len(encounter.operations) != 1:
        return None
    own = encounter.operations[0].name
    hit = re.search("[左右]", own)
    if hit is None:
        return None
    return _consent_note(encounter, dice, own[: hit.start()] + _OTHER[hit[0]] + own[hit.end() :])


def _no_consent(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    if not encounter.operations:
        return None
    return with_sentence(
        encounter, dice.choice(wordings()["unsigned"]), dice, "progress", "operation"
    )


def _unagreed(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """The summary before an operation has no word of consent."""
    if len(encounter.operations) != 1 or encounter.operations[0].at is None:
        return None
    if any(re.search("同意|签|交代|告知", n.text) for n in encounter.notes):
        return None
    made = _consent_note(encounter, dice, encounter.operations[0].name)
    text = f"拟行{encounter.operations[0].name}，手术指征明确，术前检查无明显禁忌。"
    if made is None:
        return None
    return noted(made, "consent", text=text, title=dice.choice(["术前小结", "术前讨论记录"]))


def _transfused(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    if any("输血" in n.text and "否认" not in n.text for n in encounter.notes) or any(
        re.search("红细胞|血浆", n.text) for n in encounter.notes if n.kind != "admission"
    ):
        return None
    return with_sentence(encounter, dice.choice(wordings()["transfusions"]), dice, "progress")


def _unfounded(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    name, code = dice.choice(wordings()["ungrounded"])
    text = "".join(n.text for n in encounter.notes)
    if (
        name[-3:] in text
        or name[:2] in text
        or any(name[-3:] in d.name for d in encounter.diagnoses)
    ):
        return None
    return rows(encounter, "diagnoses", {"kind": "discharge", "name": name, "icd10": code})


def _unfollowed(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    words = dice.choice(wordings()["plans"])
    key = re.search(
        "磁共振|胃镜|肺功能|CT|骨髓|造影|动态心电图|肠镜|眼科|风湿|血管外科|骨密度|支气管镜", words
    )
    everything = encounter.model_dump_json()
    if key is None or key[0] in everything:
        return None
    heading = "诊疗计划" if dice.random() < 0.5 else ""
    kind = "first_progress" if heading else "progress"
    return with_sentence(encounter, words, dice, kind, heading=heading)


DEFECTS: dict[str, list[Defect]] = {
    "laterality": [_side_in_note, _side_in_rows, _side_of_operation],
    "denial_conflict": [_denied_complaint, _denied_history, _denied_habit, _denied_sign],
    "allergy_conflict": [_allergy],
    "onset_conflict": [_onset],
    "copy_forward": [_copied],
    "stated_conflict": [_blood_lost, _blood_group],
    "operation_consent": [_other_operation, _other_side],
    "consent_missing": [_no_consent, _unagreed],
    "transfusion_items": [_transfused],
    "diagnosis_without_grounds": [_unfounded],
    "plan_not_followed": [_unfollowed],
}
