"""How the processors of this machine are laid out (Linux): sockets, memory nodes, cores; and which
of them an engine gets."""

from __future__ import annotations

import os
from collections.abc import Set
from dataclasses import dataclass
from itertools import pairwise
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
    count = allowed if allowed is not None else len(usable())
    return Topology(sockets, len(cores) or count, count)


def share(
    wanted: str, number: int, system: Path = SYSTEM, allowed: Set[int] | None = None
) -> tuple[int, ...]:
    """Logical processors for the engine that is the ``number``-th of its machine; (): any.

    ``wanted``: ``auto`` gives each engine one socket in turn, where there are several, since
    weights that lie in another socket's memory are read at a fraction of the speed; ``all``; or a
    list as the kernel writes it (``0-15,32-47``).

    Raises:
        ValueError: it is no list, or names a processor that this process may not use.
    """
    own = allowed if allowed is not None else usable()
    if wanted == "all":
        return ()
    if wanted != "auto":
        chosen = _parsed(wanted)
        if not chosen or not own >= {*chosen}:
            raise ValueError(f"cores {wanted}: this process may use the processors {_written(own)}")
        return tuple(sorted({*chosen}))
    sockets: dict[int, list[int]] = {}
    for processor in sorted(own):
        place = system / "cpu" / f"cpu{processor}" / "topology" / "physical_package_id"
        if (socket := _number(place)) is not None:
            sockets.setdefault(socket, []).append(processor)
    if len(sockets) < 2:
        return ()
    return tuple(sockets[sorted(sockets)[number % len(sockets)]])


def divided(
    cores: tuple[int, ...], count: int, system: Path = SYSTEM, allowed: Set[int] | None = None
) -> list[tuple[int, ...]]:
    """``cores`` (none: all that this process may use) in ``count`` shares, by memory node and core.

    Two threads of a core come into the same share, and so do the cores of a node where there are
    as many nodes as shares.  A single share is ``cores`` as they are.

    Raises:
        ValueError: there are fewer cores than shares.
    """
    if count == 1:
        return [cores]
    own = cores or tuple(sorted(allowed if allowed is not None else usable()))
    node_of = {
        cpu: int(folder.name[4:])
        for folder in system.glob("node/node[0-9]*")
        for cpu in _listed(folder / "cpulist")
    }
    cores_of: dict[tuple[int, int, int], list[int]] = {}
    for cpu in own:
        place = system / "cpu" / f"cpu{cpu}" / "topology"
        core = _number(place / "core_id")
        key = (
            node_of.get(cpu, 0),
            _number(place / "physical_package_id") or 0,
            cpu if core is None else core,
        )
        cores_of.setdefault(key, []).append(cpu)
    ranked = [cores_of[key] for key in sorted(cores_of)]
    if len(ranked) < count:
        raise ValueError(f"{count} replicas need {count} cores; there are {len(ranked)}")
    ends = [len(ranked) * number // count for number in range(count + 1)]
    return [
        tuple(sorted(cpu for core in ranked[begin:end] for cpu in core))
        for begin, end in pairwise(ends)
    ]


def pin(cores: tuple[int, ...] | list[int]) -> None:
    """Keep this process, and the threads that it is to start, on ``cores``; (): anywhere."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def usable() -> Set[int]:
    """The logical processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return frozenset(range(os.cpu_count() or 1))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _listed(path: Path) -> list[int]:
    """The numbers of a list as the kernel writes it: ``0-3,8``."""
    try:
        return _parsed(path.read_text().strip())
    except OSError:
        return []


def _parsed(text: str) -> list[int]:
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def _written(processors: Set[int]) -> str:
    """As the kernel writes it."""
    runs: list[list[int]] = []
    for number in sorted(processors):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
