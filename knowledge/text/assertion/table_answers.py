"""Tables with a column of yes and one of no, cells that say it, codes that a legend explains."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from knowledge.text.assertion.answers import Answers
from knowledge.text.lexicon import Match

_LINE = re.compile(r"[^\n\r]+")
_CELL = re.compile(r"[^\t|]+")
_YES = frozenset({"有", "是", "阳性", "+", "存在"})
_NO = frozenset({"无", "否", "没有", "阴性", "-", "未见"})
_TICK = re.compile(r"[☑√✓✔■☒vV]")
_LEGEND = re.compile(
    r"(?P<code>\d)[ \t]?[.、:=)][ \t]?(?P<word>有|是|无|否|没有)(?![\u4e00-\u9fff])"
)
# (0无 1有): in brackets of its own a legend needs no marks.
_BRACKETED_LEGEND = re.compile(r"\((?:[ \t,;、]?\d[ \t.:=]?(?:有|是|无|否)){2,3}\)")
_CODE = re.compile(r"(?P<code>\d)[ \t.:=]?(?P<word>有|是|无|否)")
_CODED = re.compile(r"[ \t]{0,2}[\[(【:][ \t]{0,2}(?P<code>\d)[ \t]{0,2}[\])】]?(?!\d)")


_NEXT_LINE = re.compile(
    r"(?:病?史)?[ \t:]*\r?\n[ \t]*(?:(?P<yes>有|是|阳性|\+)|(?P<no>无|否|没有|阴性|-|未见))"
    r"[ \t]*(?=[\r\n]|\Z)"
)


def read_tables(text: str, matches: Sequence[Match], answers: Answers) -> None:
    """Rows of cells parted by tabs or bars: 头痛⇥⇥√ under 症状⇥有⇥无, or 恶心⇥无⇥无."""
    columns: dict[int, bool] = {}
    number = 0
    for line in _LINE.finditer(text):
        cells = list(_cells(line))
        header = {n: w in _YES for n, (_, _, w) in enumerate(cells) if w in _YES | _NO}
        first = number
        while number < len(matches) and matches[number].start < line.end():
            number += 1
        inside = range(first, number)
        if len(cells) < 2:
            columns = {}
        elif len(set(header.values())) == 2 and not inside:
            columns = header
        elif inside:
            _read_row(matches, inside, cells, columns, answers)


def _cells(line: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """``(start, end, words)`` of each cell; empty ones count."""
    start = line.start()
    for part in re.split(r"[\t|]", line[0]):
        yield start, start + len(part), part.strip()
        start += len(part) + 1


def _read_row(
    matches: Sequence[Match],
    inside: range,
    cells: Sequence[tuple[int, int, str]],
    columns: dict[int, bool],
    answers: Answers,
) -> None:
    ticked = [n for n, (_, _, w) in enumerate(cells) if n in columns and _TICK.fullmatch(w)]
    answered = [w for _, _, w in cells[1:] if w in _YES | _NO]
    in_first = [i for i in inside if matches[i].start < cells[0][1]]
    if len(ticked) == 1:
        present: bool | None = columns[ticked[0]]
    elif answered and len(answered) == len([w for _, _, w in cells[1:] if w]):
        present = any(word in _YES for word in answered)
    else:
        present = None
    if present is None:
        return
    for index in in_first:
        answers.present.setdefault(index, present)
    start, end = cells[0][1], cells[-1][1]
    answers.taken[start:end] = b"\1" * (end - start)


def read_lines(text: str, matches: Sequence[Match], answers: Answers) -> None:
    """高血压↵无↵糖尿病↵有: a column of names and answers, one a line, where several have one."""
    found = []
    for index, match in enumerate(matches):
        line = text.rfind("\n", 0, match.start) + 1
        answer = _NEXT_LINE.match(text, match.end)
        if answer and not text[line : match.start].strip():
            found.append((index, answer))
    if len(found) > 1:
        for index, answer in found:
            answers.give(index, answer, present=answer["yes"] is not None)


def read_codes(text: str, matches: Sequence[Match], answers: Answers) -> None:
    """选项 1.无 2.有　黄疸[1]　水肿[2]: what the legend says of the code behind a term."""
    legend = {hit["code"]: hit["word"] in _YES for hit in _LEGEND.finditer(text)}
    for bracket in _BRACKETED_LEGEND.finditer(text):
        legend |= {
            hit["code"]: hit["word"] in _YES for hit in _CODE.finditer(text, *bracket.span())
        }
    if len(set(legend.values())) < 2:
        return
    for index, match in enumerate(matches):
        coded = _CODED.match(text, match.end)
        if coded and coded["code"] in legend:
            answers.give(index, coded, present=legend[coded["code"]])
