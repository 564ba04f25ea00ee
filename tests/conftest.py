"""What tests of several packages share."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import hypothesis
import pytest

WORKER = "PYTEST_XDIST_WORKER"
if WORKER in os.environ:
    # Before numpy is imported: the workers share the cores, so each computes on one.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

sys.path.append(str(Path(__file__).parent))

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"

os.environ.pop("BEDSIDE_CONFIG", None)

# No example fails for being slow: a busy machine says nothing about the program.
hypothesis.settings.register_profile("bedside", deadline=None)
hypothesis.settings.load_profile("bedside")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers a file stays on one, and so do all tests that share a browser."""
    if WORKER not in os.environ:
        return
    for item in items:
        together = "browser" if item.get_closest_marker("browser") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(together))


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
