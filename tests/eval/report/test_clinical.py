"""The report of a clinical result."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.clinical.result import Case, ClinicalResult, Figure, Table, read_result
from eval.commands import app
from eval.errors import EvalError
from eval.report import clinical, figures

NASTY = '<script>alert("x")</script> & | `'


class Links(HTMLParser):
    """What a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.found.append(tag)
        self.found += [name for name, _ in attrs if name in ("src", "href") or name[:2] == "on"]


def sample(**changes: object) -> ClinicalResult:
    values: dict[str, object] = {
        "kind": "retrieval",
        "title": "检索评测 Retrieval",
        "headline": Figure(name="前十 recall@10", value=61.25, low=50, high=72, n=80),
        "scores": {"recall10": 61.25},
        "figures": [
            Figure(
                name=f"很长的指标名称 {NASTY}", value=61.25, low=50, high=72, n=80, group="召回"
            ),
            Figure(name="无区间", value=100, n=3, group="召回"),
            Figure(name="平均倒数排名 MRR", value=0.4567, low=0.4, high=0.5, n=80, unit=""),
            Figure(name="内存", value=2048.4, n=1, unit="MiB"),
        ],
        "tables": [Table(title="分科 By", columns=["a", "b|c"], rows=[["1", NASTY]], note="说明")],
        "cases": [
            Case(id=f"q{n}", given="问" * 2000, expected="甲", answer=NASTY) for n in range(3)
        ],
        "notes": [f"注意 {NASTY}"],
        "model": {"name": "glm", "source": "here", "details": {"precision": "int4"}},
        "hashes": {"data": "ab" * 32},
        "command": "bedside eval retrieval --queries 'a b.jsonl'",
        "sources": ["a b.jsonl"],
    }
    return ClinicalResult.model_validate(values | changes)


def test_the_page_stands_alone_and_says_everything() -> None:
    html = clinical.result_html(sample())
    links = Links()
    links.feed(html)
    assert links.found == []
    assert html.count("<svg") == html.count("</svg>") == 1
    assert html.count("<g ") == html.count("</g>")
    assert "&lt;script&gt;" in html
    for shown in (
        "61.2 %",
        "50.0 – 72.0",
        "0.4567",
        "0.4 – 0.5",
        "2,048 MiB",
        "ab" * 32,
        "precision=int4",
        "recall10=61.25",
        "--queries &#39;a b.jsonl&#39;",
        "说明",
    ):
        assert shown in html


def test_figures_of_a_group_stand_together() -> None:
    groups = clinical.grouped(sample().figures)
    assert [(name, len(group)) for name, group in groups] == [("召回", 2), ("", 2)]


def test_markdown_tables_hold() -> None:
    text = clinical.result_markdown(sample())
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert [len(table.splitlines()) for table in tables] == [4, 4, 3, 5]
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1


def test_a_result_without_anything_more_has_a_report(tmp_path: Path) -> None:
    bare = ClinicalResult(
        kind="checker", title="t", headline=Figure(name="x", value=1, n=0), scores={}, figures=[]
    )
    written = clinical.write_result(bare, tmp_path / "r")
    assert [path.name for path in written] == ["result.json", "report.html", "report.md"]
    assert read_result(tmp_path / "r") == bare


def test_the_command_knows_a_clinical_folder(tmp_path: Path) -> None:
    sample().save(tmp_path)
    done = CliRunner().invoke(app, ["report", str(tmp_path), "--worst", "1"])
    assert done.exit_code == 0
    assert done.stdout.split() == [str(tmp_path / "report.html"), str(tmp_path / "report.md")]
    html = (tmp_path / "report.html").read_text("utf-8")
    assert html.count('class="case"') == 1
    assert "And 2 more" in html
    printed = CliRunner().invoke(app, ["report", str(tmp_path), "--json"])
    assert json.loads(printed.stdout)["scores"] == {"recall10": 61.25}


def test_a_damaged_result_is_said(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"format": 1}', "utf-8")
    with pytest.raises(EvalError, match="cannot be read"):
        read_result(tmp_path)
    done = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert done.exit_code == 1
    assert "cannot be read" in done.stderr


def test_long_names_widen_the_chart() -> None:
    def width(name: str) -> int:
        found = re.search(r'width="(\d+)"', figures.bars([figures.Bar(name, 5, 4, 6)]))
        assert found
        return int(found[1])

    assert width("短") == width("较短的") < width("字" * 20) < width("字" * 39)
    assert width("字" * 60) <= width("字" * 40) + 12


def test_what_was_foretold_is_drawn_against_what_was_found() -> None:
    foretold = [
        Figure(name="20–40 %", value=50, low=40, high=60, n=20, expected=30, group="g"),
        Figure(name="80–100 %", value=85, low=70, high=95, n=9, expected=90, group="g"),
    ]
    page = clinical.result_html(sample(figures=foretold))
    assert page.count("<circle") == 2
    assert "foretold, %" in page
    # A figure of which nothing was foretold is a bar, and so are all beside it.
    mixed = [*foretold, Figure(name="else", value=1, n=1, group="g")]
    assert "<circle" not in clinical.result_html(sample(figures=mixed))
