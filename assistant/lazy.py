"""What is made at its first use, and then kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Lazy(Generic[Made]):
    """Calls ``make`` when it is first called, and gives what was made ever after.

    Threads that ask meanwhile wait.  What fails is tried again by the next caller.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._made: tuple[Made] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Made:
        """What ``make`` made.  Raises what it raises."""
        with self._lock:
            if self._made is None:
                self._made = (self._make(),)
            return self._made[0]
