"""CDS Hooks at a steady rate: how long the cards take, and whether any call is lost.

The server is `bedside serve` in a process of its own with a fresh store; this process is the
client, on connections that are kept.  Doctors open one chart after another: each visit is a chart
that nobody has sent before (ten invented stays, told apart by ids and a line in each note),
opened, a note opened, some orders selected, signed, and the note saved, with the whole prefetch
each time and a token of its own, signed with ES384.  Calls go out by the clock whether or not the
ones before were answered, and a call's time is counted from when it was due.

    python -m bench.hooks --rate 200 --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.hook_calls import ISSUER, VISIT, Call, Client, plan
from bench.machine import describe

CONNECTIONS = 64
VISITS = 20
"""That warm the server."""
SETTLES = 5.0
"""Seconds for what goes on behind the answers of the warming visit."""
READY = "of the hooks is ready"
"""What the log says of each process that answers hooks."""
PATIENCE = 20.0
"""Seconds after which a call that has no answer is lost."""


@dataclass
class Outcome:
    """What became of all calls."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    cards: int = 0
    events: int = 0


async def drive(calls: list[Call], port: int) -> Outcome:
    """Send all calls when they are due and wait for their answers."""
    outcome = Outcome()
    queue: asyncio.Queue[tuple[Call, float]] = asyncio.Queue()
    workers = [asyncio.create_task(_connection(queue, port, outcome)) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for call in calls:
        wait = began + call.due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        queue.put_nowait((call, began + call.due))
    with_patience = asyncio.wait_for(queue.join(), PATIENCE)
    try:
        await with_patience
    except TimeoutError:
        outcome.statuses["lost"] += len(calls) - sum(outcome.statuses.values())
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    return outcome


async def _connection(
    queue: asyncio.Queue[tuple[Call, float]], port: int, outcome: Outcome
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        call, due = await queue.get()
        try:
            async with asyncio.timeout(PATIENCE):
                status, body = await _ask(reader, writer, call, port)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            outcome.statuses["lost"] += 1
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        else:
            outcome.seconds.append(time.perf_counter() - due)
            outcome.statuses[str(status)] += 1
            outcome.cards += body.count(b'"uuid"') if status == 200 else 0
            outcome.events += status == 200 and call.service == "bedside-note-save"
        queue.task_done()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: Call, port: int
) -> tuple[int, bytes]:
    """(status, body) over a connection that stays open."""
    length = len(call.head) + len(call.prefetch) + 1
    lines = (
        f"POST /cds-services/{call.service} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {call.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    writer.writelines([lines.encode(), call.head, call.prefetch, b"}"])
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lower = head.lower()
    at = lower.index(b"content-length:") + 15
    size = int(lower[at : lower.index(b"\r\n", at)])
    return status, await reader.readexactly(size)


def serve(home: Path, port: int, key: dict[str, Any], processes: int) -> subprocess.Popen[bytes]:
    """`bedside serve` over ``home``; its log is ``server.log`` there."""
    told = ", ".join(f"{name} = {json.dumps(value)}" for name, value in key.items())
    (home / "bedside.toml").write_text(
        f'home = "{home}"\nport = {port}\nencoder = "hashing"\n'
        '[engines.demo]\nkind = "echo"\ndemo_only = true\n'
        f'[hooks]\nprocesses = {processes}\nbase_url = "http://127.0.0.1:{port}"\n'
        f'[[hooks.clients]]\nname = "emr"\nissuer = "{ISSUER}"\nkeys = [{{ {told} }}]\n',
        encoding="utf-8",
    )
    log = (home / "server.log").open("wb")
    return subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", "serve"],
        cwd=home,
        stdout=log,
        stderr=log,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )


def wait_for(port: int, process: subprocess.Popen[bytes], home: Path, processes: int) -> None:
    """Until the server answers, and all its processes do.  Raises `RuntimeError`."""
    for _ in range(3000):
        if process.poll() is not None:
            break
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0 and logged(home, READY) >= processes:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not start; see server.log")


