"""A question about somebody of the patient's family, or about the child that was born.

A value of the patient's own must never stand as the answer: only what the notes say of them.
"""

from __future__ import annotations

import re

from assistant.tasks.record_qa.accounts import named_in
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.mentions import concepts_of
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.tests import table
from knowledge.text.terms import find_terms

_OWN = re.compile(r"本人|自己|患者(?!的?(?:父|母|爸|妈|丈|妻|儿|女|兄|弟|姐|妹))")
_ADULT = 14
_NOT_OF_BLOOD = frozenset({"新生儿", "配偶"})


def relative_of(text: str, reading: RecordReading) -> tuple[str, re.Pattern[str]] | None:
    """Whom a question is about, with the words that notes have for them; None for the patient.

    孩子 and 宝宝 are the patient where that is a child.
    """
    if _OWN.search(text):
        return None
    is_child = reading.age is not None and reading.age < _ADULT
    for name, asked, words, of_child, _ in table("relatives.tsv"):
        if is_child and of_child == "patient":
            continue
        if re.search(asked, text):
            return name, re.compile(words)
    return None


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """The sentences that speak of them."""
    found = relative_of(asked.text, reading)
    if found is None:
        return
    name, words = found
    out.note(f"问的是{name}，不是患者本人；以下只是病历中提到{name}的原文。")
    places = [
        (note, note.span(s.start, s.end))
        for note in reading.notes
        for s in note.segments
        if words.search(s.text)
    ]
    # The newest first; where what is asked for stands in some of them, only these.
    places.reverse()
    about = [p for p in places if _is_about(asked, found, p[1].quote)]
    places = about or places
    for note, place in places[:MOST_QUOTES]:
        out.quote(note, place)
    if about:
        out.messages[:] = [f"问的是{name}，不是患者本人；病历中的记载如下。"]
    if not places:
        out.messages.clear()
        for note in reading.notes if name not in _NOT_OF_BLOOD else ():
            part = note.section("家族史")
            if part is not None:
                out.quote(note, part, "家族史")
        if not out.is_empty:
            out.note(f"问的是{name}，病历未单独提到；家族史原文如下，请核对。", "not_recorded")
            return
        out.note(f"问的是{name}，病历未记载其情况。", "not_recorded")


def _is_about(asked: Asked, whom: tuple[str, re.Pattern[str]], quote: str) -> bool:
    """Whether a sentence about them has what is asked for, or another word for it."""
    wanted = [*asked.tests, *asked.terms]
    same = {c for w in wanted for c in concepts_of(w)}
    if any(w in quote for w in wanted) or any(m.concept in same for m in find_terms(quote)):
        return True
    rest = named_in(next((re.sub(row[1], " ", asked.folded) for row in table("relatives.tsv")
                          if row[0] == whom[0]), asked.folded))  # fmt: skip
    return any(run[n : n + 2] in quote for run in rest for n in range(len(run) - 1))
