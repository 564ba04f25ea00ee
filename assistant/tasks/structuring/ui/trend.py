"""Series of results, each with a small line where there are two numbers or more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.tasks.structuring.export import quantity
from assistant.tasks.structuring.patient import ResultPoint
from assistant.tasks.structuring.ui.assertion import flagged
from assistant.tasks.structuring.ui.place import address, place_button
from assistant.ui.markup import esc
from assistant.ui.strings import Text

WIDTH, HEIGHT, MARGIN = 132, 36, 5
_NUMBER = re.compile(r"[<>≤≥约]*(-?\d+(?:\.\d+)?)")


def trends_html(results: Mapping[str, Sequence[ResultPoint]], t: Text) -> str:
    """A line of the list for each test; "" without results."""
    rows = "".join(_row(name, points, t) for name, points in results.items() if points)
    return f'<ul class="trends">{rows}</ul>' if rows else ""


def _row(name: str, points: Sequence[ResultPoint], t: Text) -> str:
    values = "".join(_value(point, t) for point in points)
    return (
        f'<li><span class="of"><b>{esc(name)}</b>{line_svg(name, points, t)}</span>'
        f'<span class="values">{values}</span></li>'
    )


def _value(point: ResultPoint, t: Text) -> str:
    place = point.place
    value = flagged(quantity(point), point.flag, t)
    date = f'<span class="on">{esc(point.date)}</span>' if point.date else ""
    where = address(place.note_id, place.start, place.end)
    return f'<span class="point {point.flag or ""}">{date}{place_button(value, where)}</span>'


def line_svg(name: str, points: Sequence[ResultPoint], t: Text) -> str:
    """The numbers of one unit in their order, evenly apart; "" for fewer than two."""
    numbers = [
        (float(found[1]), point)
        for point in points
        if point.unit == points[-1].unit and (found := _NUMBER.fullmatch(point.value))
    ]
    if len(numbers) < 2:
        return ""
    values = [number for number, _ in numbers]
    low, high = min(values), max(values)
    across, up = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    places = [
        (
            MARGIN + across * n / (len(values) - 1),
            HEIGHT / 2 if high == low else MARGIN + up * (high - value) / (high - low),
        )
        for n, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(
        f'<circle class="{point.flag or ""}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        for (x, y), (_, point) in zip(places, numbers, strict=True)
    )
    label = t("trend.label", name=name, n=len(values))
    return (
        f'<svg class="trend" role="img" aria-label="{esc(label)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}"><polyline points="{line}"/>{dots}</svg>'
    )
