"""What the fields of a form say: 糖尿病：有, 肝炎：□无 ☑有, 高血压 ☑, （-）发热.

A mark means what stands on its own side of it, and which side that is the line tells: where its
first mark stands before its first term, marks stand before terms.  A hollow box is a no only in a
line that has a ticked one; elsewhere it may be a bullet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from knowledge.text.assertion.answers import Answers
from knowledge.text.assertion.dialogue import read_dialogue
from knowledge.text.assertion.table_answers import read_codes, read_lines, read_tables
from knowledge.text.lexicon import Match

_TICK, _BOX = "[☑√✓✔■☒●◉]", "[□☐○]"
# √发热 ×咳嗽; but no 3×2cm.
_CROSS = r"(?<![\d\w])[×✗✘╳](?!\s*\d)"
_NAMED = re.compile(r"(?:病?史|情况|风险)?[ \t]{0,4}:?[ \t]{0,4}")
_FIELD = re.compile(r"(?:病?史|情况)?[ \t]{0,4}:[ \t]{0,4}")
_WORD = re.compile(
    r"(?:(?P<yes>有|是)|(?P<no>没有|无|否))(?![ \t/、()]*(?:无|否|有|是))(?=[\s,;。、(]|$)"
)
_PLACE = rf"(?:{_TICK}|{_BOX}|[(\[【][ \t_]{{0,4}}(?:{_TICK}[ \t_]{{0,4}})?[)\]】])"
_BRACKETED = re.compile(
    r"(?:病?史)?[ \t]{0,2}:?[ \t]{0,2}(?:\d{1,2}分[ \t]?)?"
    r"[【\[(<](?:(?P<yes>有|是|y)|(?P<no>没有|无|否|n))[】\])>]"
)
# 结核：无（有/无）: the word before the choice is the answer.
_ANSWERED = re.compile(
    r"(?:病?史)?[ \t]{0,2}:[ \t]{0,2}(?:(?P<yes>有|是)|(?P<no>无|否))[ \t]?"
    r"\((?:有/无|无/有|是/否|否/是)\)"
)
# 腹泻 Y/N：N, 水肿（有/无）：有: the word behind the choice is the answer.
_CHOSEN = re.compile(
    r"(?:病?史)?[ \t(:]{0,3}(?:y/n|n/y|有/无|无/有|是/否|否/是)\)?[ \t]{0,2}[:=(][ \t]{0,2}"
    r"(?:(?P<yes>y|有|是)|(?P<no>n|无|否))(?![a-z]|[ \t]?/)"
)
# 输血：☑否: one ticked word, and no other beside it.
_TICKED = re.compile(
    rf"(?:病?史)?[ \t]{{0,2}}:[ \t]{{0,2}}{_TICK}[ \t]?(?:(?P<yes>有|是)|(?P<no>没有|无|否))"
    rf"(?![\u4e00-\u9fff]|[ \t]*{_BOX})"
)
# 发热:- 咳嗽:+
_SIGNED = re.compile(r"[ \t]*:[ \t]*(?:(?P<yes>\+{1,4})|(?P<no>-{1,2}))(?=[\s,;。]|$)")
# 高血压 1无 2有【2】
_OWN_CODES = re.compile(
    r"[ \t:]{0,3}(?P<one>\d)[.、]?(?P<first>[有无是否])[ \t]{1,3}"
    r"(?P<two>\d)[.、]?(?P<second>[有无是否])[ \t]{0,3}[\[【(](?P<code>\d)[\]】)]"
)
_LETTER = re.compile(r"(?:病?史)?[ \t:]{0,3}(?:(?P<yes>y)|(?P<no>n))(?=[\s,;。/]|$)")
_BETWEEN = r"[ \t,、/]{0,4}"
_ENUM = r"(?:[①-⑳]|\d[.)、]?)?[ \t]?"
_ONE, _OTHER = f"{_ENUM}(?P<one>有|是|无|否)", f"{_ENUM}(?:有|是|无|否)"
# The place of the tick before each word, or behind it; or a tick alone behind one of them.
_CHOICES = tuple(
    re.compile(f"[ \\t(]{{0,4}}{one}[ \\t]?{two}{_BETWEEN}{three}[ \\t]?{four}")
    for one, two, three, four in (
        (f"(?P<first>{_PLACE})", _ONE, f"(?P<second>{_PLACE})", _OTHER),
        (_ONE, f"(?P<first>{_PLACE})", _OTHER, f"(?P<second>{_PLACE})"),
        (_ONE, f"(?P<first>{_TICK})", _OTHER, "(?P<second>)"),
        (_ONE, "(?P<first>)", _OTHER, f"(?P<second>{_TICK})"),
    )
)
_MARK = re.compile(
    rf"(?P<yes>[☑√✓✔■☒]|\[[x√]\]|\([ \t]?[√✓☑][ \t]?\)|\(\+{{1,3}}\))"
    rf"|(?P<no>[□☐]|[\[(][ \t]?[×✗✘╳][ \t]?[\])]|{_CROSS}|\[[ \t]?\]|\([ \t]{{1,4}}\)|\(-{{1,3}}\))"
)
_NONE_OF_THEM = re.compile(rf"{_TICK}[ \t]?(?:无|否认?|以上均无|均无)(?![\u4e00-\u9fff])")
_LINE = re.compile(r"[^\n\r。]+")
_BLANK = re.compile(r"[ \t]{0,4}")
_BEHIND = re.compile(r"[ \t:]{0,4}")
_OPENS = ",;、:"


def read_answers(text: str, matches: Sequence[Match]) -> Answers:
    """The answers in folded ``text`` about ``matches`` (in text order, not overlapping)."""
    answers = Answers(bytearray(len(text)))
    # What a table or a question says goes before what a lone mark may mean.
    read_tables(text, matches, answers)
    read_codes(text, matches, answers)
    read_lines(text, matches, answers)
    read_dialogue(text, matches, answers)
    # One letter alone may mean anything.
    lettered = len(_LETTER.findall(text)) > 1
    for number, match in enumerate(matches):
        _read_field(text, number, match.end, answers, lettered=lettered)
    number = 0
    for line in _LINE.finditer(text):
        first = number
        while number < len(matches) and matches[number].start < line.end():
            number += 1
        if number > first:
            _read_marks(text, range(first, number), matches, line, answers)
    return answers


def _read_field(text: str, number: int, end: int, answers: Answers, *, lettered: bool) -> None:
    colon = _FIELD.match(text, end)
    start = colon.end() if colon else end
    named = _NAMED.match(text, end)
    for pattern in _CHOICES:
        if choice := pattern.match(text, named.end() if named else end):
            first = re.search(_TICK, choice["first"]) is not None
            if first != (re.search(_TICK, choice["second"]) is not None):
                answers.give(number, choice, present=first == (choice["one"] in "有是"))
            else:
                answers.open.add(number)
                answers.take(choice)
            return
    chosen = _CHOSEN.match(text, end)
    letters = _LETTER.match(text, end) if lettered else None
    if own := _OWN_CODES.match(text, end):
        words = {own["one"]: own["first"], own["two"]: own["second"]}
        if own["code"] in words and words.keys() != {own["code"]}:
            answers.give(number, own, present=words[own["code"]] in "有是")
            return
    if (
        answer := _SIGNED.match(text, end)
        or _BRACKETED.match(text, end)
        or _ANSWERED.match(text, end)
        or _TICKED.match(text, end)
        or chosen
        or letters
    ):
        answers.give(number, answer, present=answer["yes"] is not None)
    elif colon and (word := _WORD.match(text, start)):
        answers.give(number, word, present=word["yes"] is not None)


def _read_marks(
    text: str, numbers: range, matches: Sequence[Match], line: re.Match[str], answers: Answers
) -> None:
    marks = [mark for mark in _MARK.finditer(text, *line.span()) if not answers.taken[mark.start()]]
    if not any(mark["yes"] and mark[0] != "(+)" for mark in marks):
        marks = [mark for mark in marks if _is_sign(mark)]
    if not marks:
        return
    before = _stand_before(text, numbers, matches, marks, line)
    pairs = list(_pairs(text, numbers, matches, marks, before=before))
    # A tick that no term has is about something else.
    # ☑否认 □高血压 □糖尿病: nor is what stands beside a tick of 无.
    none = _NONE_OF_THEM.search(text, *line.span()) is not None
    ticked = none or any(mark["yes"] for _, mark in pairs)
    for number, mark in pairs:
        if not ticked and not _is_sign(mark):
            continue
        # Signs behind a term are read as any other denial behind one.
        if before or not _is_sign(mark):
            answers.give(number, mark, present=mark["yes"] is not None)


def _is_sign(mark: re.Match[str]) -> bool:
    """Whether a mark is (+) or (-), not a box."""
    return mark[0].startswith(("(+", "(-"))


def _pairs(
    text: str,
    numbers: range,
    matches: Sequence[Match],
    marks: Sequence[re.Match[str]],
    *,
    before: bool,
) -> Iterator[tuple[int, re.Match[str]]]:
    sides = {mark.end() if before else mark.start(): mark for mark in marks}
    for number in numbers:
        match = matches[number]
        for gap in range(5):
            place = match.start - gap if before else match.end + gap
            if place in sides:
                blank = text[place : match.start] if before else text[match.end : place]
                # RF (-) 关节痛: a sign belongs to what it touches.
                touches = not blank or not _is_sign(sides[place])
                if touches and (_BLANK if before else _BEHIND).fullmatch(blank):
                    yield number, sides[place]
                break


def _stand_before(
    text: str,
    numbers: range,
    matches: Sequence[Match],
    marks: Sequence[re.Match[str]],
    line: re.Match[str],
) -> bool:
    """Whether the marks of a line stand before what they mark."""
    if marks[0].end() <= matches[numbers[0]].start:
        return _leads(text, marks[0], line)
    # 慢性病：☑高脂血症 □脑卒中: what stands before the first mark heads the line.
    starts = {matches[number].start for number in numbers}
    ends = {matches[number].end for number in numbers}
    boxes = [m for m in marks if not _is_sign(m) and not _NONE_OF_THEM.match(text, m.start())]
    return bool(boxes) and all(
        mark.end() in starts and mark.start() not in ends and text[mark.start() - 1] in " \t:,;、"
        for mark in boxes
    )


def _leads(text: str, mark: re.Match[str], line: re.Match[str]) -> bool:
    """Whether a mark stands before what it marks: a box opens its line, a sign that or a list."""
    words = text[line.start() : mark.start()].rstrip(" \t")
    return not words or words[-1] in (_OPENS if _is_sign(mark) else _OPENS + ")]")
