"""What a committee reads."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from promptcblue_sets import answers, gold, gold_path, noisy, write_lines

from eval.comparison import compare
from eval.promptcblue.tracks import CCKS2023, TRACKS
from eval.report import figures, render, summary
from eval.run.model import OpenModel
from eval.run.run import RunSettings, start
from serving.engines.echo import EchoEngine

NASTY = '<script>alert("x")</script> & | `'


class Reader(HTMLParser):
    """Collects what a page would load or run, and that its tags close."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outward: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href") or name.startswith("on"):
                self.outward.append(f"{name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    return reader


@pytest.fixture
def noisy_run(tmp_path: Path) -> Path:
    """A run whose answers are noisy, one of them hostile."""
    samples = gold(CCKS2023)
    texts = noisy(CCKS2023)[2]["answers"]
    by_prompt = {s.input: texts[s.sample_id] for s in samples}
    by_prompt[samples[0].input] = NASTY
    engine = EchoEngine(by_prompt.__getitem__)
    settings = RunSettings(CCKS2023, samples, command="bedside eval run --data 'a b.jsonl'")
    start(tmp_path / "run", settings, OpenModel(engine), quiet=True)
    return tmp_path / "run"


def test_the_page_stands_alone_and_what_a_model_says_is_only_text(noisy_run: Path) -> None:
    data = summary.of_run(noisy_run, resamples=100)
    html = render.report_html(data)
    reader = read(html)
    assert reader.outward == []
    assert "script" not in reader.tags
    assert "svg" in reader.tags
    assert "&lt;script&gt;" in html
    assert "bedside eval run --data &#39;a b.jsonl&#39;" in html
    for value in data["hashes"].values():
        assert value in html
    for task in data["tasks"]:
        assert f"{task['score']:.2f}" in html


def test_a_summary_says_what_happened(noisy_run: Path) -> None:
    data = summary.of_run(noisy_run, worst=2, resamples=100)
    assert json.loads(json.dumps(data, ensure_ascii=False))["track"] == "ccks2023"
    assert data["overall"]["low"] <= data["overall"]["score"] <= data["overall"]["high"]
    assert data["cost"]["asked"] == data["answered"] == data["samples"]
    assert data["cost"]["new_tokens"] > 0
    tasks = {task["name"]: task for task in data["tasks"]}
    for task in tasks.values():
        assert len(task["worst"]) <= 2
        assert [w["goodness"] for w in task["worst"]] == sorted(
            w["goodness"] for w in task["worst"]
        )
    counted = tasks["CHIP-CTC"]["confusion"]
    assert sum(map(sum, counted["counts"])) == tasks["CHIP-CTC"]["samples"]
    assert any("fewer than" in note for note in data["notes"])
    assert len(data["hashes"]["data"]) == 64


def test_markdown_tables_hold(noisy_run: Path) -> None:
    text = render.report_markdown(summary.of_run(noisy_run, resamples=100))
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(CCKS2023.tasks)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {7}


def test_three_files_are_written(noisy_run: Path, tmp_path: Path) -> None:
    data = summary.of_run(noisy_run, resamples=100)
    path = tmp_path / "deep" / "r.html"
    written = render.write(path, render.report_html(data), render.report_markdown(data), data)
    assert [p.suffix for p in written] == [".html", ".md", ".json"]
    assert json.loads(written[2].read_text("utf-8"))["overall"] == data["overall"]


def test_answers_from_elsewhere_have_a_report(tmp_path: Path) -> None:
    track = TRACKS["chip2023"]
    texts = noisy(track)[1]["answers"]
    rows = [{"sample_id": key, "target": text} for key, text in list(texts.items())[2:]]
    path = write_lines(tmp_path / "p.jsonl", rows)
    data = summary.of_files(track, gold_path(track), path, resamples=100)
    assert data["answered"] == data["samples"] - 2
    html = render.report_html(data)
    assert read(html).outward == []
    assert "2 samples have no answer" in html


def test_rare_labels_are_gathered() -> None:
    labels = figures.confusion(["甲" * 30, "乙"], [[1, 2], [0, 3]])
    assert "…" in labels
    assert str(labels).count("<rect") == 4


@pytest.mark.parametrize("name", [NASTY, "任务"])
def test_names_in_charts_are_text(name: str) -> None:
    bar = figures.Bar(name, 40, 30, 50, name)
    for picture in (figures.bars([bar]), figures.differences([bar], 1.0)):
        assert "<script" not in picture
        read(str(picture))


def test_a_comparison_is_a_page(tmp_path: Path) -> None:
    samples = gold(CCKS2023)
    first = answers(samples, noisy(CCKS2023)[1]["answers"])
    found = compare(CCKS2023, samples, first, answers(samples), margin=2, resamples=200)
    about = {"a": "A", "b": NASTY, "made": "now", "facts": {"command": "bedside eval compare"}}
    html = render.comparison_html(found, about)
    assert read(html).outward == []
    assert "&lt;script&gt;" in html
    assert f"{found.overall.points:+.2f}" in html
    markdown = render.comparison_markdown(found, about)
    assert len([line for line in markdown.splitlines() if line.startswith("|")]) == 18
    assert found.to_json()["tasks"]["CHIP-STS"]["p_holm"] <= 1
