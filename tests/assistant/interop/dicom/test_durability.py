"""What was acknowledged survives a kill, and the study goes on after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml
from dicom_peer import associated, study

from assistant.store import Context, Store

from .conftest import RULE

DOCTOR = Context("doctor-1", "doctor", "pat-1", "enc-1")
SECRET = "0123456789abcdef0123"


def start(home: Path, port: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "BEDSIDE_HOME": str(home),
        "BEDSIDE_SECRET": SECRET,
        "BEDSIDE_ENCODER": "hashing",
        "BEDSIDE_ENGINES": json.dumps({"demo": {"kind": "echo"}}),
        "BEDSIDE_DICOM": json.dumps(
            {
                "port": port,
                "callers": [{"ae_title": "CT01"}],
                "quiet_seconds": 1,
                "min_free_mib": 1,
            }
        ),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", "dicom", "listen"],
        env=environment,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[4],
    )
    ended = time.monotonic() + 60
    while time.monotonic() < ended:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        with associated(port) as association:
            if association.is_established:
                return process
        time.sleep(0.1)
    raise AssertionError("it does not listen")


def kept(home: Path) -> set[str]:
    store = Store.open(home / "bedside.db", SECRET.encode(), contents=home / "attachments")
    try:
        found = set()
        for one in store.attachments.list(DOCTOR):
            for name in store.attachments.files(DOCTOR, one.id):
                assert store.attachments.content(DOCTOR, one.id, name)[0]
                found.add(name)
        return found
    finally:
        store.close()


def test_a_kill_loses_no_acknowledged_instance(
    tmp_path: Path, empty_database: Path, free_port: int
) -> None:
    (tmp_path / "bedside.db").write_bytes(empty_database.read_bytes())
    (tmp_path / "routing.yaml").write_text(yaml.safe_dump({"rules": [RULE]}), "utf-8")
    datasets = study()
    acknowledged = set()
    process = start(tmp_path, free_port)
    try:
        with associated(free_port, datasets=datasets) as association:
            for number, one in enumerate(datasets):
                if number == 4:
                    os.kill(process.pid, signal.SIGKILL)
                status = association.send_c_store(one)
                if "Status" not in status:
                    break
                assert status.Status == 0
                acknowledged.add(one.SOPInstanceUID)
    finally:
        process.kill()
        process.wait(20)
    assert len(acknowledged) >= 4
    assert acknowledged < {one.SOPInstanceUID for one in datasets}
    assert acknowledged <= kept(tmp_path)
    process = start(tmp_path, free_port)
    try:
        with associated(free_port, datasets=datasets) as association:
            assert {association.send_c_store(one).Status for one in datasets} == {0}
        ended = time.monotonic() + 60
        while not list((tmp_path / "dicom").rglob("report.dcm")):
            assert time.monotonic() < ended, "the study does not go on"
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, "a term ends it in order"
    assert kept(tmp_path) >= {one.SOPInstanceUID for one in datasets}
