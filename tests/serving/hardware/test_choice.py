"""What is quicker is measured once; a place that takes no files costs a measurement a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from serving.hardware import choice

WAYS = ("slow", "quick", "broken")


def prepared(runs: list[str]) -> Callable[[str], Callable[[], object]]:
    def prepare(way: str) -> Callable[[], object]:
        if way == "broken":
            raise RuntimeError("not on this processor")
        return lambda: runs.append(way)

    return prepare


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_known", {})


def test_a_way_that_does_not_work_here_is_never_the_quickest() -> None:
    runs: list[str] = []
    seconds = choice.measure(WAYS, prepared(runs))
    assert seconds["broken"] == float("inf")
    # They take turns, so that both share what else the processor does.
    assert runs[2:6] == ["slow", "quick", "slow", "quick"]


def test_what_is_not_good_enough_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        choice, "measure", lambda ways, prepare: {"slow": 3.0, "quick": 1.0, "broken": 0.5}
    )
    asked: list[str] = []

    def accepted(way: str) -> str:
        asked.append(way)
        return "quick:2" if way == "quick" else ""

    def choose(where: Path) -> str:
        return choice.quickest("test", where, "key", WAYS, prepared([]), accepted)

    kept = tmp_path / "kept.json"
    assert choose(kept) == "quick:2"
    assert asked == ["broken", "quick"]
    assert choose(kept) == "quick:2"
    assert len(asked) == 2
    # A folder that is a file takes nothing: it is remembered as long as the process lives.
    nowhere = kept / "kept.json"
    assert choose(nowhere) == choose(nowhere) == "quick:2"
    assert len(asked) == 4
