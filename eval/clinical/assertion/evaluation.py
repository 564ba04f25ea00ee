"""Labelled snippets and what was read from them → a clinical result.

Rates are over the mentions that were found, except the share of those that were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.clinical.assertion.reading import Reading
from eval.clinical.assertion.snippet import Mention, Snippet
from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Table
from eval.run.identity import digest

Readings = Sequence[Sequence[Reading | None]]
"""Per snippet, in order: what was read at each mention, None where nothing was found."""

_WORST = 1000


@dataclass(frozen=True)
class _Measure:
    """A share: of the mentions that ``counts``, those that ``hits``."""

    key: str
    title: str
    counts: Callable[[Mention, Reading], bool]
    hits: Callable[[Mention, Reading], bool]
    is_error: bool = False


def _polarity_is(mention: Mention, polarity: str) -> bool:
    return mention.polarity == polarity


def _asserted(reading: Reading) -> bool:
    return reading.present and reading.certain


def _time(key: str, title: str) -> _Measure:
    return _Measure(
        key, title, lambda m, _: m.temporality == key, lambda _, r: r.temporality == key
    )


_MEASURES = (
    _Measure(
        "denied_asserted",
        "否认读成肯定 denied → asserted",
        lambda m, _: _polarity_is(m, "absent"),
        lambda _, r: _asserted(r),
        is_error=True,
    ),
    _Measure(
        "asserted_denied",
        "肯定读成否认 asserted → denied",
        lambda m, _: _polarity_is(m, "present"),
        lambda _, r: not r.present,
        is_error=True,
    ),
    _Measure(
        "polarity",
        "极性正确 polarity",
        lambda m, _: m.polarity is not None and m.kind != "normal",
        lambda m, r: r.present == (m.polarity == "present"),
    ),
    _Measure(
        "uncertain",
        "存疑读出 uncertain",
        lambda m, _: m.certainty == "uncertain",
        lambda _, r: not r.certain,
    ),
    _Measure(
        "certain",
        "确定读出 certain",
        lambda m, _: m.certainty == "certain" and m.kind != "normal",
        lambda _, r: r.certain,
    ),
    _time("past", "既往 past"),
    _time("hypothetical", "假设 hypothetical"),
    _time("current", "当前 current"),
    _Measure(
        "another_person",
        "他人 another person",
        lambda m, _: m.subject in ("family", "other"),
        lambda _, r: not r.of_patient,
    ),
    _Measure(
        "patient",
        "患者本人 patient",
        lambda m, _: m.subject == "patient",
        lambda _, r: r.of_patient,
    ),
)
_KEPT = {"denied_asserted": "denied_kept", "asserted_denied": "asserted_kept"}
SCORES = ("found", *_KEPT.values(), *(m.key for m in _MEASURES if not m.is_error))
"""What gates may ask for, 0 to 100; ``kept`` is what an error takes from 100."""


def evaluate(
    snippets: Sequence[Snippet],
    readings: Readings,
    *,
    model: Mapping[str, Any] | None = None,
    knowledge: str = "",
    command: str = "",
    sources: Sequence[str] = (),
) -> ClinicalResult:
    """Score what was read.  Mentions that two clinicians may read differently are left out."""
    found = share("找到 mention found", _found(snippets, readings))
    figures = {"found": found}
    for measure in _MEASURES:
        figures[measure.key] = share(measure.title, _counts(measure, snippets, readings))
    hashes = {"data": digest([snippet.model_dump() for snippet in snippets])}
    if knowledge:
        hashes["knowledge"] = knowledge
    return ClinicalResult(
        kind="assertion",
        title="断言评测：否认、存疑、时间、他人 Assertion",
        headline=figures["polarity"],
        scores={
            _KEPT.get(key, key): 100 - figure.value if key in _KEPT else figure.value
            for key, figure in figures.items()
        },
        figures=list(figures.values()),
        tables=[_by_category(snippets, readings)],
        cases=list(_wrong(snippets, readings))[:_WORST],
        model=dict(model or {}),
        hashes=hashes,
        command=command,
        sources=list(sources),
    )


def _found(snippets: Sequence[Snippet], readings: Readings) -> dict[str, tuple[int, int]]:
    counts = {}
    for snippet, read in zip(snippets, readings, strict=True):
        wanted = [
            reading is not None
            for mention, reading in zip(snippet.mentions, read, strict=True)
            if mention.kind != "normal" and not mention.ambiguous
        ]
        counts[snippet.id] = sum(wanted), len(wanted)
    return counts


def _pairs(snippet: Snippet, read: Sequence[Reading | None]) -> Iterator[tuple[Mention, Reading]]:
    for mention, reading in zip(snippet.mentions, read, strict=True):
        if reading is not None and not mention.ambiguous:
            yield mention, reading


def _counts(
    measure: _Measure, snippets: Sequence[Snippet], readings: Readings
) -> dict[str, tuple[int, int]]:
    counts = {}
    for snippet, read in zip(snippets, readings, strict=True):
        hits = [measure.hits(m, r) for m, r in _pairs(snippet, read) if measure.counts(m, r)]
        counts[snippet.id] = sum(hits), len(hits)
    return counts


def _errors(mention: Mention, reading: Reading) -> list[str]:
    return [
        measure.key
        for measure in _MEASURES
        if measure.counts(mention, reading) and measure.hits(mention, reading) is measure.is_error
    ]


def _by_category(snippets: Sequence[Snippet], readings: Readings) -> Table:
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for snippet, read in zip(snippets, readings, strict=True):
        row = rows[snippet.category]
        for mention, reading in zip(snippet.mentions, read, strict=True):
            if mention.ambiguous:
                continue
            row[0] += 1
            row[1] += reading is not None
            if reading is not None:
                errors = _errors(mention, reading)
                row[2] += "denied_asserted" in errors
                row[3] += "asserted_denied" in errors
                row[4] += bool(errors)
    return Table(
        title="各类 By category",
        columns=[
            "类别 category",
            "提及 mentions",
            "找到 found",
            "否认→肯定",
            "肯定→否认",
            "有误 with an error",
        ],
        rows=[[category, *map(str, row)] for category, row in sorted(rows.items())],
    )


def _wrong(snippets: Sequence[Snippet], readings: Readings) -> Iterator[Case]:
    for snippet, read in zip(snippets, readings, strict=True):
        for mention, reading in zip(snippet.mentions, read, strict=True):
            if mention.ambiguous:
                continue
            errors = _errors(mention, reading) if reading else []
            if reading is None and mention.kind != "normal":
                errors = ["found"]
            if errors:
                yield Case(
                    id=f"{snippet.id}:{mention.start}",
                    kind=snippet.category,
                    given=snippet.text,
                    expected=_expected(mention),
                    answer=reading.described if reading else "—",
                    note=", ".join(errors),
                )


def _expected(mention: Mention) -> str:
    parts = (mention.polarity, mention.certainty, mention.temporality, mention.subject)
    return f"{mention.text}: " + ", ".join(part or "–" for part in parts)
