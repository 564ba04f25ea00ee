"""A question over a record → an answer: by a route where one takes it, else its nearest places."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace

from assistant.tasks.record_qa.accounts import left_over, named_in, narrowed
from assistant.tasks.record_qa.answers import (
    calculations,
    drugs,
    facts,
    general,
    intervals,
    mentions,
    notes,
    pieces,
    quoted,
    reasons,
    relatives,
    results,
    troubles,
)
from assistant.tasks.record_qa.asked import MAX_LENGTH, Asked
from assistant.tasks.record_qa.draft import Focus, RecordAnswer
from assistant.tasks.record_qa.nearest import nearest
from assistant.tasks.record_qa.question import read_question
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import Saying
from assistant.tasks.record_qa.several import merged, questions_in
from assistant.tasks.record_qa.strangers import stranger
from assistant.tasks.record_qa.wanted import wanted_of
from knowledge.text.terms import find_terms

log = logging.getLogger("bedside.assistant.record_qa")

Tool = Callable[[RecordReading, Asked, Saying], None]

TOOLS: dict[str, tuple[str, Tool]] = {
    **{
        kind: (name, results.answer)
        for kind, name in {
            "trend": "历次结果",
            "highest": "最高值",
            "lowest": "最低值",
            "latest": "最近结果",
            "first": "首次结果",
            "previous": "上一次结果",
            "nth": "第几次结果",
            "on_day": "某日结果",
            "change": "前后变化",
            "normal": "是否正常",
        }.items()
    },
    "abnormal": ("异常结果", results.abnormal),
    "drugs": ("用药", drugs.answer),
    "drug": ("用药", drugs.answer),
    "drug_on": ("用药剂量", drugs.answer),
    "discharge_drugs": ("出院带药", drugs.discharge),
    "allergy": ("过敏史", mentions.allergy),
    "mention": ("有无记载", mentions.answer),
    "ruled_out": ("是否排除", troubles.ruled_out),
    "complication": ("并发症与反应", troubles.complications),
    "caution": ("用药注意", calculations.caution),
    "calculation": ("计算", calculations.answer),
    "dates": ("时间", facts.dates),
    "operation": ("手术", facts.operation),
    "diagnosis": ("诊断", facts.diagnosis),
    "signer": ("书写者", facts.signer),
    "patient": ("患者信息", facts.patient),
    "pending": ("未回结果", facts.pending),
    "follow_up": ("出院后安排", facts.follow_up),
    "history": ("病史", facts.history),
    "imaging": ("检查结论", facts.imaging),
    "reason": ("原因", reasons.answer),
    "note": ("文书", notes.answer),
    "relative": ("家属或新生儿", relatives.answer),
    "interval": ("相隔时间", intervals.answer),
}
"""What answers each kind of the table of routes, with its Chinese name."""


_OF_WHOLE_RECORD = frozenset(
    {"history", "pending", "follow_up", "signer", "dates", "reason", "note"}
)
"""Kinds whose answers say themselves of whom they speak."""


_SEARCHED_ON = frozenset(
    {"interval", "history", "operation", "imaging", "note", "reason", "mention"}
)
"""Kinds that look for certain words or places: where they find none, the question's own may do."""


_ONLY_QUOTE = frozenset(
    {"mention", "operation", "imaging", "follow_up", "note", "history", "complication"}
)
"""Kinds that show sentences: the piece of them that is asked for stands before these."""

_ASKER = re.compile(
    r"^[^，,：:。？?]{0,10}(?:[托让叫替]\S{0,3}?问|(?:医保|家属|护士|主任|教授|病案).{0,2}问[：:，,])[：:，,]?"
)
"""Who wants to know is not whom the question is about: 患者姐姐托我问."""

_SAY_OF_WHOM = frozenset({"relative", "note"})
"""Kinds that only quote, and say themselves of whom or from where."""


