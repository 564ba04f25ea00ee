"""Work over processes: the order of what was given, no process left behind, errors as they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from assistant.tasks.structuring.workers import WorkerDied, processes_for, team

ROOT = Path(__file__).parents[4]


class Squares:
    """Squares numbers, the first ones slowest; a negative one is wrong, zero ends the process."""

    made_of = "squares"

    def work(self, item: int) -> str:
        if item < 0:
            raise ValueError(f"{item} is negative")
        if item == 0:
            os._exit(9)
        time.sleep(0.2 if item < 3 else 0.0)
        return str(item * item)


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    with team(Squares, processes) as workers:
        assert workers.made_of == "squares"
        found = list(workers.results(range(1, 40)))
    assert found == [(n, str(n * n)) for n in range(1, 40)]


def test_items_are_taken_as_results_are_given() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(3, 1_000):
            taken += 1
            yield number

    with team(Squares, 2) as workers:
        results = workers.results(items())
        assert next(results) == (3, "9")
        assert taken < 20
        results = iter(())


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_raised_where_it_belongs(processes: int) -> None:
    with team(Squares, processes) as workers:
        results = workers.results([4, -1, 5])
        assert next(results) == (4, "16")
        with pytest.raises(ValueError, match="-1 is negative"):
            next(results)


def test_a_process_that_dies_is_said_and_not_waited_for() -> None:
    with team(Squares, 2) as workers, pytest.raises(WorkerDied, match="goes on"):
        list(workers.results([5, 0, 6]))


def test_one_process_for_few_items() -> None:
    assert processes_for(1, 24) == 1
    assert processes_for(24, 24) == 1
    cores = len(os.sched_getaffinity(0))
    assert processes_for(10_000, 24) <= cores
    assert processes_for(25, 24) == min(2, processes_for(10_000, 24))


def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import multiprocessing, time\n"
        "from assistant.tasks.structuring.workers import team\n"
        "class Slow:\n"
        "    made_of = ''\n"
        "    def work(self, item):\n"
        "        time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    with team(Slow, 2) as workers:\n"
        "        print(*(p.pid for p in multiprocessing.active_children()), flush=True)\n"
        "        list(workers.results([1, 2]))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    children = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(children) == 2
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}/cmdline").exists() and alive(pid) for pid in children):
        assert time.monotonic() < end
        time.sleep(0.1)


def alive(pid: int) -> bool:
    """Whether a process runs; what nobody has waited for yet does not."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_an_opening_takes_arguments() -> None:
    with team(partial(Powers, 3), 2) as workers:
        assert list(workers.results([2, 5])) == [(2, "8"), (5, "125")]


class Powers:
    """Raises numbers to a power."""

    def __init__(self, power: int) -> None:
        self.power = power
        self.made_of = f"powers of {power}"

    def work(self, item: int) -> str:
        return str(item**self.power)
