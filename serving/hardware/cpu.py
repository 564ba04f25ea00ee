"""What the processor is and can do, as Linux tells it."""

from __future__ import annotations

from pathlib import Path

INFO = Path("/proc/cpuinfo")


def flags(info: Path = INFO) -> frozenset[str]:
    """Instruction sets of the first processor; empty where they cannot be told."""
    return frozenset(next(iter(_values("flags", info)), "").split())


def shared_flags(info: Path = INFO) -> frozenset[str]:
    """Instruction sets that every processor of this machine has."""
    found = [frozenset(value.split()) for value in _values("flags", info)]
    return frozenset.intersection(*found) if found else frozenset()


def model_name(info: Path = INFO) -> str:
    """What the first processor calls itself; empty where it cannot be told."""
    return next(iter(_values("model name", info)), "")


def _values(field: str, info: Path) -> list[str]:
    """One field of every processor."""
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    pairs = (line.partition(":") for line in lines)
    return [value.strip() for name, _, value in pairs if name.strip() == field]
