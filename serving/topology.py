"""How the processors of this machine are laid out (Linux): sockets, memory nodes, cores."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SYSTEM = Path("/sys/devices/system")


@dataclass(frozen=True, slots=True)
class Topology:
    """``sockets``: the memory nodes of each.  ``cores``: physical ones of the machine.
    ``allowed``: logical processors that this process may use."""

    sockets: tuple[tuple[int, ...], ...]
    cores: int
    allowed: int

    @property
    def nodes(self) -> int:
        """Memory (NUMA) nodes."""
        return sum(map(len, self.sockets))


def read(system: Path = SYSTEM, allowed: int | None = None) -> Topology:
    """What the kernel tells; one socket with one node where it tells nothing."""
    cores: set[tuple[int, int]] = set()
    socket_of: dict[int, int] = {}
    for folder in system.glob("cpu/cpu[0-9]*"):
        socket = _number(folder / "topology" / "physical_package_id")
        core = _number(folder / "topology" / "core_id")
        if socket is not None and core is not None:
            socket_of[int(folder.name[3:])] = socket
            cores.add((socket, core))
    nodes: dict[int, list[int]] = {socket: [] for socket in socket_of.values()}
    for folder in system.glob("node/node[0-9]*"):
        for socket in {socket_of[cpu] for cpu in _listed(folder / "cpulist") if cpu in socket_of}:
            nodes[socket].append(int(folder.name[4:]))
    sockets = tuple(tuple(sorted(nodes[socket])) or (0,) for socket in sorted(nodes)) or ((0,),)
    usable = allowed if allowed is not None else _allowed()
    return Topology(sockets, len(cores) or usable, usable)


def _allowed() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _listed(path: Path) -> list[int]:
    """The numbers of a list as the kernel writes it: ``0-3,8``."""
    try:
        text = path.read_text().strip()
    except OSError:
        return []
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
