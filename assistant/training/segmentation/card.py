"""The model card: what was trained on what, and how good it is on cases it never saw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant.training.segmentation.scoring import Score, means

MARKDOWN, PLAIN = "model-card.md", "model-card.json"
_NOTICE = "科研用途：仅供研究，不得用于诊疗。For research only, not for care."


def write(
    folder: Path,
    facts: Mapping[str, Any],
    scores: Sequence[Score],
    epochs: Sequence[Mapping[str, Any]],
) -> None:
    """Both forms of the card, in ``folder``."""
    names = list(dict.fromkeys(one.structure for one in scores))
    record = {
        "notice": _NOTICE,
        **facts,
        "held_out": {
            "all": _rounded(means(scores)),
            "structures": {name: _rounded(means(scores, name)) for name in names},
            "cases": [asdict(one) for one in scores],
        },
        "epochs": list(epochs),
    }
    text = json.dumps(record, ensure_ascii=False, indent=1)
    (folder / PLAIN).write_text(text + "\n", encoding="utf-8")
    (folder / MARKDOWN).write_text(_markdown(facts, scores, names, epochs), encoding="utf-8")


def _rounded(found: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in found.items()}


def _markdown(
    facts: Mapping[str, Any],
    scores: Sequence[Score],
    names: Sequence[str],
    epochs: Sequence[Mapping[str, Any]],
) -> str:
    lines = [f"# {facts.get('name', '')}", "", _NOTICE, ""]
    lines += [f"- {name}: {_shown(value)}" for name, value in facts.items() if name != "name"]
    lines += [
        "",
        "## 留出病例 Held-out cases",
        "",
        "| structure | cases | Dice | HD95 mm | ASSD mm |",
        "|---|---|---|---|---|",
    ]
    for name in [*names, ""]:
        found = means(scores, name)
        lines.append(
            f"| {name or '**all**'} | {found['cases']:.0f} | {_number(found, 'dice', 4)} | "
            f"{_number(found, 'hd95', 2)} | {_number(found, 'assd', 2)} |"
        )
    lines += [
        "",
        "Distances are those of cases in which both the mask and the answer have the structure.",
        "",
        "## Epochs",
        "",
        "| epoch | loss | voxels right | s |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {one['number']} | {one['loss']:.4f} | {one['right']:.4f} | {one['seconds']:.0f} |"
        for one in epochs
    ]
    return "\n".join(lines) + "\n"


def _number(found: Mapping[str, float], name: str, digits: int) -> str:
    return f"{found[name]:.{digits}f}" if name in found else "–"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "、".join(str(one) for one in value)
    return str(value)
