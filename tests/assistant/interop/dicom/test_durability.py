"""What was acknowledged survives a kill, and the study goes on after it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dicom_peer import associated, send, study
from pydantic import SecretStr
from typer.testing import CliRunner

from assistant.interop.dicom import reception
from assistant.interop.dicom.command import app
from assistant.interop.dicom.listening import CannotListen
from assistant.settings import Settings
from assistant.store import Context, Store

from .conftest import closed, opened, write_rules

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


async def test_a_kill_loses_no_acknowledged_instance(
    dicom_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "LOOK_SECONDS", 0.05)
    home, port = dicom_settings.home, dicom_settings.dicom.port
    dicom_settings.secret = SecretStr(SECRET)
    datasets = study()
    acknowledged = set()
    process = start(home, port)
    try:
        with associated(port, datasets=datasets) as association:
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
    everything = {one.SOPInstanceUID for one in datasets}
    assert acknowledged < everything
    assert acknowledged <= kept(home)
    # What becomes of a study is the matter of another test.
    write_rules(home)
    desk = await opened(dicom_settings)
    try:
        assert set(await asyncio.to_thread(send, desk.port, datasets)) == {0}
        row = await desk.until("done")
        assert [one["instances"] for one in row.series.values()] == [8, 1]
    finally:
        await closed(desk)
    assert kept(home) >= everything


def test_it_does_not_begin_without_a_list_of_senders(tmp_path: Path) -> None:
    told = CliRunner().invoke(
        app, ["listen"], env={"BEDSIDE_HOME": str(tmp_path), "BEDSIDE_ENCODER": "hashing"}
    )
    assert isinstance(told.exception, CannotListen)
    assert "callers" in str(told.exception)
