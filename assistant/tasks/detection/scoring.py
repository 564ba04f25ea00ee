"""How likely a candidate is a nodule: boosted trees, kept as LightGBM's text, learnt from simulated
chests (`bedside eval detection --fit`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from assistant.imaging.volume import Floats

FOLDER = Path(__file__).parent / "data"
TREES = FOLDER / "nodules.txt"


class ScoringSettings(BaseModel):
    """From which score on a candidate is told, and how the trees were made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float
    version: str
    learnt_from: str


@cache
def scoring_settings() -> ScoringSettings:
    """Those shipped."""
    text = (FOLDER / "nodules.yaml").read_text(encoding="utf-8")
    return ScoringSettings.model_validate(yaml.safe_load(text))


@cache
def _trees() -> Any:
    import lightgbm

    return lightgbm.Booster(model_str=TREES.read_text(encoding="utf-8"))


def scores(rows: Floats) -> Floats:
    """(n,) from 0 to 1 of (n, features) of `assistant.tasks.detection.features`."""
    if not len(rows):
        return rows[:, 0]
    found: Floats = _trees().predict(rows, num_threads=1)
    return found
