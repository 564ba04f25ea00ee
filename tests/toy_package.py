"""The package of the toy task, as if it were installed."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint
from pathlib import Path

from assistant.work.registry import GROUP

TESTS = Path(__file__).parent
POINT = EntryPoint(name="toy", value="toy_task.task:Toy", group=GROUP)


def installed_beside(site: Path) -> dict[str, str]:
    """Where a package that brings the task is installed, as the environment of a process."""
    metadata = site / "toy_task-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-task\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{POINT.name} = {POINT.value}\n")
    return {"PYTHONPATH": os.pathsep.join(map(str, (site, TESTS, TESTS.parent)))}
