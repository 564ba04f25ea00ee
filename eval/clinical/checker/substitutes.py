"""Drugs that are taken for one another: classes of names, from ``drugs.yaml``."""

from __future__ import annotations

import re
from importlib.resources import files

import yaml

_FILE = files("eval.clinical") / "data" / "checker" / "drugs.yaml"
CLASSES: tuple[tuple[str, ...], ...] = tuple(
    tuple(names) for names in yaml.safe_load(_FILE.read_text("utf-8"))
)
_CLASS_OF = {name: names for names in CLASSES for name in names}
DRUG = re.compile("|".join(sorted(map(re.escape, _CLASS_OF), key=len, reverse=True)))
"""Finds the names, the longest that fits."""


def alike(drug: str) -> tuple[str, ...]:
    """The other drugs of the class of ``drug``."""
    return tuple(name for name in _CLASS_OF[drug] if name not in drug and drug not in name)
