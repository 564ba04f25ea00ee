from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[3] / "bench" / "durability.py"


@pytest.fixture
def durability() -> ModuleType:
    specification = importlib.util.spec_from_file_location("durability", BENCH)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["durability"] = module
    specification.loader.exec_module(module)
    return module


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(
    durability: ModuleType, tmp_path: Path
) -> None:
    report = durability.run(tmp_path, kills=10, seed=7)
    assert report.faults == []
    assert report.acknowledged > 0


def test_a_loss_would_be_noticed(durability: ModuleType, tmp_path: Path) -> None:
    database = tmp_path / "durability.db"
    answers = durability.kill_once(database, 0.5)
    invented = [("draft", "00000000-0000-7000-8000-000000000000", "mark")]
    assert durability.faults_in(database, answers) == []
    assert len(durability.faults_in(database, answers + invented)) == 1
