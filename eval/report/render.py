"""A summary → one HTML file, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from eval.comparison import Comparison
from eval.report import figures
from eval.run.journal import write_whole


def environment() -> Environment:
    """The templates of the reports; what others wrote is escaped in HTML."""
    made = Environment(
        loader=PackageLoader("eval", "report"),
        autoescape=select_autoescape(enabled_extensions=("html.jinja",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["figures"] = figures
    made.globals["Bar"] = figures.Bar
    made.filters["cell"] = _cell
    made.filters["shortened"] = _shortened
    return made


def _cell(text: object) -> str:
    """Text for a cell of a Markdown table."""
    return str(text).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _shortened(text: str, most: int = 900) -> str:
    """Beginning and end of a long text, so that a printed case stays on its page."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… ({len(text) - 2 * half}) …\n{text[-half:]}"


def report_html(summary: Mapping[str, Any]) -> str:
    """The report as one HTML document without scripts or links outward."""
    return environment().get_template("report.html.jinja").render(s=summary)


def report_markdown(summary: Mapping[str, Any]) -> str:
    """The report's tables as Markdown."""
    return environment().get_template("report.md.jinja").render(s=summary)


def comparison_html(comparison: Comparison, about: Mapping[str, Any]) -> str:
    """A comparison as one HTML document; ``about`` names both sides and the command."""
    return environment().get_template("compare.html.jinja").render(c=comparison, about=about)


def comparison_markdown(comparison: Comparison, about: Mapping[str, Any]) -> str:
    """A comparison as Markdown."""
    return environment().get_template("compare.md.jinja").render(c=comparison, about=about)


def write(path: Path, html: str, markdown: str, data: Mapping[str, Any]) -> list[Path]:
    """Write ``path`` (.html), and Markdown and JSON beside it; the paths that were written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {
        ".html": html,
        ".md": markdown,
        ".json": json.dumps(data, ensure_ascii=False, indent=1) + "\n",
    }
    paths = []
    for suffix, text in texts.items():
        paths.append(path.with_suffix(suffix))
        write_whole(paths[-1], text)
    return paths
