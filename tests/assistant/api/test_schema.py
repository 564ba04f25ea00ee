"""Schemathesis against the OpenAPI document of a running server: nothing that it sends gets a 5xx,
and every answer is one that the document names."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from assistant.application import build_app
from assistant.settings import Settings

CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance"
EXAMPLES = "2"
CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
def address(settings: Settings, free_port: int) -> object:
    app = build_app(settings.model_copy(update={"max_waiting": 100_000}), with_ui=False)
    # It is asked for with a limit of ten seconds, and made when it is asked for first.
    app.openapi()
    server = uvicorn.Server(uvicorn.Config(app, port=free_port, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{free_port}"
    server.should_exit = True
    thread.join(30)


def test_no_answer_is_a_5xx_or_undocumented(address: str) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
            *("run", f"{address}/openapi.json"),
            *("--checks", CHECKS, "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", EXAMPLES, "--suppress-health-check", "all"),
            *("--warnings", "off", "--seed", "7", "--request-timeout", "100"),
        ],
        capture_output=True,
        text=True,
        timeout=1_500,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "Test cases" in run.stdout
