"""The cases of a study: what is known of each, and what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.tasks.radiomics.cohort.cells import read_cells
from assistant.tasks.radiomics.cohort.columns import Columns, LeftOut, encode, find_columns
from assistant.tasks.radiomics.cohort.labels import (
    Excluded,
    check_size,
    read_classes,
    read_survival,
)
from assistant.tasks.radiomics.cohort.outcome import Flags, Floats, Outcome, Texts
from assistant.tasks.radiomics.cohort.roles import Roles, case_ids, place_of, site_names
from assistant.tasks.radiomics.cohort.settings import CohortSettings


@dataclass(frozen=True)
class Cohort:
    """``x``: cases × features, NaN where unknown.  ``sites``: empty text where none is given."""

    ids: tuple[str, ...]
    x: Floats
    outcome: Outcome
    sites: Texts
    columns: Columns
    positive: str
    read: int
    excluded: tuple[Excluded, ...]
    notes: tuple[str, ...]
    sha256: str

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features."""
        return self.columns.names

    @property
    def has_sites(self) -> bool:
        """Whether there are two sites or more."""
        return len(set(self.sites.tolist())) > 1


def read_cohort(path: Path, roles: Roles, settings: CohortSettings) -> Cohort:
    """The cases at ``path`` whose outcome is known.

    Raises:
        CohortRefused: the table cannot be used, see `cells`, `columns`; too few cases of a class.
    """
    cells = read_cells(path)
    for name in (*roles.aside, *settings.clinical, *settings.categorical):
        place_of(cells, name)
    ids = case_ids(cells, roles.id)
    columns = find_columns(cells, roles.aside | set(settings.drop), settings.categorical)
    excluded: list[Excluded] = []
    if roles.is_survival:
        outcome, positive = read_survival(cells, roles, excluded), ""
    else:
        outcome, positive = read_classes(cells, roles, settings, excluded)
    kept, known = outcome
    check_size(known, settings)
    x = encode(cells, columns)[kept]
    empty: Flags = np.asarray(np.isnan(x).all(axis=0))
    columns = Columns(
        tuple(c for c, e in zip(columns.taken, empty, strict=True) if not e),
        columns.left_out
        + tuple(
            LeftOut(c.name, "可用病例中全部缺失")
            for c, e in zip(columns.taken, empty, strict=True)
            if e
        ),
    )
    x = x[:, ~empty]
    sites = site_names(cells, roles.site)[kept]
    return Cohort(
        tuple(ids[row] for row in kept),
        x,
        known,
        sites,
        columns,
        positive,
        len(cells.lines),
        tuple(excluded),
        _suspicions(x, known, columns.names),
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _suspicions(x: Floats, outcome: Outcome, names: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that alone tell the outcome apart: most often written after it was known."""
    if outcome.is_survival:
        return ()
    yes, no = x[outcome.event], x[~outcome.event]
    with np.errstate(invalid="ignore"):
        apart = np.nanmin(_filled(yes, np.inf), axis=0) > np.nanmax(_filled(no, -np.inf), axis=0)
        apart |= np.nanmax(_filled(yes, -np.inf), axis=0) < np.nanmin(_filled(no, np.inf), axis=0)
    known = np.isfinite(x).mean(axis=0) > 0.5
    return tuple(
        f"列“{names[place]}”单独就能把两类完全分开，可能是结局之后才有的信息，请核对。"
        for place in np.flatnonzero(apart & known)[:10]
    )


def _filled(x: Floats, value: float) -> Floats:
    return np.where(np.isnan(x), value, x)
