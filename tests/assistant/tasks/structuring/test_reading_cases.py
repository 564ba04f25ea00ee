"""How whole notes read with what ships: lexicon and model together, case by case.

``reading_cases.tsv`` has one text a line, then what must be in it, each as its words and marks.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.tasks.structuring.entity import Entity
from assistant.tasks.structuring.export import quantity
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.opening import open_recognizer, open_structurer
from assistant.tasks.structuring.pipeline import Structurer

CASES = Path(__file__).parents[3] / "data" / "structuring" / "reading_cases.tsv"
ROWS = [
    line.split("\t")
    for line in CASES.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture(scope="module")
def structurer(tmp_path_factory: pytest.TempPathFactory) -> Structurer:
    home = tmp_path_factory.mktemp("home")
    return open_structurer(None, home, open_recognizer(home))


def marks(entity: Entity) -> dict[str, bool]:
    return {
        "+": entity.polarity == "present",
        "-": entity.polarity == "absent",
        "?": entity.certainty == "uncertain",
        "P": entity.temporality == "past",
        "C": entity.temporality == "current",
        "H": entity.temporality == "hypothetical",
        "F": entity.subject != "patient",
        "A": entity.allergen,
        "N": not entity.allergen,
    }


@pytest.mark.parametrize(("text", "wanted"), [(row[0], row[1:]) for row in ROWS])
def test_a_note_is_read_as_it_is_meant(
    structurer: Structurer, text: str, wanted: list[str]
) -> None:
    entities = structurer.structure(NoteText("n", text)).entities
    assert all(text[e.start : e.end] == e.text for e in entities)
    for item in wanted:
        words, _, said = item.partition(" ")
        same = [e for e in entities if e.text == words]
        if said == "X":
            assert not same, item
            continue
        found = same or [e for e in entities if words in e.text]
        assert found, f"{words} is not among {[e.text for e in entities]}"
        flags, equals, value = said.partition("=")
        known = marks(found[0])
        assert [flag for flag in flags if not known[flag]] == [], (item, found[0])
        if equals:
            assert quantity(found[0]) == value.replace(" ", ""), item
