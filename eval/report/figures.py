"""Charts as inline SVG: they need no script and no network, and print sharply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_INK = "#1f2933"
_SOFT = "#6b7785"
_GRID = "#dfe4ea"
_BAR = "#2f6f8f"
_BAR_B = "#b5651d"
_ROW = 26
_LABEL_WIDTH = 130
_PLOT_WIDTH = 470
_LONGEST_LABEL = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, 0 to 100, with its interval."""

    name: str
    score: float
    low: float
    high: float
    note: str = ""


def bars(rows: Sequence[Bar]) -> Markup:
    """Horizontal bars with 95 % intervals, in the order given."""
    height = _ROW * len(rows) + 28
    labels = [_short(row.name, _LONGEST_LABEL) for row in rows]
    wider = max([0.0, *(_length(label) + 12 - _LABEL_WIDTH for label in labels)])
    width = wider + _LABEL_WIDTH + _PLOT_WIDTH + 90
    parts = [
        _open(width, height, "figures with 95 % intervals"),
        f'<g transform="translate({wider:.1f} 0)">',
        _axis(0, 100, height),
    ]
    for place, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = 6 + place * _ROW
        middle = y + 9
        parts.append(_text(_LABEL_WIDTH - 8, middle + 4, label, anchor="end"))
        parts.append(_rect(_x(0), y, _x(max(row.score, 0)) - _x(0), 18, _BAR))
        if row.low < row.high:
            parts.append(_whisker(_x(row.low), _x(row.high), middle))
        parts.append(_text(_x(100) + 10, middle + 4, f"{row.score:.1f}", weight="600"))
        parts.append(_text(_x(100) + 46, middle + 4, row.note, fill=_SOFT, size=10))
    return _close([*parts, "</g>"])


@dataclass(frozen=True, slots=True)
class Point:
    """What was found, 0 to 100, beside what was foretold."""

    found: Bar
    foretold: float


