"""A PostgreSQL server for the time of the tests: on a socket file, without a password."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

DEBIAN = Path("/usr/lib/postgresql")
USER = "bedside"
PATIENCE_S = 60.0
# Nothing here has to survive a power cut.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: on the path, or the newest of Debian's."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = [folder for folder in DEBIAN.glob("*/bin") if (folder / "initdb").exists()]
    return max(installed, key=lambda folder: float(folder.parent.name), default=None)


@dataclass
class PostgresqlServer:
    """A running server; every test takes a database of its own."""

    socket_folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """Create an empty database and return its address."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}@/{database}?host={self.socket_folder}"


@contextmanager
def running(folder_of_programs: Path) -> Iterator[PostgresqlServer]:
    """A new cluster in a folder of its own; both are gone afterwards."""
    # Not under pytest's folders: other users may not enter those, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="bedside-pg-"))
    owner = _unprivileged(folder)
    data = folder / "data"
    server = PostgresqlServer(folder)
    try:
        _initialise(folder_of_programs, data, owner)
        with _process(folder_of_programs, data, folder, owner) as process:
            _wait_until_ready(server, process, folder / "log")
            yield server
    finally:
        shutil.rmtree(folder)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses to be started by root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}


def _initialise(folder_of_programs: Path, data: Path, owner: dict[str, Any]) -> None:
    command = [str(folder_of_programs / "initdb"), "-D", str(data), "-U", USER, "-A", "trust"]
    subprocess.run(
        [*command, "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        **owner,
    )


@contextmanager
def _process(
    folder_of_programs: Path, data: Path, folder: Path, owner: dict[str, Any]
) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(folder_of_programs / "postgres"), "-D", str(data), "-k", str(folder), "-h", ""]
    settings = [word for setting in QUICK for word in ("-c", setting)]
    if setpriv := shutil.which("setpriv"):
        # A test run that is killed takes its server along.
        command = [setpriv, "--pdeathsig", "INT", *command]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, *settings], stdout=log, stderr=log, **owner)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # "fast": open connections are cut
        process.wait(PATIENCE_S)


def _wait_until_ready(
    server: PostgresqlServer, process: subprocess.Popen[bytes], log: Path
) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            psycopg.connect(server.address("postgres")).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
