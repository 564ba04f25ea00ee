"""What tests of several packages share."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"

os.environ.pop("BEDSIDE_CONFIG", None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Data for measurement that is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared/data beside the project")
    return SHARED


@pytest.fixture
def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