def reliability(points: Sequence[Point]) -> Markup:
    """What was foretold to the right, what was found upwards, both 0 to 100, with 95 % intervals;
    on the diagonal both are the same."""
    side, left = 300, 44
    parts = [_open(left + side + 60, side + 48, "foretold against found, with 95 % intervals")]

    def at(foretold: float, found: float) -> tuple[float, float]:
        return round(left + side * foretold / 100, 1), round(8 + side * (1 - found / 100), 1)

    for tick in range(0, 101, 25):
        (x, bottom), (_, top), (end, y) = at(tick, 0), at(tick, 100), at(100, tick)
        parts.append(f'<path d="M{x} {top}V{bottom}M{left} {y}H{end}" stroke="{_GRID}"/>')
        parts.append(_text(x, bottom + 16, str(tick), "middle", _SOFT, 10))
        parts.append(_text(left - 6, y + 4, str(tick), "end", _SOFT, 10))
    (x, y), (end, top) = at(0, 0), at(100, 100)
    parts.append(f'<path d="M{x} {y}L{end} {top}" stroke="{_BAR_B}" stroke-dasharray="4 3"/>')
    line = " ".join("{},{}".format(*at(p.foretold, p.found.score)) for p in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{_BAR}" stroke-width="1.6"/>')
    for point in points:
        (x, low), (_, high) = at(point.foretold, point.found.low), at(0, point.found.high)
        _, y = at(0, point.found.score)
        parts.append(f'<path d="M{x} {low}V{high}" stroke="{_INK}" stroke-width="1.4"/>')
        parts.append(f'<circle cx="{x}" cy="{y}" r="4.5" fill="{_BAR}"/>')
        parts.append(_text(x + 7, y + 13, point.found.note, fill=_SOFT, size=10))
    parts.append(_text(left + side / 2, side + 44, "foretold, %", "middle", _SOFT, 11))
    return _close(parts)


def differences(rows: Sequence[Bar], margin: float) -> Markup:
    """Points of difference with their 95 % intervals around 0; a dashed line at −margin."""
    reach = max([margin, 1.0, *(max(abs(row.low), abs(row.high)) for row in rows)]) * 1.05
    height = _ROW * len(rows) + 28
    width = _LABEL_WIDTH + _PLOT_WIDTH + 90
    parts = [
        _open(width, height, "differences by task with 95 % intervals"),
        _axis(-reach, reach, height),
    ]
    zero, edge = _x(0, -reach, reach), _x(-margin, -reach, reach)
    bottom = height - 22
    parts.append(f'<line x1="{zero}" y1="0" x2="{zero}" y2="{bottom}" stroke="{_INK}"/>')
    if margin:
        parts.append(
            f'<line x1="{edge}" y1="0" x2="{edge}" y2="{bottom}" stroke="{_BAR_B}" '
            'stroke-dasharray="4 3"/>'
        )
    for place, row in enumerate(rows):
        middle = 15 + place * _ROW
        x = _x(row.score, -reach, reach)
        parts.append(_text(_LABEL_WIDTH - 8, middle + 4, row.name, anchor="end"))
        parts.append(_whisker(_x(row.low, -reach, reach), _x(row.high, -reach, reach), middle))
        parts.append(f'<circle cx="{x}" cy="{middle}" r="4.5" fill="{_BAR}"/>')
        parts.append(_text(_x(100) + 10, middle + 4, f"{row.score:+.1f}", weight="600"))
        parts.append(_text(_x(100) + 50, middle + 4, row.note, fill=_SOFT, size=10))
    return _close(parts)


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """Gold in rows, answers in columns; the darker, the larger the share of the row."""
    cell = 30
    size = len(labels)
    rows, columns = [_short(label, 15) for label in labels], [_short(label, 9) for label in labels]
    left = 18 + 11.5 * max((len(label) for label in rows), default=0)
    # Column labels lean to the right, out over the last column.
    lean = 8.5 * max((len(label) for label in columns), default=0)
    top = 16 + lean
    width, height = left + size * cell + lean, top + size * cell + 8
    parts = [_open(width, height, "confusion of labels, gold in rows")]
    for place, (row_label, column_label) in enumerate(zip(rows, columns, strict=True)):
        middle = place * cell + cell / 2
        parts.append(_text(left - 8, top + middle + 4, row_label, anchor="end", size=11))
        parts.append(
            f'<g transform="translate({left + middle + 4:.1f} {top - 8}) rotate(-50)">'
            f"{_text(0, 0, column_label, size=10)}</g>"
        )
    for row, values in enumerate(counts):
        total = sum(values) or 1
        for column, count in enumerate(values):
            share = count / total
            x, y = left + column * cell, top + row * cell
            # Right answers in the bars' colour, confusions in the warm one.
            colour = _BAR if row == column else _BAR_B
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell - 2}" height="{cell - 2}" '
                f'fill="{colour}" fill-opacity="{0.06 + 0.94 * share if count else 0.04:.2f}"/>'
            )
            if count:
                fill = "#ffffff" if share > 0.55 else _INK
                parts.append(
                    _text(x + cell / 2 - 1, y + cell / 2 + 3, str(count), "middle", fill, 11)
                )
    return _close(parts)


def _x(value: float, low: float = 0.0, high: float = 100.0) -> float:
    share = (min(max(value, low), high) - low) / (high - low)
    return round(_LABEL_WIDTH + _PLOT_WIDTH * share, 1)


def _axis(low: float, high: float, height: int) -> str:
    parts = []
    for tick in range(5):
        value = low + (high - low) * tick / 4
        x = _x(value, low, high)
        parts.append(f'<line x1="{x}" y1="0" x2="{x}" y2="{height - 22}" stroke="{_GRID}"/>')
        label = f"{value:.0f}" if high >= 20 else f"{value:.1f}"
        parts.append(_text(x, height - 6, label, "middle", _SOFT, 10))
    return "".join(parts)


def _whisker(low: float, high: float, y: float) -> str:
    ends = "".join(
        f'<line x1="{x}" y1="{y - 4}" x2="{x}" y2="{y + 4}" stroke="{_INK}" stroke-width="1.4"/>'
        for x in (low, high)
    )
    return (
        f'<line x1="{low}" y1="{y}" x2="{high}" y2="{y}" stroke="{_INK}" stroke-width="1.4"/>{ends}'
    )


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{max(width, 0):.1f}" height="{height}" rx="2" '
        f'fill="{fill}"/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str = "start",
    fill: str = _INK,
    size: int = 12,
    weight: str = "400",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" '
        f'font-size="{size}" font-weight="{weight}">{escape(text)}</text>'
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _length(text: str) -> float:
    """About how wide a label is drawn: a Chinese character is as wide as it is high."""
    return sum(12.0 if ord(character) > 0x2E7F else 6.6 for character in text)


def _open(width: float, height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>'
    )


def _close(parts: list[str]) -> Markup:
    # Every text of others went through `escape` above.
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704
