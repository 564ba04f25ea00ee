"""Notes that are saved are read beside the hooks: late ones, many at once, the same one again."""

from __future__ import annotations

import ast
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from fhir_standin import call, prefetch
from starlette.testclient import TestClient

from assistant.alerts.alert import Alert, AlertSource
from assistant.alerts.rule import Sample
from assistant.alerts.sample import encounter_of
from assistant.interop.hooks import saved_notes
from assistant.interop.hooks.note_process import NoteProcess
from assistant.interop.hooks.saved_notes import SavedNotes

STAY = ("pat-1", "enc-1")


def alert(key: str) -> Alert:
    return Alert(
        id=key,
        rule="qc.test",
        title="质控",
        severity="info",
        message=f"发现{key}",
        settle="请核对",
        source=AlertSource(name="规则", year=2026),
        key=key,
    )


class Gate:
    """Work that begins when it is let through."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun, self.open = threading.Event(), threading.Event()

    def work(self, name: str) -> Callable[[], list[Alert]]:
        def run() -> list[Alert]:
            self.begun.set()
            self.open.wait(60)
            self.done.append(name)
            return [alert(name)]

        return run


@pytest.fixture
def notes() -> Iterator[SavedNotes]:
    found = SavedNotes()
    yield found
    found.close()


def keys(answer: Future[list[Alert]]) -> list[str]:
    return [one.key for one in answer.result(60)]


def test_the_last_save_of_a_note_counts_and_the_newest_is_read_first(notes: SavedNotes) -> None:
    gate = Gate()
    first = notes.ask(STAY, "n1", gate.work("n1 first"))
    assert gate.begun.wait(60)
    old = notes.ask(STAY, "n2", gate.work("n2 old"))
    other = notes.ask(("pat-2", "e"), "n2", gate.work("other"))
    new = notes.ask(STAY, "n2", gate.work("n2 new"))
    gate.open.set()
    assert [keys(one) for one in (first, old, other, new)] == [
        ["n1 first"],
        [],
        ["other"],
        ["n2 new"],
    ]
    assert gate.done == ["n1 first", "n2 new", "other"]


def test_of_too_many_the_oldest_are_left_out(
    notes: SavedNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_notes, "MOST_WAITING", 3)
    gate = Gate()
    asked = [notes.ask(STAY, "n0", gate.work("n0"))]
    assert gate.begun.wait(60)
    asked += [notes.ask(STAY, f"n{n}", gate.work(f"n{n}")) for n in range(1, 7)]
    gate.open.set()
    assert [len(keys(one)) for one in asked] == [1, 0, 0, 0, 1, 1, 1]


def test_work_that_fails_says_nothing_and_the_end_leaves_nobody_waiting(notes: SavedNotes) -> None:
    def fail() -> list[Alert]:
        raise ValueError

    assert keys(notes.ask(STAY, "n1", fail)) == []
    gate = Gate()
    running = notes.ask(STAY, "n1", gate.work("n1"))
    assert gate.begun.wait(60)
    waiting = notes.ask(STAY, "n2", gate.work("n2"))
    notes.close()
    assert keys(waiting) == []
    gate.open.set()
    assert keys(running) == ["n1"]


def test_what_comes_too_late_comes_with_the_next_hook_of_the_stay(hooks: TestClient) -> None:
    answering = hooks.app.state.hook_answering  # type: ignore[attr-defined]
    released = threading.Event()

    def slow(encounter: object, note_id: str) -> list[Alert]:
        released.wait(60)
        return [alert("late")]

    def topics(service: str, hook: str, **context: str) -> list[str]:
        body = call(hook, prefetch("一般情况可。"), **context)
        cards = hooks.post(f"/cds-services/{service}", json=body).json()["cards"]
        return [card["source"]["topic"]["code"] for card in cards]

    saved = {"noteId": "n9", "noteType": "病程记录", "noteText": "继续观察。"}
    own = answering._parts.settings.hooks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answering, "_said_of", slow)
        patch.setattr(own, "card_seconds", 0.2)
        assert topics("bedside-note-save", "bedside.note-save", **saved) == []
    released.set()
    for _ in range(6_000):
        if answering._saved._late:
            break
        time.sleep(0.01)
    assert answering._saved._late
    sent = ast.literal_eval(str(prefetch("一般情况可。")).replace("pat-1", "pat-2"))
    other = call("patient-view", sent, patientId="pat-2")
    assert hooks.post("/cds-services/bedside-patient-view", json=other).json() == {"cards": []}
    assert topics("bedside-patient-view", "patient-view") == ["qc.test"]
    assert topics("bedside-patient-view", "patient-view") == []


def test_notes_are_read_in_a_process_that_may_be_lost() -> None:
    process = NoteProcess()
    stay = encounter_of(Sample(note="患者李雷，女，60岁。一般情况可。", sex="male"))
    places = ["assistant.tasks.record_qc.saving:alerts_of_note", "no.such:place"]
    found = process.ask(places, stay, "n1", Path("/nowhere"))
    assert "qc.wrong_sex" in {one.rule for one in found}
    lost = process._process
    assert lost is not None
    assert lost.pid is not None
    os.kill(lost.pid, signal.SIGKILL)
    lost.join()
    assert process.ask(places, stay, "n1", Path("/nowhere")) == found
    assert process._process is not lost
