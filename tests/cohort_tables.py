"""Small cohorts whose truth is known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from assistant.tasks.radiomics.cohort.roles import Roles
from assistant.tasks.radiomics.cohort.settings import CohortSettings

SMALL = CohortSettings(
    outer_folds=3,
    inner_folds=3,
    selectors=("conditional", "lasso"),
    models=("logistic", "knn"),
    clinical=("性别", "年龄"),
)
CLASS = Roles(outcome="复发", id="编号", site="医院")
FOLLOW_UP = Roles(time="天数", event="死亡", id="编号", site="医院")

Rows = list[list[str]]


def draw(survival: bool, cases: int = 100, columns: int = 10, seed: int = 3) -> Rows:
    """A header and cases; ``f0`` and ``f1`` decide the outcome, and hospital 乙 measures more."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((cases, columns))
    eta = 1.6 * x[:, 0] - 1.6 * x[:, 1]
    second = random.random(cases) < 0.5
    shown = x * np.where(second, 1.5, 1)[:, None] + np.where(second, 2.0, 0)[:, None]
    ends = ["天数", "死亡"] if survival else ["复发"]
    rows = [["编号", "医院", "性别", "年龄", *(f"f{j}" for j in range(columns)), *ends]]
    event_time = random.exponential(np.exp(-eta)) * 900
    censored = random.exponential(2500, cases)
    yes = random.random(cases) < 1 / (1 + np.exp(-eta))
    for i in range(cases):
        end = (
            [f"{min(event_time[i], censored[i]) + 0.5:.2f}", str(int(event_time[i] <= censored[i]))]
            if survival
            else ["是" if yes[i] else "否"]
        )
        rows.append(
            [
                f"病例{i}",
                "乙" if second[i] else "甲",
                str(random.choice(["男", "女"])),
                str(random.integers(30, 80)),
                *(f"{value:.6g}" for value in shown[i]),
                *end,
            ]
        )
    return rows


def write(path: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    """The rows as a CSV file."""
    with path.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path
