"""A small line of values over time, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from assistant.tasks.record_qa.draft import Plot

WIDTH, HEIGHT = 420, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 18, 22, 34


def line_plot(title: str, unit: str, values: Sequence[tuple[datetime, float]]) -> Plot | None:
    """The values in the order of their times; None for fewer than two.

    ``values`` are (time, number in ``unit``).
    """
    if len(values) < 2:
        return None
    first, last = values[0][0], values[-1][0]
    low, high = min(v for _, v in values), max(v for _, v in values)
    span = (last - first).total_seconds() or 1.0
    room = (high - low) or max(abs(high), 1.0)

    def place(at: datetime, value: float) -> tuple[float, float]:
        across = (at - first).total_seconds() / span
        up = (value - low) / room
        x = _LEFT + across * (WIDTH - _LEFT - _RIGHT)
        return round(x, 1), round(HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM), 1)

    points = [place(at, value) for at, value in values]
    joined = " ".join(f"{x},{y}" for x, y in points)
    marks = "".join(
        f'<circle cx="{x}" cy="{y}" r="3" fill="#0b7a75"/>'
        f'<text x="{x}" y="{y - 7}" font-size="10" text-anchor="middle">{value:g}</text>'
        for (x, y), (_, value) in zip(points, values, strict=True)
    )
    days = "".join(
        f'<text x="{x}" y="{HEIGHT - 14}" font-size="10" text-anchor="{anchor}" fill="#567">'
        f"{at.month}-{at.day:02d}</text>"
        for (x, _), (at, _), anchor in (
            (points[0], values[0], "start"),
            (points[-1], values[-1], "end"),
        )
    )
    name = f"{title}（{unit}）" if unit else title
    alt = f"{name}：" + " → ".join(f"{at:%Y-%m-%d %H:%M} {value:g}" for at, value in values)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(alt, quote=True)}" font-family="sans-serif">'
        f'<text x="{_LEFT}" y="12" font-size="11">{escape(name)}</text>'
        f'<line x1="{_LEFT}" y1="{HEIGHT - _BOTTOM}" x2="{WIDTH - _RIGHT}" '
        f'y2="{HEIGHT - _BOTTOM}" stroke="#9ab"/>'
        f'<polyline points="{joined}" fill="none" stroke="#0b7a75" stroke-width="1.6"/>'
        f"{marks}{days}</svg>"
    )
    return Plot(title=name, alt=alt, svg=svg)
