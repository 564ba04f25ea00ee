"""The task is listed without the libraries that it works with."""

from __future__ import annotations

import subprocess
import sys


def test_task_and_command_import_no_numbers() -> None:
    code = (
        "import sys, assistant.tasks.perfusion.task, assistant.tasks.perfusion.command;"
        "print([m for m in ('numpy', 'scipy', 'numba', 'nibabel', 'pydicom') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
