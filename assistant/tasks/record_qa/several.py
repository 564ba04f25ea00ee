"""Two questions in one line: K低过没 补钾补了几天."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.tasks.record_qa.accounts import named_in
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import Focus, RecordAnswer
from assistant.tasks.record_qa.question import read_question
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.wanted import without_asking
from knowledge.text.folding import fold

MOST = 3
_SHORTEST = 2
_CUT = re.compile(r"[\s?？;；。]+")
_COMMA = re.compile(r"[\s?？;；。，,]+")
_ASKS = re.compile(
    r"多少|剂量|用法|几|什么|啥|谁|哪|吗|没|为何|怎|咋|呢|何时|如何|是否|有无|趋势|多[大长重久粗高厚]|[高低行好]不"
)
_POLITE = re.compile(r"(?:请问|[你您]好|谢谢|麻烦|老师|帮我?看?(?:看|下|一下))+")


def questions_in(
    text: str, reading: RecordReading, focus: Focus | None
) -> list[tuple[str, Focus | None]]:
    """The questions of a line, each with what it goes on from; one alone where the parts ask for
    nothing else than the whole.
    """
    whole = [(text, focus)]
    parts = _parts(text, _COMMA)
    if not all(_ASKS.search(part) for part in parts):
        # 家属问，血钾多少: what stands before a comma need not be a question.
        parts = _parts(text, _CUT)
    if not 2 <= len(parts) <= MOST or any(len(part) < _SHORTEST for part in parts):
        return whole
    found: list[tuple[str, Focus | None]] = []
    read: list[Asked] = []
    for part in parts:
        asked = read_question(part, reading, focus)
        if read and _lacks_subject(asked):
            part = _subject(found[-1][0]) + part
            asked = read_question(part, reading, focus)
        found.append((part, focus))
        read.append(asked)
        focus = asked.focus() if asked.kind else focus
    if not read[0].kind:
        return whole
    together = read_question(text, reading, found[0][1])
    same = {_key(asked) for asked in read} == {_key(together)}
    # 血小板入院多少，出院多少 is one question.
    return whole if same or (together.kind == "change" and len(together.tests) == 1) else found


def _parts(text: str, cut: re.Pattern[str]) -> list[str]:
    return [part for part in cut.split(text.strip()) if part and not _POLITE.fullmatch(part)]


def _lacks_subject(asked: Asked) -> bool:
    """Whether a question names nothing itself, and does not go on from the one before either."""
    return not (
        asked.followed or asked.tests or asked.drugs or asked.classes or asked.terms
        or asked.imaging or asked.section or asked.calculator or asked.kind in _OWN
        or named_in(_HOW.sub(" ", asked.folded))
    )  # fmt: skip


_HOW = re.compile(r"怎么|咋|如何|处理|治疗?|办|为什么|为啥|原因|恢复|停|加量|减量|[换用]")
_OWN = frozenset({"operation", "diagnosis", "dates", "signer", "patient", "pending", "follow_up"})


def _subject(question: str) -> str:
    """What a question is of, for the next that leaves it out: 钾补到几号停的 → 钾补到停的."""
    rest = without_asking(fold(question))
    return _ASKS.sub("", rest)


def _key(asked: Asked) -> tuple[object, ...]:
    return (
        asked.kind, asked.tests, asked.drugs, asked.classes, asked.terms, asked.imaging,
        asked.section, asked.calculator, asked.day,
    )  # fmt: skip


def merged(question: str, answers: Sequence[RecordAnswer]) -> RecordAnswer:
    """The answers as one; what of the line was not understood is said."""
    understood = [a for a in answers if a.outcome != "not_understood"]
    if not understood:
        return answers[0].model_copy(update={"question": question})
    first = next((a for a in understood if a.outcome == "answered"), understood[0])
    whole = first.model_copy(deep=True, update={"question": question})
    lines: list[str] = []
    for answer in answers:
        if answer.outcome == "not_understood":
            lines.append(f"“{answer.question}”没有看懂，未作回答。")
        elif answer.message:
            lines.append(answer.message)
    whole.message = "".join(dict.fromkeys(lines))
    statements = {s.text: s for a in understood for s in a.statements}
    whole.statements = [
        s.model_copy(update={"id": f"a-{n}"}) for n, s in enumerate(statements.values(), 1)
    ]
    whole.tables = list({(t.title, len(t.rows)): t for a in understood for t in a.tables}.values())
    whole.plot = next((a.plot for a in understood if a.plot is not None), None)
    whole.warnings = list(dict.fromkeys(w for a in understood for w in a.warnings))
    whole.understood = "；".join(dict.fromkeys(a.understood for a in understood))
    whole.nearest = [] if whole.statements else first.nearest
    whole.focus = understood[-1].focus if understood[-1].focus.kind else first.focus
    return whole
