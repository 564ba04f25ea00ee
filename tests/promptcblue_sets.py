"""Small sets of our own in the form of PromptCBLUE, and a grammar read as a regular expression."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from eval.promptcblue.prediction import Prediction
from eval.promptcblue.sample import Sample, read_samples
from eval.promptcblue.tracks import Track

FOLDER = Path(__file__).parent / "data" / "promptcblue"

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|[()|?*+]|[a-z]\w*|\s+')


def gold(track: Track) -> list[Sample]:
    """Samples of every task of the track."""
    needs = {name: task.needs_choices for name, task in track.tasks.items()}
    return read_samples(gold_path(track), needs)


def gold_path(track: Track) -> Path:
    """Where `gold` stands."""
    return FOLDER / f"gold_{track.name}.jsonl"


def noisy(track: Track) -> list[dict[str, Any]]:
    """Answers by sample id, with what the track's own scorer gave for them."""
    sets: list[dict[str, Any]] = json.loads(
        (FOLDER / f"noisy_{track.name}.json").read_text("utf-8")
    )
    return sets


def answers(samples: list[Sample], texts: dict[str, str] | None = None) -> list[Prediction]:
    """``texts`` as predictions; without them, the targets."""
    return [
        Prediction(
            s.sample_id,
            s.target if texts is None else texts[s.sample_id],
            s.task_dataset,
            s.answer_choices,
        )
        for s in samples
        if texts is None or s.sample_id in texts
    ]


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """``rows`` as JSON lines."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def as_pattern(grammar: str, depth: int = 3) -> re.Pattern[str]:
    """A grammar as a regular expression; a rule stands in itself at most ``depth`` times."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.split("\n"))

    def pattern(body: str, within: tuple[str, ...]) -> str:
        out = []
        place = 0
        for match in _TOKEN.finditer(body):
            assert match.start() == place, f"not a token: {body[place:][:20]!r}"
            place = match.end()
            token = match.group()
            if token[0] == '"':
                out.append(f"(?:{re.escape(json.loads(token))})")
            elif token == "(":
                out.append("(?:")
            elif token[0].isalpha():
                deep = within.count(token) > depth
                inner = "(?!)" if deep else pattern(rules[token], (*within, token))
                out.append(f"(?:{inner})")
            elif not token.isspace():
                out.append(token)
        assert place == len(body)
        return "".join(out)

    return re.compile(pattern(rules["root"], ()))