def kept_in(home: Path) -> dict[str, int]:
    """What the store says of the calls; opened behind the server's end."""
    with sqlite3.connect(home / "bedside.db") as database:
        count = database.execute("SELECT count(*) FROM audit WHERE action LIKE 'hook.%'").fetchone()
        events = database.execute("SELECT count(*) FROM record_events").fetchone()
    database.close()
    return {"calls_in_audit": count[0], "events_kept": events[0]}


async def warm(port: int, client: Client, home: Path) -> None:
    """Ask until rules and vocabulary are read: a server is started long before its first doctor."""
    for number in range(120):
        before = late_in(home)
        calls = plan(1, 1, seed=number, first=1_000_000 + number)
        client.sign(calls)
        outcome = await drive(calls, port)
        if outcome.statuses["200"] and late_in(home) == before and outcome.seconds[0] < 0.3:
            break
        await asyncio.sleep(0.5)
    # Whole visits, as the first note that is saved has the tables of quality control read; enough
    # of them for each process to have one.
    calls = plan(len(VISIT) * VISITS, 1, seed=1_000, first=2_000_000)
    client.sign(calls)
    await drive(calls, port)
    await asyncio.sleep(SETTLES)


def late_in(home: Path) -> int:
    """Calls that were answered before their rules were."""
    return logged(home, "alerts took longer")


def logged(home: Path, words: str) -> int:
    """How often the server's log has some words."""
    return (home / "server.log").read_text("utf-8", "replace").count(words)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and of all below it that still live."""
    used: dict[int, float] = {}
    above: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        one = int(stat.parent.name)
        above[one] = int(parts[1])
        used[one] = (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    total, wave = 0.0, {pid}
    while wave:
        total += sum(used.get(one, 0.0) for one in wave)
        wave = {one for one, parent in above.items() if parent in wave}
    return total


def measure(rate: float, seconds: float, seed: int, home: Path, processes: int) -> dict[str, Any]:
    """Run it; the figures."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = int(door.getsockname()[1])
    client = Client(f"http://127.0.0.1:{port}")
    calls = plan(rate, seconds, seed)
    process = serve(home, port, client.jwk(), processes)
    try:
        wait_for(port, process, home, processes)
        asyncio.run(warm(port, client, home))
        client.sign(calls)
        asked, late = kept_in(home), late_in(home)
        before, own = cpu_seconds(process.pid), time.process_time()
        began = time.perf_counter()
        outcome = asyncio.run(drive(calls, port))
        took = time.perf_counter() - began
        used = cpu_seconds(process.pid) - before
        own = time.process_time() - own
    finally:
        process.terminate()
        process.wait(60)
    kept = {name: count - asked[name] for name, count in kept_in(home).items()}
    times = sorted(outcome.seconds) or [float("nan")]
    return {
        "rate": rate,
        "processes": processes,
        "seconds": round(took, 1),
        "calls": len(calls),
        "visits": len(calls) // len(VISIT),
        "answers": dict(outcome.statuses),
        "cards": outcome.cards,
        **{f"p{p}_ms": round(times[int(len(times) * p / 100)] * 1e3, 1) for p in (50, 95, 99)},
        "max_ms": round(times[-1] * 1e3, 1),
        "without_rules": late_in(home) - late,
        "server_cores": round(used / took, 2),
        "server_ms_a_call": round(used / len(calls) * 1e3, 2),
        "client_cores": round(own / took, 2),
        **kept,
        "events_sent": outcome.events,
    }


def main() -> int:
    """Run from the command line; prints one JSON line, exit status 1 where the aim is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="`hooks.processes`")
    parser.add_argument("--home", type=Path, help="Where the server's files stay; else removed.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        found = measure(given.rate, given.seconds, given.seed, home, given.processes)
    print(json.dumps({**found, "machine": describe()}, ensure_ascii=False))
    fine = found["answers"] == {"200": found["calls"]} == {"200": found["calls_in_audit"]}
    return 0 if fine and found["p95_ms"] <= 300 else 1


if __name__ == "__main__":
    sys.exit(main())
