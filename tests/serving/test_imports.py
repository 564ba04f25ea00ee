"""No module of ``serving`` needs one that needs it, not even by an import within a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_go_one_way() -> None:
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "serving").rglob("*.py")
    }
    needs = {
        name: (set(named(path.read_text(encoding="utf-8"))) & paths.keys()) - {name}
        for name, path in paths.items()
    }
    assert len(list(TopologicalSorter(needs).static_order())) == len(paths) > 100
