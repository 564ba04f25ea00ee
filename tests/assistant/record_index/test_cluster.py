"""Loading notes on a Ray cluster: the index is what one machine makes of them."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from assistant.record_index.cluster import ClusterRefused, cluster
from assistant.record_index.load import Loaded, load
from assistant.store import Context, Store
from assistant.store.record_rows import (
    RecordFactRow,
    RecordNoteRow,
    RecordResultRow,
    RecordTermRow,
)

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="pip install 'bedside[ray]' runs this"
)
SECRET = b"a secret that only the tests use"
ACTOR = Context.operator("tester")
TABLES = (RecordNoteRow, RecordTermRow, RecordFactRow, RecordResultRow)
TEXTS = (
    "诊断：右肺癌。EGFR 19del突变（+）。未见胸腔积液。肌酐 135umol/L。",
    "诊断：2型糖尿病。空腹血糖 9.8mmol/L。否认青霉素过敏。父亲患高血压。",
    "诊断：肺炎。咳嗽3天，发热，体温39.1℃。予头孢曲松 2g 静滴 qd。",
)


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notes") / "notes.jsonl"
    rows = [
        {"id": f"n{n}", "patient_id": f"p{n}", "title": "病程", "text": TEXTS[n % 3],
         "written_at": f"2025-05-{n % 28 + 1:02}T08:00:00"}
        for n in range(30)
    ]  # fmt: skip
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.fixture(scope="module")
def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two raylets of this machine, each with a processor of its own, on the loopback."""
    home = tmp_path_factory.mktemp("ray-home")
    patch = pytest.MonkeyPatch()
    patch.setenv("BEDSIDE_HOME", str(home))
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    # Read when Ray is imported: nodes and driver then speak over the loopback alone.
    patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    made_by = importlib.import_module("ray.cluster_utils").Cluster
    small: dict[str, Any] = {
        "num_cpus": 1,
        "object_store_memory": 80_000_000,
        "node_ip_address": "127.0.0.1",
    }
    made = made_by(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    made.add_node(**small)
    yield made.address
    made.shutdown()
    patch.undo()


def filled(address: Path, notes: Path, ray: str = "") -> tuple[Store, Loaded]:
    store = Store.open(address, SECRET)
    return store, load(store, notes, ACTOR, ray=ray)


def rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All rows, without the moments at which they were written."""
    with store.database.read() as session:
        return {
            table.__tablename__: [
                {c.name: getattr(row, c.name) for c in table.__table__.columns} | {"loaded_at": 0}
                for row in session.scalars(select(table).order_by(table.no))
            ]
            for table in TABLES
        }


@needs_ray
def test_two_nodes_fill_the_index_as_one_machine_does(
    tmp_path: Path, notes: Path, two_nodes: str
) -> None:
    alone, _ = filled(tmp_path / "alone.db", notes)
    store, done = filled(tmp_path / "ray.db", notes, two_nodes)
    assert (done.new, done.kept, done.unread) == (30, 0, [])
    assert rows(store) == rows(alone)
    assert len(rows(store)["record_notes"]) == 30
    again = load(store, notes, ACTOR, ray=two_nodes)
    assert (again.new, again.kept) == (0, 30)
    with (
        pytest.raises(ClusterRefused, match="知识库与本机不同"),
        cluster(two_nodes, "else") as team,
    ):
        list(team.results([_part(notes)]))


def _part(path: Path) -> Any:
    from assistant.tasks.structuring.input import read_notes
    from assistant.tasks.structuring.part import Part

    return Part(next(iter(read_notes(path, path.name))))


@needs_ray
@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", ""])
def test_no_cluster_is_said(address: str) -> None:
    with pytest.raises(ClusterRefused, match="没有 Ray 集群应答"), cluster(address, ""):
        pass


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is here")
def test_without_ray_what_to_install_is_said(tmp_path: Path, notes: Path) -> None:
    with pytest.raises(ClusterRefused, match=r"pip install 'bedside\[ray\]'"):
        load(Store.open(tmp_path / "none.db", SECRET), notes, ACTOR, ray="127.0.0.1:6379")


def test_an_address_of_the_client_is_refused() -> None:
    with pytest.raises(ClusterRefused, match="ray://"), cluster("ray://127.0.0.1:10001", ""):
        pass
