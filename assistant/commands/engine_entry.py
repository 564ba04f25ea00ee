"""What is to be written in ``bedside.toml`` for a model to be served."""

from __future__ import annotations

import json
import re


def lines(name: str, model: str) -> str:
    """The table of an engine ``name`` that serves ``model`` (a name of the catalogue, a folder)."""
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
    return f"[engines.{key}]\nmodel = {json.dumps(model, ensure_ascii=False)}"
