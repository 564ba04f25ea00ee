"""Numbers, times and regimens that were once read wrongly, each with what a note says.

``open_cases.jsonl`` has one text a line: ``want`` are entities (words, then attributes; ``time`` is
the date), ``relations`` are subject, predicate and object, ``never`` stands nowhere in the output.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.tasks.structuring.entity import Entity
from assistant.tasks.structuring.opening import open_recognizer, open_structurer
from assistant.tasks.structuring.pipeline import NoteText, Structurer

CASES = Path(__file__).parents[3] / "data" / "structuring" / "open_cases.jsonl"
ROWS = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def structurer(tmp_path_factory: pytest.TempPathFactory) -> Structurer:
    home = tmp_path_factory.mktemp("home")
    return open_structurer(None, home, open_recognizer(home))


def attribute(entity: Entity, name: str) -> Any:
    if name == "time":
        return entity.time.value if entity.time else None
    if name == "time_text":
        return entity.time.text if entity.time else None
    return getattr(entity, name)


@pytest.mark.parametrize("case", ROWS, ids=lambda case: str(case["id"]))
def test_a_note_says_what_it_says(structurer: Structurer, case: dict[str, Any]) -> None:
    note = structurer.structure(NoteText("n", case["text"], written_at=datetime(2026, 3, 10)))
    for wanted in case["want"]:
        words = wanted.pop("text")
        same = [e for e in note.entities if e.text == words]
        found = (same or [e for e in note.entities if words in e.text])[:1]
        assert found, f"{words} is not among {[e.text for e in note.entities]}"
        assert {name: attribute(found[0], name) for name in wanted} == wanted, words
    told = {(r.subject.text, r.predicate, r.object.text) for r in note.relations}
    for subject, predicate, words in case.get("relations", []):
        assert any(subject in s and (p, o) == (predicate, words) for s, p, o in told), told
    for words in case.get("never", []):
        assert words not in note.model_dump_json()
