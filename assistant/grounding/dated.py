"""The dates of a text, each with the words that it is the date of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.grounding.wording import bigrams
from knowledge.text.dates import WrittenDate, dates


@dataclass(frozen=True)
class Dated:
    """A date with the words that it is the date of: up to the next date of the sentence."""

    date: WrittenDate
    bigrams: set[str]


_BETWEEN = re.compile(r"[\s、,，.和及与至到~～—–-]{0,4}")


def date_groups(text: str) -> list[tuple[list[WrittenDate], set[str]]]:
    """The dates of a text that stand together, with the words that they are the dates of.

    A date leads what is of it, unless it stands in brackets or at the end: 胃镜（3月5日）.
    """
    groups: list[list[WrittenDate]] = []
    for date in dates(text):
        if groups and _BETWEEN.fullmatch(text, groups[-1][-1].end, date.start):
            groups[-1].append(date)
        else:
            groups.append([date])
    result: list[tuple[list[WrittenDate], set[str]]] = []
    for number, group in enumerate(groups):
        begin = groups[number - 1][-1].end if number else 0
        end = groups[number + 1][0].start if number + 1 < len(groups) else len(text)
        before, behind = text[begin : group[0].start], text[group[-1].end : end]
        trails = before[-1:] in ("（", "(") or behind[:1] in ("）", ")") or not bigrams(behind)
        words = bigrams(before) if trails and number else bigrams(behind)
        result.append((group, words | bigrams(before) if not number else words))
    return result
