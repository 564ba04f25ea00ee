"""What is made at its first use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from assistant.lazy import Lazy


@pytest.mark.parametrize("made", ["a model", None])
def test_many_threads_get_the_one_thing(made: str | None) -> None:
    calls: list[str | None] = []

    def make() -> str | None:
        calls.append(made)
        return made

    lazy, together = Lazy(make), Barrier(8)

    def ask(_: int) -> str | None:
        together.wait(10)
        return lazy()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [made] * 8
    assert calls == [made]


def test_a_failure_is_tried_again() -> None:
    outcomes: list[Exception | int] = [OSError("busy"), 3]

    def make() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    lazy = Lazy(make)
    with pytest.raises(OSError, match="busy"):
        lazy()
    assert lazy() == lazy() == 3
