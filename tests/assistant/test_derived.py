"""What is computed from a base is kept beside it, and read again only while it holds."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from assistant.base_drugs import drugs_of
from assistant.derived import derived

HERE = (sys.modules[__name__],)


def test_it_is_made_once(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> dict[str, str]:
        made.append(1)
        return {"可乐必妥": "左氧氟沙星"}

    assert derived(tmp_path, "drugs", HERE, make) == derived(tmp_path, "drugs", HERE, make)
    assert len(made) == 1


def test_other_code_makes_it_again(tmp_path: Path) -> None:
    derived(tmp_path, "drugs", HERE, lambda: ["old"])
    assert derived(tmp_path, "drugs", (json,), lambda: ["new"]) == ["new"]


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    derived(tmp_path, "drugs", HERE, lambda: ["right"])
    (file,) = tmp_path.iterdir()
    file.write_text("{", encoding="utf-8")
    assert derived(tmp_path, "drugs", HERE, lambda: ["right"]) == ["right"]
    assert json.loads(file.read_text("utf-8")) == ["right"]


def test_where_nothing_can_be_written_it_is_made_each_time(tmp_path: Path) -> None:
    assert derived(tmp_path / "absent", "drugs", HERE, lambda: [1]) == [1]


def test_the_drugs_of_a_base_are_the_same_from_the_file(tmp_path: Path) -> None:
    asked: list[str] = []

    def of_kind(kind: str) -> list[Any]:
        asked.append(kind)
        return [SimpleNamespace(subject="盐酸左氧氟沙星片", text="商品名：可乐必妥。")]

    base: Any = SimpleNamespace(folder=tmp_path, index=SimpleNamespace(of_kind=of_kind))
    for drugs in (drugs_of(base), drugs_of(base)):
        assert drugs.generic("可乐必妥") == "左氧氟沙星"
        assert drugs.spans("予可乐必妥") == [(1, 5)]
    assert asked == ["drug"]