def ask(reading: RecordReading, question: str, focus: Focus | None = None) -> RecordAnswer:
    """The answer that needs no model.

    A question that no route takes has the outcome ``not_understood`` and its nearest places; one
    about somebody else ``refused``; a tool that breaks ``failed``.
    """
    started = time.perf_counter()
    answer = _answered(reading, question, focus)
    answer.question = question[:MAX_LENGTH]
    answer.seconds = time.perf_counter() - started
    return answer


def _answered(reading: RecordReading, question: str, focus: Focus | None) -> RecordAnswer:
    if not question.strip():
        return _refused(question, "问题为空。(The question is empty.)")
    if len(question) > MAX_LENGTH:
        return _refused(
            question[:MAX_LENGTH],
            f"问题超过 {MAX_LENGTH} 字，请只写要问的内容。(The question is too long.)",
        )
    question = _ASKER.sub("", question) or question
    other = stranger(question, reading)
    if other:
        return _of_other(question, other)
    if reading.name:
        # The patient's own name asks for nothing more.
        question = question.replace(reading.name, "患者")
    several = questions_in(question, reading, focus)
    if len(several) > 1:
        # What stands behind a blank is no first word of the line, and may be a name as well.
        other = next((name for part, _ in several if (name := stranger(part, reading))), "")
        if other:
            return _of_other(question, other)
        return merged(question, [_one(reading, part, before) for part, before in several])
    return _one(reading, question, focus)


def _one(reading: RecordReading, question: str, focus: Focus | None) -> RecordAnswer:
    """The answer to a single question."""
    asked = read_question(question, reading, focus)
    if asked.bad_day:
        out = Saying(asked)
        out.note(f"看不出“{asked.bad_day}”是哪一天，请写成 2025-03-05 或 3月5日。", "missing")
        return out.answer("日期无法识别")
    if asked.kind not in _OF_WHOLE_RECORD and relatives.relative_of(question, reading):
        asked = replace(asked, kind="relative")
    if asked.kind not in TOOLS or (asked.kind == "mention" and not asked.terms):
        return _piece(reading, asked) or _quoted(reading, asked) or unanswered(reading, asked)
    name, tool = TOOLS[asked.kind]
    out = Saying(asked)
    try:
        tool(reading, asked, out)
        if asked.tests and asked.terms and tool is results.answer:
            # Asked for a finding and a value in one sentence.
            mentions.answer(reading, asked, out)
    except Exception as error:
        # Whatever breaks in a tool must not end the conversation; the text stays out of the log.
        log.error("tool %s failed: %s", asked.kind, type(error).__name__)
        broken = Saying(asked)
        broken.note("这项查询出错，未能作答；请换一种问法，或直接查看原文。", "failed")
        return broken.answer(name)
    answer = out.answer(_understood(name, asked))
    if out.is_empty and asked.kind in _SEARCHED_ON:
        answer = _quoted(reading, asked) or answer
    piece = _piece(reading, asked) if asked.kind in _ONLY_QUOTE else None
    if piece is not None:
        found = answer.outcome == "answered"
        answer = merged(question, [piece, answer]) if found else piece
    elif (
        asked.kind not in _SAY_OF_WHOM and not asked.followed and (left := left_over(asked, answer))
    ):
        answer = _piece(reading, asked) or _general(reading, asked, left, answer)
    # Beside an earlier stay that is not told of, lines of this one would pass for it.
    of_before = any(one.name == "earlier_stay" for one in narrowed(asked.folded))
    if answer.outcome == "not_recorded" and not of_before:
        answer.nearest = [place for _, place in nearest(reading, question, 3)]
    return answer


def _piece(reading: RecordReading, asked: Asked) -> RecordAnswer | None:
    """What the notes tell of just what is asked: a number, a day, a side; None if nothing."""
    asked = replace(asked, kind="piece")
    out = Saying(asked)
    return out.answer("原文所载") if pieces.answer(reading, asked, out) else None


