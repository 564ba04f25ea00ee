"""An index of a few made-up notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from assistant.record_index.access import Caller
from assistant.record_index.entries import entries_of
from assistant.record_index.index import NoteToIndex, add_notes
from assistant.store import Context, Store
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.pipeline import Structurer

SECRET = b"a secret that only the tests use"
ACTOR = Context.operator("tester")

# (patient, note, group, day, text)
NOTES = (
    ("p1", "n1", "", "2025-05-01",
     "患者王建国，男。诊断：右肺癌。EGFR 19del突变（+）。未见胸腔积液。肌酐 135umol/L。"),
    ("p2", "n1", "", "2025-06-01", "诊断：肺癌。EGFR阳性。双侧胸腔积液。血肌酐 1.5mg/dL。发热。"),
    ("p3", "n1", "呼吸科", "2025-07-01", "诊断：左肺癌。EGFR（+）。肌酐 150umol/L。父亲患高血压。"),
    ("p4", "n1", "", "2024-01-05", "诊断：肺癌。EGFR阴性。肌酐 80umol/L。否认发热。肺栓塞可能。"),
    ("p5", "n1", "", "2025-08-01", "诊断：高血压。尿肌酐 8mmol/L。eGFR 阳性。CEA <0.5ng/ml。"),
    ("p5", "n2", "", "2023-08-01", "咳嗽3天。青霉素过敏。肌酐 90umol/L。"),
)  # fmt: skip


def made(
    structurer: Structurer, patient: str, note: str, group: str, day: str, text: str
) -> NoteToIndex:
    """A note as the loader makes it."""
    written = datetime.fromisoformat(f"{day}T08:00:00")
    structured = structurer.structure(NoteText(id=note, text=text, written_at=written))
    return NoteToIndex(
        patient, note, text, entries_of(structured, text), "", group, "病程", day, "lexicon"
    )


@pytest.fixture(scope="session")
def notes() -> list[NoteToIndex]:
    """`NOTES`, structured by the lexicon alone."""
    structurer = Structurer(None, None, None, None)
    return [made(structurer, *row) for row in NOTES]


def _filled(address: Path | str, notes: list[NoteToIndex]) -> Store:
    store = Store.open(address, SECRET)
    add_notes(store, notes, ACTOR)
    return store


@pytest.fixture
def index(tmp_path: Path, notes: list[NoteToIndex]) -> Iterator[Store]:
    """A store with all notes."""
    store = _filled(tmp_path / "index.db", notes)
    yield store
    store.close()


@pytest.fixture
def filled(notes: list[NoteToIndex]) -> Callable[[Path | str], Store]:
    """What fills a store at an address with all notes."""
    return lambda address: _filled(address, notes)


@pytest.fixture
def doctor() -> Caller:
    """A doctor without a group of their own."""
    return Caller(Context("dr", "doctor", ""), ("",))
