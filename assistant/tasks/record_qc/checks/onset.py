"""The chief complaint and the story begin at one time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.tasks.record_qc.chart import Chart
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules


def check_onset(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``onset_conflict``: no time of the story is the longest of the chief complaint."""
    for page in chart.of_kind("admission"):
        complaint, story = page.section("主诉"), page.section("现病史")
        if not complaint or not story:
            continue
        said = [
            t
            for t in page.times
            if _inside(t.start, complaint[0]) and t.days and "岁" not in page.text[t.start : t.end]
        ]
        lengths = [abs(t.days) for t in page.times if _inside(t.start, story[0]) and t.days]
        if re.search("孕|妊娠|停经", page.text[complaint[0][0] : complaint[0][1]]):
            # Weeks of a pregnancy are told from its beginning.
            continue
        if (
            not said
            or not lengths
            or any(t.kind == "date" for t in page.times if _inside(t.start, story[0]))
        ):
            continue
        longest = max(said, key=lambda t: abs(t.days or 0))
        days = abs(longest.days or 0)
        if not any(abs(d - days) <= max(days * 0.2, 0.1) for d in lengths):
            nearest = min(
                (t for t in page.times if _inside(t.start, story[0]) and t.days),
                key=lambda t: abs(abs(t.days or 0) - days),
            )
            yield Found(
                "onset_conflict",
                f"主诉写“{page.text[longest.start : longest.end]}”，现病史没有与之相符的时间"
                f"（如“{page.text[nearest.start : nearest.end]}”）。",
                [page.span(longest.start, longest.end), page.span(nearest.start, nearest.end)],
            )


def _inside(at: int, place: tuple[int, int]) -> bool:
    return place[0] <= at < place[1]
