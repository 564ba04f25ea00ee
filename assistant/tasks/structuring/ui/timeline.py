"""The timeline of the patient, drawn along a line: full dots are dated, hollow ones are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from assistant.tasks.structuring.patient import TimelineEvent
from assistant.tasks.structuring.ui.place import address, place_button
from assistant.ui.markup import esc
from assistant.ui.strings import Text
from knowledge.text.finding import Certainty


def timeline_html(events: Sequence[TimelineEvent], titles: Mapping[str, str], t: Text) -> str:
    """The events by date; "" without any."""
    if not events:
        return ""
    ordered = sorted(events, key=lambda e: (not e.date, e.date, not e.dated))
    days = [
        _day(date, dated, list(group), titles, t)
        for (date, dated), group in groupby(ordered, key=lambda e: (e.date, e.dated))
    ]
    legend = "".join(
        f'<span class="dot-word {css}"><i class="dot" aria-hidden="true"></i>'
        f"{esc(t(f'timeline.{css}'))}</span>"
        for css in ("dated", "undated")
    )
    return f'<p class="legend">{legend}</p><ol class="timeline">{"".join(days)}</ol>'


def _event(alike: Sequence[TimelineEvent], titles: Mapping[str, str], t: Text) -> str:
    """One name of the day; a number leads to each further place that says the same."""
    first, *others = alike

    def button(event: TimelineEvent, label: str, css: str) -> str:
        place = event.place
        note = titles.get(place.note_id, place.note_id)
        title = f"{t(f'type.{event.type.value}')}：{event.text} · {note}"
        where = address(place.note_id, place.start, place.end)
        return place_button(label, where, css=css, title=title)

    more = "".join(button(event, str(n), "again") for n, event in enumerate(others, 2))
    doubt = "？" if first.certainty is Certainty.UNCERTAIN else ""
    name = button(first, first.text + doubt, "name")
    return f'<span class="event of-type t-{first.type.value}">{name}{more}</span>'


def _day(
    date: str, dated: bool, events: Sequence[TimelineEvent], titles: Mapping[str, str], t: Text
) -> str:
    alike: dict[tuple[str, str, str], list[TimelineEvent]] = {}
    for event in events:
        alike.setdefault((event.type.value, event.text, event.certainty), []).append(event)
    items = "".join(_event(group, titles, t) for group in alike.values())
    shown = (
        f'<time datetime="{esc(date)}">{esc(date)}</time>' if date else esc(t("timeline.unknown"))
    )
    of_note = (
        f' <span class="of-note">{esc(t("timeline.of_note"))}</span>' if date and not dated else ""
    )
    return (
        f'<li class="{"dated" if dated else "undated"}"><i class="dot" aria-hidden="true"></i>'
        f'<span class="date">{shown}{of_note}</span><span class="events">{items}</span></li>'
    )
