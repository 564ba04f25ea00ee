"""What the head of the record, its rows and its sections say: dates, diagnoses, operations, who
wrote, what is pending, what is to follow."""

from __future__ import annotations

import re
from datetime import datetime

from assistant.record.evidence import TextSpan
from assistant.record.fields import written_day
from assistant.record.patient import SEX_ZH
from assistant.tasks.record_qa.answers import relatives
from assistant.tasks.record_qa.answers.mentions import earlier_operations
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import Row
from assistant.tasks.record_qa.head import naive, told_operations
from assistant.tasks.record_qa.points import rows
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.tests import table

HEAD = "首页字段"
"""Where a value is from that stands in no text: the fields of the encounter."""


def _moment(at: datetime | None) -> str:
    if at is None:
        return ""
    clock = f" {at:%H:%M}" if (at.hour, at.minute) != (0, 0) else ""
    return f"{written_day(at)}{clock}"


def dates(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """Admission, discharge, how long, operations."""
    admitted, left = reading.admitted, reading.left
    lines = [("入院时间", _moment(admitted)), ("出院时间", _moment(left))]
    if admitted and left:
        days = (left.date() - admitted.date()).days
        lines.append(("住院天数", f"{days}天（入院日与出院日只计一天）"))
    out.table("时间", ["项目", "内容", "来源"], [Row(cells=[a, b, HEAD]) for a, b in lines if b])
    missing = [name for name, value in lines if not value]
    said = "，".join(f"{name} {value}" for name, value in lines if value)
    if said:
        out.note(f"{said}。")
    if missing:
        out.note(f"未记载：{'、'.join(missing)}。", None if said else "not_recorded")
    if re.search("手术", asked.text):
        operation(reading, asked, out)


def operation(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """The operations of the stay with what their notes say first, then those of before."""
    own = reading.encounter.operations
    for number, row in enumerate(own):
        place = reading.row("operations", number)
        at = _moment(naive(row.at)) or "时间未记载"
        out.say(f"{at} {row.name}", place)
    told = [] if own else told_operations(reading.notes)
    for one in told:
        place = TextSpan(
            note_id=one.note.id, start=one.start, end=one.end,
            quote=one.note.text[one.start : one.end],
        )  # fmt: skip
        out.say(f"{_moment(one.at) or '时间未记载'} {one.name}（{one.note.title}）", place)
    for note in reading.of_kind("operation"):
        by = f"，记录者 {note.note.author}" if note.note.author else ""
        words = _asked_of_operation(asked)
        for segment in note.segments:
            if words is None or words.search(segment.text):
                place = note.span(segment.start, segment.end)
                out.quote(note, place, f"手术记录{by}")
            if len(out.statements) >= MOST_QUOTES + len(own) + len(told):
                break
    if not own and not told and not reading.of_kind("operation"):
        out.note("病历未记载本次住院的手术。", "not_recorded")
    if re.search(r"以前|既往|曾|过去|做过|开过", asked.text) or not (own or told):
        earlier_operations(reading, out)


_PARTS_OF_OPERATION = (
    ("麻醉", "麻醉"),
    ("输血|输了", "输血|输注|回输"),
    ("出血|失血|[少几]血|毫升血", "出血|失血|积血|血性"),
    ("引流", "引流"),
    ("支架", "支架"),
    ("标本|病理", "标本|病理"),
    ("术中", "术中"),
)


def _asked_of_operation(asked: Asked) -> re.Pattern[str] | None:
    for words, told in _PARTS_OF_OPERATION:
        if re.search(words, asked.text):
            return re.compile(told)
    return None


def diagnosis(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """The rows of the diagnoses, those of the discharge apart."""
    wanted = [k for k, w in (("discharge", "出院"), ("admission", "入院")) if w in asked.text]
    found = 0
    for number, row in enumerate(reading.encounter.diagnoses):
        if wanted and row.kind not in wanted:
            continue
        place = reading.row("diagnoses", number)
        primary = "（主要诊断）" if row.primary else ""
        out.say(f"{place.quote}{primary}", place)
        found += 1
    if found:
        return
    for note in reading.notes:
        for name in ("出院诊断", "入院诊断", "初步诊断", "诊断"):
            section = note.section(name)
            if section is not None:
                out.quote(note, section, name)
    if out.is_empty:
        out.note("病历未记载诊断。", "not_recorded")


def signer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """Who wrote the notes that the question means."""
    kind = title = ""
    for words, wanted_kind, *wanted_title in table("note_words.tsv"):
        if re.search(words, asked.text):
            kind, title = wanted_kind, "".join(wanted_title)
            break
    found = [
        n
        for n in reading.notes
        if (not kind or n.note.kind == kind) and (not title or re.search(title, n.note.title))
        and (asked.day is None or n.day == asked.day)
    ]  # fmt: skip
    lines = []
    for note in found:
        at = _moment(naive(note.note.written_at)) or "时间未记载"
        author = note.note.author or "未记载"
        first = note.segments[0] if note.segments else None
        place = [note.span(first.start, first.end)] if first else []
        lines.append(Row(cells=[note.note.title or "文书", at, author], evidence=[*place]))
    out.table("文书与书写者", ["文书", "时间", "书写者"], lines)
    names = list(dict.fromkeys(n.note.author for n in found if n.note.author))
    if names:
        out.note(f"书写者（文书的书写者字段）：{'、'.join(names)}。")
        if kind == "operation":
            out.note("手术记录的书写者不一定是主刀，请核对手术记录原文。")
    else:
        out.note("病历未记载书写者。", "not_recorded")


def patient(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """Age, sex, ward and bed from the head of the record."""
    encounter = reading.encounter
    who = encounter.patient
    when = reading.admitted.date() if reading.admitted else None
    age = who.age_words(when) if when else who.age_text
    lines = [
        ("姓名", who.name),
        ("性别", SEX_ZH.get(who.sex or "", "")),
        ("年龄（入院时）", age),
        ("出生日期", written_day(who.birth_date)),
        ("科室", encounter.department),
        ("病区", encounter.ward),
        ("床号", encounter.bed),
    ]
    out.table("患者", ["项目", "内容", "来源"], [Row(cells=[a, b, HEAD]) for a, b in lines if b])
    said = "，".join(f"{name} {value}" for name, value in lines if value)
    out.note(f"{said}。" if said else "首页没有患者信息。", None if said else "not_recorded")


_WAITING = re.compile(r"待回报|未回报?|尚未回|结果未|待门诊追踪|待报告|报告未")


def pending(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """Results that are not back."""
    own = rows(reading)
    wanted = [w for w in (*asked.tests, *asked.imaging) if w]
    named = [p for p in own if any(p.test == w or w in p.name for w in wanted)]
    for point in named:
        if point.pending:
            out.say(f"{point.name}：结果未回（{point.when}送检）", point.evidence)
        elif all(p.at is None or point.at is None or p.at <= point.at for p in named):
            out.say(f"{point.name}：已有结果 {point.shown}（{point.when}）", point.evidence)
    if named:
        return
    if wanted:
        out.note(f"没有找到{'、'.join(wanted)}的送检或结果；以下为全部未回的结果。")
    for point in own:
        if point.pending:
            out.say(f"{point.name}：结果未回（{point.when}送检）", point.evidence)
    for number, order in enumerate(reading.encounter.orders):
        if order.status == "pending":
            place = reading.row("orders", number)
            out.say(f"医嘱：{place.quote}", place)
    for note in reading.notes[-2:]:
        for segment in note.segments:
            if _WAITING.search(segment.text):
                out.quote(note, note.span(segment.start, segment.end), "原文")
    if out.is_empty:
        out.note("检验数据与医嘱中没有未回的结果。", "not_recorded")


_LATER = re.compile(r"复诊|随访|复查|拆线|门诊|返院|追踪|后(?:行|做|查)|嘱")


def follow_up(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """What is to be done after the discharge."""
    for number, order in enumerate(reading.encounter.orders):
        if order.status == "active" and _LATER.search(order.text):
            place = reading.row("orders", number)
            out.say(f"医嘱：{order.text}", place)
    for note in reading.of_kind("discharge_day")[-1:]:
        for segment in note.segments:
            if _LATER.search(segment.text):
                out.quote(note, note.span(segment.start, segment.end), "出院当日")
    if out.is_empty:
        out.note("病历未记载复诊或随访安排。", "not_recorded")


def history(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """A part of the admission note, sentence by sentence."""
    for note in reading.notes:
        place = note.section(asked.section)
        if place is None:
            continue
        for segment in note.segments:
            if segment.start < place.end and place.start < segment.end:
                start, end = max(segment.start, place.start), min(segment.end, place.end)
                out.quote(note, note.span(start, end), asked.section)
            if len(out.statements) >= MOST_QUOTES:
                return
        return
    if asked.section == "家族史":
        relatives.answer(reading, asked, out)
    else:
        out.note(f"病历中没有“{asked.section}”部分。", "not_recorded")


_SEEN = re.compile(r"所见|见|示[:：]|提示|检查")
_IMAGED = re.compile(
    r"培养|药敏|涂片|CT|MRI|磁共振|X线|胸片|B超|彩超|超声|造影|心电图|胃镜|肠镜|内镜|病理|眼底|PET|骨扫描|Holter",
    re.IGNORECASE,
)
_PLAN = re.compile(r"拟行?|完善|必要时|待|建议|计划|复查.{0,6}以|后复查|嘱")


def imaging(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """What the notes say of an examination, in the order of the notes."""
    wanted = [w.casefold() for w in asked.imaging]
    found = 0
    for note in reading.notes:
        in_title = any(w in note.note.title.casefold() for w in wanted)
        for segment in note.segments:
            text = segment.text.casefold()
            hits = all(w in text for w in wanted) if wanted else bool(_IMAGED.search(segment.text))
            if not hits and wanted:
                hits = any(w in text for w in wanted) and len(wanted) > 1
            if not (hits or (in_title and _SEEN.search(segment.text))):
                continue
            label = "计划" if _PLAN.search(segment.text) and not _SEEN.search(segment.text) else ""
            if found >= MOST_QUOTES + 2:
                break
            out.quote(note, note.span(segment.start, segment.end), label)
            found += 1
    for number, order in enumerate(reading.encounter.orders):
        text = order.text.casefold()
        if (wanted and any(w in text for w in wanted)) or (not wanted and order.kind == "imaging"):
            place = reading.row("orders", number)
            out.say(f"医嘱：{place.quote}", place)
    for point in rows(reading):
        if wanted and any(w in point.name.casefold() for w in wanted):
            out.say(f"{point.name}：{point.shown}（{point.when}）", point.evidence)
    if out.is_empty:
        what = "、".join(asked.imaging) or "影像检查"
        out.note(f"病历未记载{what}的结果。", "not_recorded")
