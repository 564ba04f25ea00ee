"""What was measured on this processor, kept for the next time: by processor, OpenVINO, subject."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import platformdirs

from serving.hardware import cpu

_log = logging.getLogger("bedside.serving.measured")


def folder() -> Path:
    """Where such files are kept: ``BEDSIDE_HOME``, or where bedside keeps its data."""
    return Path(os.environ.get("BEDSIDE_HOME") or platformdirs.user_data_dir("bedside"))


def key(*subject: str) -> str:
    """What a choice for ``subject`` (such as a model's digest) is remembered by."""
    facts = (*subject, cpu.model_name(), *sorted(cpu.flags()), version("openvino"))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]


def read(kept: Path) -> Mapping[str, Any]:
    """Every choice in the file; none where it cannot be read."""
    try:
        value = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def keep(kept: Path, name: str, chosen: str) -> None:
    """Write one choice beside the others; a folder that takes no files costs a measurement only."""
    text = json.dumps({**read(kept), name: chosen}, indent=1) + "\n"
    fresh = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(kept)
    except OSError as error:
        _log.info("what was measured cannot be kept: %s", error.strerror)
