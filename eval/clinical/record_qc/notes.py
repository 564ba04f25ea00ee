"""The marks on real notes, each a stay of its own: nobody says which are right, only how many."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from assistant.record.note import Note
from assistant.record.patient import Patient
from assistant.tasks.record_qc.record import CheckedEncounter
from eval.clinical.record_qc.measure import Inspector
from eval.clinical.result import Table


def note_marks(
    path: Path, limit: int, inspector: Inspector, read: Callable[[], None] = lambda: None
) -> Table:
    """How many marks of each kind the first ``limit`` notes get."""
    counts: Counter[str] = Counter()
    notes = 0
    for encounter in encounters(path, limit):
        counts.update(mark.kind for mark in inspector.marks(encounter))
        notes += 1
        read()
    rows = [[kind, str(n), f"{n / notes:.3f}"] for kind, n in counts.most_common()]
    rows.append(
        ["合计 all", str(sum(counts.values())), f"{sum(counts.values()) / max(1, notes):.3f}"]
    )
    return Table(
        title=f"真实病历 {notes} 份上的标记 Marks on {notes} real notes",
        columns=["类型 kind", "n", "每份 a note"],
        rows=rows,
    )


def encounters(path: Path, limit: int) -> Iterator[CheckedEncounter]:
    """Each note as an encounter of one free text."""
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as lines
    ):
        for number, line in enumerate(lines):
            if number >= limit:
                return
            note = Note(id="text", kind="other", text=json.loads(line)["text"])
            yield CheckedEncounter(
                id=f"note-{number}", patient=Patient(id=f"pat-{number}"), notes=[note]
            )
