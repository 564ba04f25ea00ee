"""Two axes and what is drawn between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from assistant.tasks.radiomics.cohort.nomogram import round_ticks

BLUE, RED, GREEN, GREY = "#1f5fa8", "#b5372c", "#2e7d4f", "#8a8f98"
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 30, 46


class Plot:
    """A picture of ``width`` × ``height`` pixels; everything else is in the units of the data."""

    def __init__(
        self,
        title: str,
        x: tuple[float, float],
        y: tuple[float, float],
        x_title: str,
        y_title: str,
        width: int = 430,
        height: int = 330,
    ) -> None:
        self._title, self._x, self._y = title, x, y
        self._width, self._height = width, height
        self._parts: list[str] = []
        self._key: list[tuple[str, str, str]] = []
        self._axes(x_title, y_title)

    def line(
        self, xs: Sequence[float], ys: Sequence[float], colour: str, name: str = "", dash: str = ""
    ) -> None:
        """A line through points; ``name`` puts it into the key."""
        points = " ".join(f"{self._px(a):.1f},{self._py(b):.1f}" for a, b in self._inside(xs, ys))
        style = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"{style}/>'
        )
        if name:
            self._key.append((name, colour, dash))

    def steps(self, xs: Sequence[float], ys: Sequence[float], colour: str, name: str = "") -> None:
        """A line that keeps its height until the next point."""
        self.line(*_stepped(xs, ys), colour, name)

    def band(
        self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str
    ) -> None:
        """What lies between two stepped lines, lightly."""
        ax, ay = _stepped(xs, low)
        bx, by = _stepped(xs, high)
        points = " ".join(
            f"{self._px(a):.1f},{self._py(b):.1f}"
            for a, b in zip([*ax, *reversed(bx)], [*ay, *reversed(by)], strict=True)
        )
        self._parts.append(f'<polygon points="{points}" fill="{colour}" fill-opacity="0.14"/>')

    def point(self, x: float, low: float, y: float, high: float, colour: str) -> None:
        """A dot with its interval."""
        at = self._px(x)
        self._parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{self._py(low):.1f}" '
            f'y2="{self._py(high):.1f}" stroke="{colour}"/>'
            f'<circle cx="{at:.1f}" cy="{self._py(y):.1f}" r="3" fill="{colour}"/>'
        )

    def svg(self) -> str:
        """The picture, with its title for those who cannot see it."""
        key = []
        for place, (name, colour, dash) in enumerate(self._key):
            y = _TOP + 12 + 16 * place
            x = self._width - _RIGHT - 150
            style = f' stroke-dasharray="{dash}"' if dash else ""
            key.append(
                f'<line x1="{x}" x2="{x + 20}" y1="{y}" y2="{y}" stroke="{colour}" '
                f'stroke-width="2"{style}/>{words(name, x + 26, y + 4, anchor="start")}'
            )
        return picture(self._title, self._width, self._height, [*self._parts, *key])

    def _axes(self, x_title: str, y_title: str) -> None:
        left, right = self._px(self._x[0]), self._px(self._x[1])
        bottom, top = self._py(self._y[0]), self._py(self._y[1])
        made = [words(self._title, self._width / 2, 18, size=13, bold=True)]
        for value in round_ticks(*self._x, 5):
            at = self._px(float(value))
            made.append(_rule(at, at, bottom, top))
            made.append(words(f"{value:.4g}", at, bottom + 15))
        for value in round_ticks(*self._y, 5):
            at = self._py(float(value))
            made.append(_rule(left, right, at, at))
            made.append(words(f"{value:.4g}", left - 6, at + 4, anchor="end"))
        made.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
            f'height="{bottom - top:.1f}" fill="none" stroke="#555"/>'
        )
        made.append(words(x_title, (left + right) / 2, self._height - 10))
        middle = (top + bottom) / 2
        made.append(
            f'<g transform="rotate(-90 14 {middle:.1f})">{words(y_title, 14, middle + 4)}</g>'
        )
        self._parts += made

    def _inside(self, xs: Sequence[float], ys: Sequence[float]) -> Iterable[tuple[float, float]]:
        """Points held at the edges of the picture."""
        low, high = self._y
        return ((a, min(max(b, low), high)) for a, b in zip(xs, ys, strict=True))

    def _px(self, x: float) -> float:
        low, high = self._x
        return _LEFT + (x - low) / ((high - low) or 1) * (self._width - _LEFT - _RIGHT)

    def _py(self, y: float) -> float:
        low, high = self._y
        room = self._height - _TOP - _BOTTOM
        return self._height - _BOTTOM - (y - low) / ((high - low) or 1) * room


def picture(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    """An SVG element of its own."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="sans-serif">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def words(
    text: str, x: float, y: float, anchor: str = "middle", size: int = 11, bold: bool = False
) -> str:
    """Text at a place."""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{weight} '
        f'fill="#222">{escape(text)}</text>'
    )


def _rule(x1: float, x2: float, y1: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" '
        'stroke="#e3e6ea" stroke-width="1"/>'
    )


def _stepped(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    ax, ay = [], []
    for place, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if place:
            ax.append(x)
            ay.append(ys[place - 1])
        ax.append(x)
        ay.append(y)
    return ax, ay
