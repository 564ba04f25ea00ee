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


# What keeps one worker busy for long, longest first: begun last, it would leave the others idle.
LONG = (
    "browser",
    "assistant/api/test_schema.py",
    "serving/test_chat_model.py",
    "assistant/interop/test_every_route.py",
    "assistant/test_kb_entries_command.py",
    "assistant/test_cli.py",
    "assistant/test_model_commands.py",
    "assistant/test_structure_command.py",
    "assistant/tasks/radiomics/cohort/test_nested.py",
    "assistant/tasks/perfusion/test_perfusion_outcome.py",
    "assistant/tasks/differential/test_curated.py",
    "assistant/work/test_jobs.py",
    "assistant/work/test_replicas.py",
    "assistant/tasks/radiomics/filters/test_filtered_features.py",
    "serving/ir/test_decoder.py",
    "serving/ir/test_tokenizer.py",
    "serving/ir/test_runtime_graph.py",
    "serving/engines/openvino/test_sequential_pipeline.py",
    "eval/commands/test_clinical_sets.py",
    "eval/clinical/checker/test_measure.py",
    "bench/test_findings.py",
    "knowledge/coding/test_normalization.py",
    "knowledge/text/test_extraction.py",
)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        # It would begin with the files of the most tests, which are quick ones.
        config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers a file stays on one, and so do all tests that share a browser; what
    takes long begins first."""
    if WORKER not in os.environ:
        return
    places = {name: place for place, name in enumerate(LONG)}
    groups: dict[pytest.Item, str] = {}
    for item in items:
        file = item.path.relative_to(Path(__file__).parent).as_posix()
        groups[item] = "browser" if item.get_closest_marker("browser") else file
        item.add_marker(pytest.mark.xdist_group(groups[item]))
    items.sort(key=lambda item: places.get(groups[item], len(LONG)))


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
