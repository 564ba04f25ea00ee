"""The lines of a discharge record's advice, cut into single pieces and put under their headings."""

from __future__ import annotations

import re

from assistant.tasks.patient_version.draft import PartName

_NUMBER = re.compile(r"^\s*\d{1,2}[.、．)）]\s*(?=\D)")
_OPENING = re.compile(
    r"^(?:(?:患者)?(?:今日|今天|现)?(?:予以|予|准予|办理)?(?:母婴同室)?出院(?!后)"
    r"|病情(?:治愈|好转|平稳)|(?:同意|拟)?今日出院(?!后))[，,、。]?\s*"
)
_TOLD = re.compile(
    r"^(?:出院)?(?:医嘱|嘱咐?|告知)(?:患者|病人|家属|产妇|家长)*[：:，]?\s*"
    r"|^(?:患者|产妇)(?=\d|一)"
)
_IF = re.compile(r"^(?:如果?|若|一旦|倘若|当)")
_SEEK = re.compile(r"就诊|就医|急诊|来院|返院|复诊|随诊|看病|联系")
_GOES_ON = re.compile(r"^(?:并|且|以及?|则|或|及|和|至少|直至|待|门诊追踪)")
_ALARM = re.compile(r"(?:立即|及时|尽快|马上|随时).{0,4}(?:就诊|就医|来院|返院|急诊|复诊|看病)")
_PENDING = re.compile(r"待回报|未回报|未回|待报|结果.{0,8}(?:通知|追踪|取|领|查询)|病理报告")
_VISIT = re.compile(
    r"复诊|复查|随访|随诊|门诊|拆线|返院|回院|呼气试验|补种|接种|疫苗|下次|第\d+周期"
)
_DRUG = re.compile(
    r"口服|服用|服至|停用|停药|注射|吸入|继续.{0,8}(?:药|片|胶囊|胰岛素)|抗血小板|抗凝|禁用|避免使用|剂量"
)


def pieces(text: str) -> list[str]:
    """One piece of advice each; a condition stays with what it is the condition of."""
    body = _NUMBER.sub("", text).strip(" 。；;\n")
    body = _OPENING.sub("", body)
    found: list[str] = []
    for clause in re.split(r"[，,；;。\n]", body):
        clause = _TOLD.sub("", _OPENING.sub("", clause.strip())).strip()
        if not clause:
            continue
        waits = found and _IF.match(found[-1]) and not _SEEK.search(found[-1])
        if found and (waits or _GOES_ON.match(clause)):
            found[-1] += f"，{clause}"
        else:
            found.append(clause)
    return found


def part_of(piece: str) -> PartName:
    """The heading that a piece of advice stands under."""
    if _ALARM.search(piece) or (_IF.match(piece) and _SEEK.search(piece)):
        return "alarms"
    if _PENDING.search(piece):
        return "pending"
    if _VISIT.search(piece):
        return "visits"
    return "drugs" if _DRUG.search(piece) else "care"
