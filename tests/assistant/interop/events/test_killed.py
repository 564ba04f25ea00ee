"""Killed between an event and its draft: each draft exists once.

BEDSIDE_TEST_KILLS has it killed more often than the few times of every run.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

SERVER = Path(__file__).parents[3] / "event_server.py"
KILLS = int(os.environ.get("BEDSIDE_TEST_KILLS", "3"))
EVENTS = 4


def start(home: Path, how: str, ids: list[str]) -> subprocess.Popen[str]:
    root = SERVER.parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{SERVER.parent}"}
    return subprocess.Popen(
        [sys.executable, str(SERVER), str(home), how, *ids],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        cwd=home,
    )


def test_each_draft_exists_once(tmp_path: Path, empty_database: Path) -> None:
    shutil.copy(empty_database, tmp_path)
    rule = {"id": "count", "events": ["encounter.discharge"], "tasks": ["counting"]}
    (tmp_path / "events.yaml").write_text(yaml.safe_dump([rule]), encoding="utf-8")
    dice = random.Random(7)
    sent: list[str] = []
    for number in range(KILLS):
        sent += [f"e{number}-{n}" for n in range(EVENTS)]
        process = start(tmp_path, "on", sent)
        assert process.stdout is not None
        # Somewhere among the events of this round, or behind them.
        for _ in range(1 + dice.randrange(len(sent) - EVENTS, len(sent) + 1)):
            process.stdout.readline()
        process.kill()
        process.wait()
        process.stdout.close()
    last = start(tmp_path, "finish", sent)
    last.communicate(timeout=120)
    assert last.returncode == 0
    with sqlite3.connect(tmp_path / "bedside.db") as database:
        drafts = database.execute("SELECT patient_id, section FROM drafts").fetchall()
        requests = database.execute("SELECT patient_id, status FROM requests").fetchall()
    database.close()
    wanted = {(f"pat-{key}", what) for key in sent for what in ("notes", "diagnoses")}
    assert Counter(drafts) == Counter(wanted)
    assert Counter(requests) == Counter((f"pat-{key}", "finished") for key in sent)
