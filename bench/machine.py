"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from serving.hardware import cpu


def describe() -> dict[str, str | int]:
    """CPU model, cores, and the commit of the code."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    ).stdout.strip()
    return {
        "cpu": cpu.model_name() or platform.processor(),
        "cores": os.cpu_count() or 0,
        "commit": commit or "unknown",
    }
