"""What tests of a cohort share."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohort_tables import CLASS, FOLLOW_UP, SMALL, draw, write

from assistant.tasks.radiomics.cohort.nested import Study
from assistant.tasks.radiomics.cohort.table import read_cohort


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``class`` and ``follow_up``."""
    folder = tmp_path_factory.mktemp("cohort")
    return {
        "class": write(folder / "class.csv", draw(False)),
        "follow_up": write(folder / "follow_up.csv", draw(True)),
    }


@pytest.fixture(scope="session")
def class_study(tables: dict[str, Path]) -> Study:
    return Study(read_cohort(tables["class"], CLASS, SMALL), SMALL, {})


@pytest.fixture(scope="session")
def survival_study(tables: dict[str, Path]) -> Study:
    return Study(read_cohort(tables["follow_up"], FOLLOW_UP, SMALL), SMALL, {})
