"""Killed between an event and its draft: each draft exists once.

BEDSIDE_TEST_KILLS has it killed more often than the few times of every run.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import yaml
from event_server import start

KILLS = int(os.environ.get("BEDSIDE_TEST_KILLS", "5"))
EVENTS = 4
AGAIN = 40
"""So many events of before are sent again each time; at the end, all."""


def test_each_draft_exists_once(tmp_path: Path, empty_database: Path) -> None:
    shutil.copy(empty_database, tmp_path)
    rule = {"id": "count", "events": ["encounter.discharge"], "tasks": ["counting"]}
    (tmp_path / "events.yaml").write_text(yaml.safe_dump([rule]), encoding="utf-8")
    dice = random.Random(7)
    sent: list[str] = []
    for number in range(KILLS):
        old = sent[-AGAIN:]
        new = [f"e{number}-{n}" for n in range(EVENTS)]
        sent += new
        process, told = start(tmp_path, [*old, *new])
        # Somewhere among the events of this round, or behind them.
        for _ in range(len(old) + dice.randrange(EVENTS + 1)):
            told.recv()
        process.kill()
        process.join()
        assert process.exitcode == -9
        told.close()
    last, _ = start(tmp_path, sent, until_done=True)
    last.join(300)
    assert last.exitcode == 0
    with sqlite3.connect(tmp_path / "bedside.db") as database:
        drafts = database.execute("SELECT patient_id, section FROM drafts").fetchall()
        requests = database.execute("SELECT patient_id, status FROM requests").fetchall()
    database.close()
    wanted = {(f"pat-{key}", what) for key in sent for what in ("notes", "diagnoses")}
    assert Counter(drafts) == Counter(wanted)
    assert Counter(requests) == Counter((f"pat-{key}", "finished") for key in sent)
