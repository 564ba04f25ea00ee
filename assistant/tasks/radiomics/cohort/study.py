"""The whole way: a table in, a folder with report, model and predictions out."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assistant.tasks.radiomics.cohort import growth
from assistant.tasks.radiomics.cohort import report as writing
from assistant.tasks.radiomics.cohort.journal import Journal
from assistant.tasks.radiomics.cohort.model import fit_model
from assistant.tasks.radiomics.cohort.nested import Nested, Report, Study, choose, cuts_of, run
from assistant.tasks.radiomics.cohort.roles import Roles
from assistant.tasks.radiomics.cohort.saved import SavedModel, keep, save
from assistant.tasks.radiomics.cohort.settings import CohortSettings
from assistant.tasks.radiomics.cohort.table import read_cohort
from assistant.whole_file import whole

Grow = Callable[[str, dict[str, Any]], None]
"""Told each part of the report as soon as there is one: its name and its data."""

_WORK = 4
"""Raised when the same table and settings would give another result."""


@dataclass(frozen=True)
class Files:
    """What is written."""

    html: Path
    json: Path
    markdown: Path
    model: Path
    predictions: Path


def make(
    table: Path,
    roles: Roles,
    settings: CohortSettings,
    icc: Mapping[str, float],
    folder: Path,
    report: Report,
    jobs: int,
    grow: Grow = lambda *_: None,
) -> tuple[dict[str, Any], Files]:
    """Read, validate, fit, write.  After a stop the same call goes on where it was.

    ``grow`` is told ``flow``, then ``candidates`` and ``folds`` again and again.

    Raises:
        CohortRefused: the table cannot be used.
    """
    study = Study(read_cohort(table, roles, settings), settings, icc)
    grow("flow", growth.flow(study, roles))
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / "progress.jsonl", _fingerprint(study, roles))
    nested = run(study, journal, growth.telling_parts(study, journal, report, grow), jobs)
    saved = final_model(study, nested, roles.site)
    made = writing.build(study, nested, saved)
    files = Files(
        folder / "report.html",
        folder / "report.json",
        folder / "report.md",
        folder / "model.skops",
        folder / "predictions.csv",
    )
    save(saved, files.model)
    _predictions(study, nested, files.predictions)
    texts = {
        files.json: json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False),
        files.markdown: writing.markdown(made),
        files.html: writing.html(made),
    }
    for path, text in texts.items():
        with whole(path) as partial:
            partial.write_text(text, "utf-8")
    journal.remove()
    return made, files


def final_model(study: Study, nested: Nested, site: str) -> SavedModel:
    """What the inner folds of all cases choose, fitted on all cases."""
    cohort, choice = study.cohort, choose(study, nested.inner)
    model = fit_model(
        choice,
        cohort.x,
        cohort.outcome,
        cohort.sites,
        cohort.names,
        study.settings,
        study.icc,
    )
    return keep(study, model, cuts_of(study, nested.inner, choice), site)


def _fingerprint(study: Study, roles: Roles) -> str:
    said = [
        _WORK,
        version("bedside"),
        study.cohort.sha256,
        study.settings.model_dump_json(),
        repr(roles),
        json.dumps(dict(study.icc), sort_keys=True),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _predictions(study: Study, nested: Nested, path: Path) -> None:
    """Each case's number from the fold that had not seen it, with a byte order mark so that a
    spreadsheet reads Chinese."""
    with whole(path) as partial, partial.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "fold", "event", "prediction", "model", "科研用途"])
        for fold, part in enumerate(nested.outer):
            for row, risk in zip(part["rows"], part["risk"], strict=True):
                event = int(study.cohort.outcome.event[row])
                name = study.cohort.ids[row]
                # A spreadsheet runs a cell that begins so.
                name = f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
                line = [name, fold + 1, event, f"{risk:.6g}", part["candidate"], "仅供研究"]
                writer.writerow(line)
