"""Structuring notes on an existing Ray cluster, by Ray Data: the team of `load` on many machines.

Notes and results travel as text.  Every node needs this program with the same models and the same
knowledge base; what another makes of a note is refused.
"""

from __future__ import annotations

import importlib
import logging
import math
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

from pydantic import TypeAdapter

from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.part import Part
from assistant.tasks.structuring.workers import Opened, Team

_AT_ONCE = 20_000
"""Notes of one data set: its workers open their models once for so many."""

_BATCH = 24
"""Notes that a worker takes at a time."""

_PATIENCE = 5.0
"""Seconds in which a cluster must answer a knock."""

_NOTE = TypeAdapter(NoteText)


class ClusterRefused(Exception):
    """The work cannot be done on this cluster; the message says why and what to do."""


class _HasNote(Protocol):
    @property
    def note(self) -> NoteText: ...


class NoteWorker:
    """Lives in a process of a node, and opens its models once."""

    def __init__(self) -> None:
        from assistant.record_index.writer import open_writer

        self._opened: Opened = open_writer(1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Numbers and notes as JSON → the numbers, what the notes come to, and made of what."""
        import numpy as np

        made = [self._opened.work(Part(_NOTE.validate_json(text))) for text in batch["note"]]
        return {
            "number": batch["number"],
            "made": np.array(made, dtype=object),
            "made_of": np.array([self._opened.made_of] * len(made), dtype=object),
        }


@contextmanager
def cluster(address: str, made_of: str) -> Iterator[Team]:
    """The cluster at ``address`` (``host:6379``, or ``auto`` for the one of this machine).

    ``made_of`` is what this installation makes results of.

    Raises:
        ClusterRefused: Ray is not installed, or no cluster answers there.
    """
    ray = _connected(address)
    try:
        yield _Cluster(ray, made_of)
    finally:
        ray.shutdown()


def _connected(address: str) -> Any:
    if address.startswith("ray://"):
        raise ClusterRefused(
            "请给出 host:6379 形式的地址，在集群的一台机器上运行；ray:// 不能用。"
            "(Give host:6379 and run on a machine of the cluster; ray:// is not taken.)"
        )
    # Nothing is told to anybody.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray = importlib.import_module("ray")
        data = importlib.import_module("ray.data")
    except ImportError:
        raise ClusterRefused(
            "没有安装 Ray，请先运行 pip install 'bedside[ray]'。"
            "(Ray is not installed: pip install 'bedside[ray]'.)"
        ) from None
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError, OSError):
        raise ClusterRefused(
            f"{address} 没有 Ray 集群应答，请检查地址，并在该集群的一台机器上运行。"
            f"(No Ray cluster answers at {address}; run this on one of its machines.)"
        ) from None
    # Its lines tell of a data set's steps, and the progress bar is ours.
    logging.getLogger("ray").setLevel(logging.ERROR)
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    # The index is to come out as on one machine.
    context.execution_options.preserve_order = True
    return ray


def _knock(address: str) -> None:
    """Raises OSError where nothing listens: Ray itself would wait for minutes.

    ValueError for an address that is none.
    """
    host, _, port = address.rpartition(":")
    if address != "auto":
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


class _Cluster:
    def __init__(self, ray: Any, made_of: str) -> None:
        self._ray, self.made_of = ray, made_of

    def results(self, items: Iterable[_HasNote]) -> Iterator[tuple[Any, str]]:
        """Each item with its result, in their order; see `Team`."""
        left = iter(items)
        while some := list(islice(left, _AT_ONCE)):
            for number, row in enumerate(self._rows(some)):
                if row["made_of"] != self.made_of:
                    raise ClusterRefused(
                        "集群节点上的模型或知识库与本机不同，请先统一安装与 BEDSIDE_HOME。"
                        "(A node has other models or another knowledge base than this machine.)"
                    )
                assert row["number"] == number
                yield some[number], str(row["made"])

    def _rows(self, items: list[_HasNote]) -> Iterator[dict[str, Any]]:
        rows = [
            {"number": number, "note": _NOTE.dump_json(item.note).decode()}
            for number, item in enumerate(items)
        ]
        cores = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        blocks = math.ceil(len(rows) / _BATCH)
        yield from (
            self._ray.data.from_items(rows, override_num_blocks=blocks)
            .map_batches(
                NoteWorker,
                batch_size=_BATCH,
                compute=self._ray.data.ActorPoolStrategy(min_size=1, max_size=min(cores, blocks)),
                num_cpus=1,
            )
            .iter_rows()
        )
