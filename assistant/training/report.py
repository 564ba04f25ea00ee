"""What training came to, on paper: scores by type, the way there, a confusion picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from assistant.training.scoring import NONE, Count, Scores

_INK, _SOFT, _GRID = "#1f2933", "#6b7785", "#dfe4ea"
_CELL = 34
_SHADE = (47, 111, 143)


ENTITIES = "实体识别 entity recognition"
RELATIONS = "关系抽取 relation extraction"


def write(
    folder: Path,
    scores: Scores,
    facts: Mapping[str, Any],
    epochs: Sequence[Mapping[str, Any]] = (),
    title: str = ENTITIES,
) -> list[Path]:
    """``report.json``, ``report.md`` and ``confusion.svg`` in ``folder``; the
    paths."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {**facts, **as_record(scores), "epochs": list(epochs)}
    made = {
        "report.json": json.dumps(record, ensure_ascii=False, indent=2) + "\n",
        "report.md": markdown(scores, facts, epochs, title),
    }
    if scores.confusion:
        made["confusion.svg"] = confusion(scores)
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in made]


def as_record(scores: Scores) -> dict[str, Any]:
    """Scores for JSON: micro, macro F1, and each type."""
    kinds = [count for count in scores.types.values() if count.gold]
    return {
        "micro": _numbers(scores.micro())
        | dict(zip(("low", "high"), (round(x, 4) for x in scores.interval()), strict=True)),
        "documents": len(scores.documents),
        "macro_f1": round(sum(count.f1 for count in kinds) / max(1, len(kinds)), 4),
        "types": {name: _numbers(count) for name, count in sorted(scores.types.items())},
    }


def markdown(
    scores: Scores,
    facts: Mapping[str, Any],
    epochs: Sequence[Mapping[str, Any]] = (),
    title: str = ENTITIES,
) -> str:
    """Tables: by type, and by epoch."""
    lines = [f"# {title}", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", *rows(scores), ""]
    if scores.confusion:
        lines.append("![confusion](confusion.svg)")
    if epochs:
        lines += ["", "| epoch | loss | dev F1 | above | s |", "|---|---|---|---|---|"]
        lines += [
            f"| {one['number']} | {one['loss']:.4f} | {one['f1']:.4f} | {one['above']} | "
            f"{one['seconds']:.0f} |"
            for one in epochs
        ]
    return "\n".join(lines) + "\n"


def rows(scores: Scores) -> list[str]:
    """The table by type, micro-average last, its 95 % interval over documents below."""
    low, high = scores.interval()
    named = [*sorted(scores.types.items()), ("micro", scores.micro())]
    return [
        "| type | gold | found | precision | recall | F1 |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {count.gold} | {count.found} | {count.precision:.4f} | "
            f"{count.recall:.4f} | {count.f1:.4f} |"
            for name, count in named
        ),
        "",
        f"micro F1 95 %: {low:.4f} – {high:.4f} ({len(scores.documents)} documents)",
    ]


def confusion(scores: Scores) -> str:
    """Types of the data in rows, types found in columns, as SVG; the darker, the larger the share
    of the row.  The last row and column are what the other side does not have."""
    types = sorted(scores.types)
    names = [*types, NONE]
    counts = scores.matrix(types)
    left = 20 + 13 * max(len(name) for name in names)
    top = 20 + 9 * max(len(name) for name in names)
    width, height = left + _CELL * len(names) + 12, top + _CELL * len(names) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11" role="img">',
        "<title>Types in the data (rows) and found (columns)</title>",
    ]
    for place, name in enumerate(names):
        middle = place * _CELL + _CELL // 2
        parts.append(
            f'<text x="{left - 8}" y="{top + middle + 4}" text-anchor="end" fill="{_INK}">'
            f"{escape(name)}</text>"
        )
        x, y = left + middle + 4, top - 8
        parts.append(
            f'<text x="{x}" y="{y}" transform="rotate(-60 {x} {y})" fill="{_INK}">'
            f"{escape(name)}</text>"
        )
    for row, line in enumerate(counts):
        whole = max(1, sum(line))
        for column, count in enumerate(line):
            parts += _cell(left + column * _CELL, top + row * _CELL, count, count / whole)
    return "".join([*parts, "</svg>\n"])


def _cell(x: int, y: int, count: int, share: float) -> list[str]:
    red, green, blue = (round(255 - (255 - tone) * share) for tone in _SHADE)
    cell = (
        f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" stroke="{_GRID}" '
        f'fill="rgb({red},{green},{blue})"/>'
    )
    if not count:
        return [cell]
    ink = "#ffffff" if share > 0.55 else _SOFT
    middle = f'x="{x + _CELL // 2}" y="{y + _CELL // 2 + 4}"'
    return [cell, f'<text {middle} text-anchor="middle" fill="{ink}">{count}</text>']


def _numbers(count: Count) -> dict[str, float]:
    return {
        "gold": count.gold,
        "found": count.found,
        "right": count.right,
        "precision": round(count.precision, 4),
        "recall": round(count.recall, 4),
        "f1": round(count.f1, 4),
    }
