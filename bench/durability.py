"""Kills a writing process again and again, and checks that nothing acknowledged is lost.

A child process writes requests, drafts, resolutions, feedback and signatures from several threads,
and prints a line for each once the store has returned.  It is killed with SIGKILL at a random
moment, start and migration included.  Then the database is opened again: every printed object must
be there with its content, every draft and feedback must have exactly one audit row that made it,
and the chain must verify.  SIGKILL shows what the program does; only pulling the plug shows what
the disk does.

    python bench/durability.py --kills 50
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import select

from assistant.store import AuditRow, Context, DraftRow, FeedbackRow, RequestRow, Store
from assistant.store.models.draft import ResolutionRow

SECRET = b"only for the durability measurement"
CONTEXT = Context("doctor", "doctor", "patient", "encounter")
WRITERS = 3
LONGEST_LIFE_SECONDS = 0.8


@dataclass
class Report:
    """What a run found; ``faults`` says in words what went wrong."""

    kills: int
    kills_before_first_write: int
    acknowledged: int
    audit_rows: int
    faults: list[str]


def write_forever(database: Path) -> None:
    """The child: write, and print each object's kind, id and mark once it is safe."""
    print("started", flush=True)
    store = Store.open(database, SECRET)
    store.requests.requeue_unfinished()
    for _ in range(WRITERS):
        threading.Thread(target=_write, args=(store,), daemon=True).start()
    while True:
        time.sleep(1)


def _write(store: Store) -> None:
    while True:
        mark = f"{os.getpid()}-{random.getrandbits(64):x}"
        request = store.requests.submit(
            CONTEXT, "discharge_record", {"text": mark}, "hash", idempotency_key=mark
        )
        _acknowledge("request", request.id, mark)
        store.requests.claim(request.id)
        for section in ("出院诊断", "诊疗经过"):
            draft = store.drafts.add(
                CONTEXT,
                request.id,
                "discharge_record",
                "member",
                section,
                {"text": mark},
                record_hash="hash",
                model="model",
                prompt_version="1",
                knowledge_version="1",
            )
            _acknowledge("draft", draft.id, mark)
        resolution = store.drafts.resolve_statement(CONTEXT, draft.id, "1", "edited", mark)
        _acknowledge("resolution", resolution.id, mark)
        feedback = store.feedback.add(CONTEXT, draft.id, "error", comment=mark)
        _acknowledge("feedback", feedback.id, mark)
        store.drafts.sign(CONTEXT, draft.id, mark)
        _acknowledge("signature", draft.id, mark)
        store.requests.finish(request.id)
        _acknowledge("finish", request.id, mark)


def _acknowledge(kind: str, object_id: str, mark: str) -> None:
    os.write(1, f"{kind} {object_id} {mark}\n".encode())


def kill_once(database: Path, life: float) -> list[tuple[str, str, str]]:
    """Let a child live for ``life`` seconds; gives what it acknowledged before SIGKILL."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.durability", "--write", str(database)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
    )
    assert child.stdout is not None
    if child.stdout.readline() != "started\n":
        raise RuntimeError("the writing process did not start")
    time.sleep(life)
    child.send_signal(signal.SIGKILL)
    lines = [line.split() for line in child.stdout.read().splitlines()]
    if child.wait() != -signal.SIGKILL:
        raise RuntimeError("the writing process ended before it was killed")
    return [(kind, object_id, mark) for kind, object_id, mark in lines]


def faults_in(database: Path, acknowledged: list[tuple[str, str, str]]) -> list[str]:
    """Open the database again and say what is missing, doubled or changed."""
    store = Store.open(database, SECRET)
    try:
        with store.database.read() as session:
            requests = {row.id: row for row in session.scalars(select(RequestRow))}
            drafts = {row.id: row for row in session.scalars(select(DraftRow))}
            feedback = {row.id: row.comment for row in session.scalars(select(FeedbackRow))}
            resolutions = {row.id: row.text for row in session.scalars(select(ResolutionRow))}
            made = Counter(
                session.scalars(
                    select(AuditRow.object_id).where(
                        AuditRow.action.in_(("request.submit", "draft.add", "feedback.add"))
                    )
                )
            )
        found: dict[str, dict[str, str | None]] = {
            "request": {row.id: row.payload["text"] for row in requests.values()},
            "draft": {row.id: row.content["text"] for row in drafts.values()},
            "resolution": resolutions,
            "feedback": feedback,
            "signature": {row.id: row.signed_text for row in drafts.values()},
            "finish": {
                row.id: row.payload["text"] for row in requests.values() if row.status == "finished"
            },
        }
        faults = [
            f"{kind} {object_id} is missing or changed"
            for kind, object_id, mark in acknowledged
            if found[kind].get(object_id) != mark
        ]
        if made != Counter([*requests, *drafts, *feedback]):
            faults.append("objects and their audit rows do not match one to one")
        report = store.audit.verify()
        if not report.ok:
            faults.append(f"audit row {report.first_bad_seq}: {report.reason}")
        return faults
    finally:
        store.close()


def run(folder: Path, kills: int, seed: int) -> Report:
    """Kill ``kills`` writers on one database in ``folder``, checking after each."""
    database = folder / "durability.db"
    chance = random.Random(seed)
    acknowledged: list[tuple[str, str, str]] = []
    report = Report(kills, 0, 0, 0, [])
    for _ in range(kills):
        answers = kill_once(database, LONGEST_LIFE_SECONDS * chance.random() ** 2)
        report.kills_before_first_write += not answers
        acknowledged += answers
        report.faults += faults_in(database, acknowledged)
        if report.faults:
            break
    report.acknowledged = len(acknowledged)
    store = Store.open(database, SECRET)
    report.audit_rows = store.audit.verify().rows
    store.close()
    return report


def main() -> int:
    """Run from the command line; prints one JSON line, exit status 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write is not None:
        write_forever(arguments.write)
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), arguments.kills, arguments.seed)
    print(json.dumps(asdict(report), ensure_ascii=False))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