def _quoted(reading: RecordReading, asked: Asked) -> RecordAnswer | None:
    """Sentences that hold what is asked word for word; None where there are none."""
    if any("-" in one.kinds for one in narrowed(asked.folded)):
        # The general way knows which time is meant.
        return None
    asked = replace(asked, kind="quoted")
    out = Saying(asked)
    return out.answer("原文摘录") if quoted.answer(reading, asked, out) else None


def _general(
    reading: RecordReading, asked: Asked, left: list[str], first: RecordAnswer
) -> RecordAnswer:
    """The record's own lines, for a question that the answer of its route does not account for."""
    out = Saying(replace(asked, kind="quoted"))
    if not general.answer(reading, asked, left, first, out):
        out.note(
            f"没有看懂问题中的{'、'.join(f'“{word}”' for word in left)}，"
            "也没有找到相符的原文；没有找到不等于没有。",
            "not_recorded",
        )
    answer = out.answer("原文摘录")
    answer.warnings = first.warnings
    return answer


def _understood(name: str, asked: Asked) -> str:
    slots = [*asked.tests, *asked.drugs, *asked.classes, *asked.imaging]
    slots += list(asked.terms) if asked.kind in ("mention", "allergy") else []
    slots += [asked.section] if asked.kind == "history" else []
    day = [f"{asked.day.year}年{asked.day.month}月{asked.day.day}日"] if asked.day else []
    count = [f"{asked.count}次"] if asked.count and asked.kind == "trend" else []
    said = "、".join(dict.fromkeys([*slots, *day, *count]))
    led = "（接上一问）" if asked.followed else ""
    return f"{name}：{said}{led}" if said else name + led


def _refused(question: str, message: str) -> RecordAnswer:
    return RecordAnswer(question=question, outcome="refused", message=message, understood="未作答")


def _of_other(question: str, other: str) -> RecordAnswer:
    return _refused(
        question,
        f"问题中的“{other}”不是本病历的患者，未作回答。请打开该患者的病历再问。"
        "(The question names somebody else.)",
    )


def timed_out(question: str) -> RecordAnswer:
    """What is said of a question whose tool did not end."""
    return RecordAnswer(
        question=question[:MAX_LENGTH],
        outcome="failed",
        understood="未作答",
        message="这项查询用时过长，已停止，未作答；请缩小范围再问，或直接查看原文。",
    )


def _absent(reading: RecordReading, asked: Asked) -> list[str]:
    """The terms that a question names where no part of them stands in any note; none where a part
    does, or where a word of it is none that records have (吃东西 may be there in other words)."""
    bodies = [note.document.folded for note in reading.notes]
    wanted = wanted_of(asked.folded)
    runs = list(wanted.runs) if wanted else named_in(asked.folded)
    parts = [run if run[0] <= "z" else run[n : n + 2] for run in runs for n in range(len(run) - 1)]
    known = all(run[0] <= "z" or find_terms(run) for run in runs)
    return (
        runs
        if runs and known and not any(part in body for part in parts for body in bodies)
        else []
    )


def unanswered(reading: RecordReading, asked: Asked) -> RecordAnswer:
    """What there is to say without a route and without a model."""
    out = Saying(asked)
    if absent := _absent(reading, asked):
        out.note(mentions.not_found("、".join(f"“{word}”" for word in absent)), "not_recorded")
        return out.answer(f"有无记载：{'、'.join(absent)}")
    out.note(
        "没有看懂这个问题，未作回答；下面是病历中最接近的原文。"
        "可以问：某项检验的趋势或最高值、用药、过敏史、手术、诊断、有无某症状、评分计算。",
        "not_understood",
    )
    if general.answer(reading, asked, (), RecordAnswer(question=asked.text), out):
        out.asked = replace(asked, kind="general")
        return out.answer("相近原文")
    answer = out.answer("未识别")
    answer.nearest = [place for _, place in nearest(reading, asked.text)]
    if not answer.nearest:
        answer.message = "没有看懂这个问题，病历中也没有相近的原文。可以换一种问法。"
    return answer
