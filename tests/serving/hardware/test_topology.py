"""The layout of processors, as kernels describe machines that this one is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.hardware import topology


def machine(folder: Path, cpus: list[tuple[int, int]], nodes: dict[int, str]) -> Path:
    """``cpus``: (socket, core) of each logical processor; ``nodes``: node → its processors."""
    for number, (socket, core) in enumerate(cpus):
        place = folder / "cpu" / f"cpu{number}" / "topology"
        place.mkdir(parents=True)
        (place / "physical_package_id").write_text(f"{socket}\n")
        (place / "core_id").write_text(f"{core}\n")
    (folder / "cpu" / "cpufreq").mkdir(parents=True, exist_ok=True)
    for number, listed in nodes.items():
        place = folder / "node" / f"node{number}"
        place.mkdir(parents=True)
        (place / "cpulist").write_text(f"{listed}\n")
    return folder


def test_two_sockets_with_two_threads_a_core(tmp_path: Path) -> None:
    cpus = [(socket, core) for _ in range(2) for socket in (0, 1) for core in range(4)]
    system = machine(tmp_path, cpus, {0: "0-3,8-11", 1: "4-7,12-15"})
    found = topology.read(system, allowed=16)
    assert found == topology.Topology(sockets=((0,), (1,)), cores=8, allowed=16)
    assert found.nodes == 2


def test_engines_get_a_socket_each_in_turn(tmp_path: Path) -> None:
    cpus = [(socket, core) for _ in range(2) for socket in (0, 1) for core in range(4)]
    system = machine(tmp_path, cpus, {0: "0-3,8-11", 1: "4-7,12-15"})
    every = frozenset(range(16))
    shares = [topology.share("auto", number, system, every) for number in range(3)]
    assert shares[0] == (0, 1, 2, 3, 8, 9, 10, 11)
    assert shares[1] == (4, 5, 6, 7, 12, 13, 14, 15)
    assert shares[2] == shares[0]
    assert topology.share("auto", 1, system, {4, 5}) == (), "bound to one socket already"
    assert topology.share("all", 1, system, every) == ()
    assert topology.share("2,0-1", 1, system, every) == (0, 1, 2)
    with pytest.raises(ValueError, match=r"may use the processors 0-3,5"):
        topology.share("3-4", 0, system, {0, 1, 2, 3, 5})


def test_replicas_divide_the_machine_by_node_and_core(tmp_path: Path) -> None:
    cpus = [(socket, core) for _ in range(2) for socket in (0, 1) for core in range(4)]
    system = machine(tmp_path, cpus, {0: "0-3,8-11", 1: "4-7,12-15"})
    every = frozenset(range(16))
    two = topology.divided((), 2, system, every)
    assert two == [(0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)]
    four = topology.divided((), 4, system, every)
    assert four == [(0, 1, 8, 9), (2, 3, 10, 11), (4, 5, 12, 13), (6, 7, 14, 15)]
    assert topology.divided((0, 8), 1, system, every) == [(0, 8)]
    with pytest.raises(ValueError, match="2 replicas need 2 cores; there are 1"):
        topology.divided((0, 8), 2, system, every)


def test_a_process_keeps_to_its_processors() -> None:
    first = min(os.sched_getaffinity(0))
    code = (
        "import os, sys; from serving.hardware import topology; topology.pin([int(sys.argv[1])]); "
        "print(sorted(os.sched_getaffinity(0)))"
    )
    command = [sys.executable, "-c", code, str(first)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"[{first}]"


def test_a_socket_may_have_several_nodes(tmp_path: Path) -> None:
    cpus = [(number // 4, number % 4) for number in range(8)]
    system = machine(tmp_path, cpus, {0: "0-1", 1: "2-3", 2: "4-5", 3: "6,7", 4: ""})
    found = topology.read(system, allowed=6)
    assert found.sockets == ((0, 1), (2, 3))
    assert (found.nodes, found.cores, found.allowed) == (4, 8, 6)


def test_a_kernel_without_nodes_has_one_a_socket(tmp_path: Path) -> None:
    assert topology.read(machine(tmp_path, [(0, 0), (0, 1)], {}), 2).sockets == ((0,),)


def test_a_machine_that_tells_nothing_is_one_socket(tmp_path: Path) -> None:
    assert topology.read(tmp_path, 3) == topology.Topology(((0,),), 3, 3)


@pytest.mark.skipif(not topology.SYSTEM.is_dir(), reason="no Linux")
def test_this_machine_has_processors() -> None:
    found = topology.read()
    assert found.cores >= 1
    assert found.allowed >= 1
    assert found.sockets
