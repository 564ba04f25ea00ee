"""A clinical result → one HTML file and Markdown, beside its ``result.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment

from eval.clinical.result import ClinicalResult, Figure
from eval.report.figures import Bar, Point
from eval.report.render import environment
from eval.run.journal import write_whole

REPORT = "report.html"
CASES = 60
"""Cases that a report shows; ``result.json`` holds them all."""


def result_html(result: ClinicalResult, cases: int = CASES) -> str:
    """The result as one HTML document without scripts or links outward."""
    return _rendered("clinical.html.jinja", result, cases)


def result_markdown(result: ClinicalResult, cases: int = CASES) -> str:
    """The result's figures, tables and cases as Markdown."""
    return _rendered("clinical.md.jinja", result, cases)


def write_report(result: ClinicalResult, path: Path, cases: int = CASES) -> list[Path]:
    """Write ``path`` (.html) and Markdown beside it; the paths that were written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {".html": result_html(result, cases), ".md": result_markdown(result, cases)}
    for suffix, text in texts.items():
        write_whole(path.with_suffix(suffix), text)
    return [path.with_suffix(suffix) for suffix in texts]


def write_result(result: ClinicalResult, folder: Path) -> list[Path]:
    """Write ``result.json`` and the report into ``folder``; the paths that were written."""
    saved = result.save(folder)
    return [saved, *write_report(result, folder / REPORT)]


def grouped(figures: Sequence[Figure]) -> list[tuple[str, list[Figure]]]:
    """Figures by their group, in the order in which groups first appear."""
    groups: dict[str, list[Figure]] = {}
    for figure in figures:
        groups.setdefault(figure.group, []).append(figure)
    return list(groups.items())


def _rendered(template: str, result: ClinicalResult, cases: int) -> str:
    return (
        _environment()
        .get_template(template)
        .render(r=result, groups=grouped(result.figures), cases=result.cases[:cases])
    )


def _environment() -> Environment:
    made = environment()
    made.filters |= {
        "figure": described,
        "interval": interval,
        "bar": _bar,
        "point": _point,
        "facts": _facts,
    }
    return made


def _number(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.1f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def described(figure: Figure) -> str:
    """``61.2 %``, ``2,048 MiB``."""
    return f"{_number(figure.value, figure.unit)} {figure.unit}".rstrip()


def interval(figure: Figure) -> str:
    """``41.0 – 52.3``; empty where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{_number(figure.low, figure.unit)} – {_number(figure.high, figure.unit)}"


def _bar(figure: Figure) -> Bar:
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    return Bar(figure.name, figure.value, low, high, f"n={figure.n}")


def _point(figure: Figure) -> Point:
    return Point(_bar(figure), figure.expected or 0.0)


def _facts(model: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What tells one model from another, without what stands elsewhere in the report."""
    parts = (model.get("details") or {}, model.get("settings") or {})
    return [(str(key), str(value)) for part in parts for key, value in part.items() if value]
