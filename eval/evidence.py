"""A run as the evidence for an approval: plain data, with the scores made anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from eval.errors import EvalError
from eval.recorded import Recorded, look

_VERSION = re.compile(r"[a-z_]+/[a-z_0-9]+@[0-9a-f]{8}")
"""How the product names one of its prompts (`prompts.Template.version`)."""


def read_run(folder: Path) -> dict[str, Any]:
    """The run or clinical result that ``folder`` holds.

    ``problem`` is empty for a complete one.  ``prompts`` are the versions of the product's own
    prompts that it was made with, as far as its hashes name any.

    Raises:
        EvalError: it holds none, or one that cannot be read.
    """
    found = look(folder)
    if not found.kind:
        raise EvalError(found.problem)
    common = {
        "name": found.name,
        "folder": str(folder.resolve()),
        "kind": found.kind,
        "samples": found.samples,
        "problem": "somebody is at work on it" if found.running else found.problem,
    }
    return common | (_of_result(found) if found.result is not None else _of_run(found))


def _of_run(found: Recorded) -> dict[str, Any]:
    data = found.summary
    run = data.get("run", {})
    scores = {task["name"]: task["score"] for task in data.get("tasks", ())}
    if data:
        scores["overall"] = data["overall"]["score"]
    return {
        "made": found.made,
        "scores": scores,
        "model": run.get("model", {}),
        "hashes": {key: str(value) for key, value in data.get("hashes", {}).items() if value},
        "versions": run.get("model", {}).get("versions", {}),
        "command": str(run.get("command", "")),
    }


def _of_result(found: Recorded) -> dict[str, Any]:
    result = found.result
    assert result is not None
    return {
        "made": result.made,
        "scores": result.scores,
        "model": result.model,
        "prompts": sorted(set(_VERSION.findall(" ".join(result.hashes.values())))),
        "hashes": result.hashes,
        "versions": result.versions,
        "command": result.command,
    }
