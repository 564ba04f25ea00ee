"""Whether the record mentions something, and how: told, denied, doubted, past, of a relative."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.grounding.segments import Scope
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.mentions import STATUS_ZH, Mention, mentions, status_of
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

_ORDER = ("present", "denied", "uncertain", "past", "family", "named", "hypothetical")


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """Each term of the question."""
    for term in asked.terms:
        found = mentions(reading, term)
        rows = [*_in_rows(reading, term), *_in_results(reading, term)]
        if not found and not rows:
            out.note(not_found(f"“{term}”"), "not_recorded")
            continue
        _headline(term, found, bool(rows), out)
        for place, text in rows[:4]:
            out.say(text, place)
        _quotes(found, out)


def _headline(term: str, found: Sequence[Mention], in_rows: bool, out: Saying) -> None:
    counts = {s: sum(m.status == s for m in found) for s in _ORDER}
    if in_rows:
        out.note(f"“{term}”在诊断、手术、医嘱或检验栏中有记录。")
    said = "、".join(f"{STATUS_ZH[s]} {n} 处" for s, n in counts.items() if n)
    if not said:
        return
    if in_rows:
        out.note(f"病程中：{said}。")
    elif counts["denied"] and counts["present"]:
        out.note(f"“{term}”：病历前后既有记载为有，也有记载为无（{said}），请按时间核对下列原文。")
    elif counts["denied"] and not counts["past"] and not counts["uncertain"]:
        out.note(f"“{term}”：病历记载为否认或未见（{said}）。")
    elif {s for s, n in counts.items() if n} == {"family"}:
        out.note(f"“{term}”：只见于家属或他人，未记载患者本人有（{said}）。")
    elif {s for s, n in counts.items() if n} == {"hypothetical"}:
        out.note(f"“{term}”：只在计划、预防或告知中提到，未记载发生（{said}）。")
    else:
        out.note(f"“{term}”：{said}。")


def _quotes(found: Sequence[Mention], out: Saying) -> None:
    """A few of each status, so that none hides behind another."""
    shown = 0
    for status in _ORDER:
        own = [m for m in found if m.status == status]
        for mention in own[:3]:
            if shown < MOST_QUOTES:
                out.quote(mention.note, mention.place, STATUS_ZH[status])
                shown += 1
        if len(own) > 3:
            out.note(f"（“{STATUS_ZH[status]}”共 {len(own)} 处，列出 3 处。）")


def _in_rows(reading: RecordReading, term: str) -> Iterator[tuple[TextSpan, str]]:
    """Diagnoses, operations and orders that name it."""
    wanted = fold(term)
    encounter = reading.encounter
    for number, diagnosis in enumerate(encounter.diagnoses):
        if wanted in fold(diagnosis.name):
            place = reading.row("diagnoses", number)
            yield place, f"诊断栏：{place.quote}"
    for number, operation in enumerate(encounter.operations):
        if wanted in fold(operation.name):
            place = reading.row("operations", number)
            yield place, f"手术栏：{place.quote}"
    for number, order in enumerate(encounter.orders):
        if wanted in fold(order.text):
            place = reading.row("orders", number)
            yield place, f"医嘱栏：{place.quote}"
    for number, row in enumerate(encounter.observations):
        if wanted in fold(row.name):
            place = reading.row("observations", number)
            yield place, f"检验数据：{place.quote}"


_STATE = re.compile(r"(?P<side>[低高])(?P<what>血糖|血?[钾钠钙镁磷])(?:血症)?")


def _in_results(reading: RecordReading, term: str) -> Iterator[tuple[TextSpan, str]]:
    """Results that are what the term names: 低血糖 is a 血糖 below its range."""
    state = _STATE.fullmatch(fold(term))
    if state is None:
        return
    flag = "low" if state["side"] == "低" else "high"
    for number, row in enumerate(reading.encounter.observations):
        if state["what"].removeprefix("血") in row.name and row.flag == flag:
            place = reading.row("observations", number)
            if not re.search("尿|引流", row.name):
                yield place, f"检验数据：{place.quote}"


def not_found(what: str) -> str:
    """That a search found nothing, which is not that there is nothing."""
    return (
        f"病历中没有找到{what}（按此写法和已知同义词查找）。没有找到不等于没有，"
        "请看相近的原文，或询问患者。"
    )


_ALLERGY = re.compile(r"过敏(?!性)|皮试")


def allergy(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """What the record says of allergies; of one drug first what speaks of that drug."""
    wanted = [fold(w) for w in (*asked.allergens, *asked.drugs)]
    places = list(_allergies(reading))
    direct = [
        (note, _with_clause_before(note, place) if _is_led(note, place, wanted) else place, status)
        for note, place, status in places
        if any(w in fold(place.quote) for w in wanted) or _is_led(note, place, wanted)
    ]
    for note, place, status in direct:
        out.quote(note, place, status)
    rest = [p for p in places if not any(p[0] is d[0] and p[1].end == d[1].end for d in direct)]
    general = [p for p in rest if _is_general(p[1].quote)]
    if wanted:
        name = "、".join(dict.fromkeys((*asked.allergens, *asked.drugs)))
        if not direct and general:
            out.note(f"病历未单独提到{name}过敏，只有对药物过敏史的笼统记载（见原文）。")
        elif not direct:
            out.note(
                f"病历中没有找到{name}过敏的记载。没有找到不等于没有，用药前请询问患者。",
                "not_recorded",
            )
        elif all(status == "否认" for _, _, status in direct):
            out.note(f"{name}过敏：病历记载为否认。")
        shown = general if not direct else [p for p in general if p[2] != "否认"]
    else:
        shown = rest
        if not places:
            out.note("病历未记载过敏史。未记载不等于没有，用药前请询问患者。", "not_recorded")
    for note, place, status in shown[:MOST_QUOTES]:
        out.quote(note, place, status)
    if len({status for _, _, status in direct or places} & {"有", "否认"}) == 2 and wanted:
        out.warn("过敏史的记载前后不同，用药前请核对。")


_ANY_ALLERGEN = re.compile(r"药|食物|过敏史")


def _with_clause_before(note: NoteReading, place: TextSpan) -> TextSpan:
    """A clause with the one before it, where that is of the same sentence."""
    sentence = note.sentence(place.start)
    before = re.search(r"[^，,]*[，,]\Z", note.text[sentence.start : place.start])
    return note.span(place.start - len(before[0]), place.end) if before else place


def _is_led(note: NoteReading, place: TextSpan, wanted: Sequence[str]) -> bool:
    """Whether the clause before names what is asked, and this no other: 曾用头孢，无过敏反应."""
    if not wanted or _ANY_ALLERGEN.search(place.quote):
        return False
    led = _with_clause_before(note, place)
    return led != place and any(w in fold(led.quote) for w in wanted)


_REACTED = re.compile(
    r"(?:进食|食用|口服|服用|注射|输注|静滴|接触|吃|使用|应用)[^，。；]{1,14}后?[^，。；]{0,6}"
    r"(?:皮疹|荨麻疹|瘙痒|红疹|风团|喉头水肿|过敏)"
)


def _is_general(quote: str) -> bool:
    return re.search(r"(?:药物|药品|食物|其他|已知)[^，。；]{0,12}过敏", quote) is not None


def _allergies(reading: RecordReading) -> Iterator[tuple[NoteReading, TextSpan, str]]:
    seen: set[str] = set()
    for note in reading.notes:
        folded = note.document.folded
        extra = [
            Match(h.start(), h.end(), "过敏", TermKind.DISEASE) for h in _ALLERGY.finditer(folded)
        ]
        for hit in _REACTED.finditer(folded):
            place = _clause(note, hit.start())
            if (
                place.quote not in seen
                and "过敏" not in place.quote
                and _is_history(note, hit.start())
            ):
                seen.add(place.quote)
                yield note, place, "提到反应"
        if not extra:
            continue
        starts = {m.start for m in extra}
        for meant in note.meant(extra):
            if meant.match.start not in starts:
                continue
            place = _clause(note, meant.match.start)
            if place.quote in seen or ("过敏反应" in place.quote and "输" in place.quote):
                continue
            seen.add(place.quote)
            status = STATUS_ZH[status_of(meant.said)]
            if "皮试" in place.quote:
                status = "皮试" + (
                    "阳性" if "阳" in place.quote else "阴性" if "阴" in place.quote else ""
                )
            if status in ("既往有", "有"):
                status = "有"
            yield note, place, status


def _is_history(note: NoteReading, at: int) -> bool:
    found = note.segment(at)
    return found is not None and found.section in ("既往史", "过敏史", "现病史", "个人史")


def _clause(note: NoteReading, at: int) -> TextSpan:
    """The clause around a place: one sentence may tell of one allergy and deny the others."""
    sentence = note.sentence(at)
    edges = [sentence.start + hit.end() for hit in re.finditer(r"[，,]", sentence.quote)]
    start = max((edge for edge in edges if edge <= at), default=sentence.start)
    end = min((edge - 1 for edge in edges if edge > at), default=sentence.end)
    return note.span(start, end)


def earlier_operations(reading: RecordReading, out: Saying) -> None:
    """Operations before this stay."""
    for note in reading.notes:
        for meant in note.meant():
            match = meant.match
            if match.kind is not TermKind.PROCEDURE or note.scope(match.start) is not Scope.PRIOR:
                continue
            if status_of(meant.said) in ("present", "past", "denied"):
                label = "否认" if status_of(meant.said) == "denied" else "入院前"
                out.quote(note, note.sentence(match.start), label)
