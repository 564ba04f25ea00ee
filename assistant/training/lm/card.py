"""The model card of an adapter: on what it was trained, how, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from assistant.training.lm.run import Trained
from assistant.training.lm.settings import LmSettings
from assistant.whole_file import whole

FACTS_FILE = "training.json"


def write(
    made: Trained, settings: LmSettings, data: Mapping[str, Any], base: Mapping[str, Any]
) -> None:
    """``README.md`` and ``training.json`` beside the adapter.

    ``data``: what was read (files, hashes, lines, licences, what was left out); ``base``: its name,
    fingerprint, numbers.
    """
    facts = {
        "base": dict(base),
        "data": dict(data),
        "settings": asdict(settings),
        "steps": made.steps,
        "tokens": made.tokens,
        "seconds": round(made.seconds, 1),
        "held_out_loss": {"before": round(made.before, 4), "after": round(made.after, 4)},
        "losses": list(made.losses),
    }
    with whole(made.folder / FACTS_FILE) as partial:
        partial.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")
    with whole(made.folder / "README.md") as partial:
        partial.write_text(_markdown(made, settings, data, base), encoding="utf-8")


def _markdown(
    made: Trained, settings: LmSettings, data: Mapping[str, Any], base: Mapping[str, Any]
) -> str:
    lines = [
        "---",
        f"base_model: {base['name']}",
        "library_name: peft",
        "---",
        "",
        f"# {made.folder.resolve().name}",
        "",
        "适配器，须与其底座合并或加载后使用；未经本院评测与批准，仅供演示。",
        "",
        "An adapter of its base; for demonstration alone until the hospital has evaluated and "
        "approved it.",
        "",
        "| | |",
        "|---|---|",
        f"| base | {base['name']} (`{base['fingerprint'][:16]}`) |",
        f"| method | {settings.method}, LoRA rank {settings.rank}, alpha {settings.alpha:g}, "
        f"{', '.join(settings.targets)} |",
        f"| lines | {data['lines']} trained on, {data['held']} held out, "
        f"{data['overlapping']} left out as they share text with an evaluation set |",
        f"| steps, tokens | {made.steps}, {made.tokens:,} |",
        f"| loss on the lines held out | {made.before:.4f} → {made.after:.4f} |",
        f"| numbers, seed | {base['numbers']}, {settings.seed} |",
        "",
        "## Data",
        "",
        "| file | SHA-256 | de-identified | licence |",
        "|---|---|---|---|",
        *(
            f"| {one['name']} | `{one['sha256'][:16]}` | {one['deidentified']} | {one['licence']} |"
            for one in data["files"]
        ),
        "",
        "## Use",
        "",
        "```",
        "bedside model convert BASE --adapter THIS_FOLDER --out DIR",
        "bedside eval run --data SET --folder DIR --out runs/after",
        "```",
    ]
    return "\n".join(lines) + "\n"
